"""Several small models vote; the teacher looks at what they disagree on; they are trained on what it found.

After AutoAnnotator (arXiv 2506.16393). Pure functions on arrays and rows; the heavy libraries stay in the members.
"""

from model.committee.committee import Committee, Seat
from model.committee.existing import ExistingMember
from model.committee.gate import Gate, GateReport, judge
from model.committee.hard_pool import HardPool, HardRow
from model.committee.label_map import LabelMap
from model.committee.member import Member, StudentMember, member_probabilities
from model.committee.names import NamesMember
from model.committee.pooling import Confusion, Pooling, expected_gain
from model.committee.review import Ruling, Source, settle
from model.committee.stage import StageData, StageReport, due, held_out, plan_stage, run_stage
from model.committee.voting import KOfN, Tally, Weighted, tally, union_of_votes
from model.committee.words import WordsMember

__all__ = [
    "Committee",
    "Confusion",
    "ExistingMember",
    "Gate",
    "GateReport",
    "HardPool",
    "HardRow",
    "KOfN",
    "LabelMap",
    "Member",
    "NamesMember",
    "Pooling",
    "Ruling",
    "Seat",
    "Source",
    "StageData",
    "StageReport",
    "StudentMember",
    "Tally",
    "Weighted",
    "WordsMember",
    "due",
    "expected_gain",
    "held_out",
    "judge",
    "member_probabilities",
    "plan_stage",
    "run_stage",
    "settle",
    "tally",
    "union_of_votes",
]
