"""Several small models vote; the teacher looks at what they disagree on; they are trained on what it found.

After AutoAnnotator (arXiv 2506.16393). Pure functions on arrays and rows; the heavy libraries stay in the members.
"""

from model.committee.committee import Committee, Seat
from model.committee.existing import ExistingMember
from model.committee.gate import Gate, GateReport, judge
from model.committee.label_map import LabelMap
from model.committee.member import Member, StudentMember, member_probabilities
from model.committee.names import NamesMember
from model.committee.pooling import Confusion, Pooling, expected_gain
from model.committee.replay import balanced_draw, held_out
from model.committee.review import Ruling, Source, settle
from model.committee.reviewer import Reviewer
from model.committee.voting import KOfN, Tally, Weighted, tally, union_of_votes
from model.committee.words import WordsMember

__all__ = [
    "Committee",
    "Confusion",
    "ExistingMember",
    "Gate",
    "GateReport",
    "KOfN",
    "LabelMap",
    "Member",
    "NamesMember",
    "Pooling",
    "Reviewer",
    "Ruling",
    "Seat",
    "Source",
    "StudentMember",
    "Tally",
    "Weighted",
    "WordsMember",
    "balanced_draw",
    "expected_gain",
    "held_out",
    "judge",
    "member_probabilities",
    "settle",
    "tally",
    "union_of_votes",
]
