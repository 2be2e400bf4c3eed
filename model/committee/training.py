"""Train a committee on what the pool knows: unlike members, weights from set-aside human labels, and no harm done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray, Progress
from model.committee.agreement import agreement
from model.committee.committee import Committee
from model.committee.gate import Gate, GateReport, HoldOut, judge
from model.committee.members.member import Member
from model.committee.pooling import LEAST_LABELS, Pooling, member_evidence
from model.committee.reviewer import Reviewer
from model.committee.seats import Seats
from model.pairs import Pair
from model.text_groups import folds, pair_key, same, text_groups
from model.training.data import TrainingData
from model.training.options import TrainingReport

GATE = Gate(least_human=1, forgetting=0.1)  # what is learned from reviews may change some easy tasks, too
MANY_LABELS = 400  # of people, from which on some of them teach no member but weigh the members
WEIGHING = 0.25  # of many labels
FOLDS = 3
MOST_ROWS = 2_000  # that only the teacher answered and that teach members which are cross-fitted


def train_committee(
    data: TrainingData, seats: Seats, progress: Progress, guests: Sequence[Member] = ()
) -> tuple[Committee, TrainingReport]:
    """A committee of those who fill the seats and of `guests`, and a report about its training.

    NotEnoughDataError and TrainingStopped as for a single student.
    """
    started = time.monotonic()
    pair = seats.options.pair
    weighing = set_aside(data, pair)
    members, report = seats.filled(data.rows(~weighing), progress)
    all_members = [*members, *guests]
    judged = data.rows(weighing) if weighing.any() else data.rows(data.decided)
    weights, reviewer = (1.0 / len(all_members),) * len(all_members), None
    if len(judged) >= LEAST_LABELS:
        evidence = [member_evidence(member.probabilities(judged.texts)) for member in all_members]
        if not weighing.any():
            evidence[: len(members)] = cross_fitted(data, seats)
        weights, reviewer = weigh(evidence, judged, pair)
        report.found = {**report.found, "compared": agreement(evidence, judged.candidates.argmax(axis=1))}
    names = [*seats.roster.members, *(member.name for member in guests)]
    rounded = [round(weight, 4) for weight in weights]
    report.found = {**report.found, "members": names, "weights": rounded}
    report.seconds = time.monotonic() - started
    facts = {"reviewer": reviewer.to_json()} if reviewer else {}
    return Committee(seats.space, all_members, weights, encoder=seats.options.encoder, facts=facts), report


def cross_fitted(data: TrainingData, seats: Seats) -> list[FloatArray]:
    """Evidence `(n, C)` of each member of the roster on the n rows that people decided, each by members that did not
    learn it. Some thousand rows teach these members well enough for a weight."""
    decided = np.flatnonzero(data.decided)
    others = np.flatnonzero(~data.decided)
    generator = np.random.default_rng(seats.options.seed)
    others = others if len(others) <= MOST_ROWS else np.sort(generator.choice(others, MOST_ROWS, replace=False))
    groups = text_groups([data.texts[row] for row in decided], None, seats.options.pair)
    fold_of = folds(groups, FOLDS, seats.options.seed)
    empty = np.zeros((len(decided), len(seats.space)), np.float32)
    found: list[FloatArray] = [empty.copy() for _ in seats.roster.members]
    # one head tells what a member is worth, several cost several times as much
    seats = replace(seats, options=replace(seats.options, heads=1))
    for fold in range(FOLDS):
        mine = fold_of == fold
        if not mine.any():
            continue
        members, _ = seats.filled(data.rows(np.concatenate([decided[~mine], others])))
        texts = [data.texts[row] for row in decided[mine]]
        for place, member in enumerate(members):
            found[place][mine] = member_evidence(member.probabilities(texts))
    return found


def set_aside(data: TrainingData, pair: Pair | None = None) -> BoolArray:
    """Rows that only weigh the members: a quarter of those that people decided, by text. None while these are few:
    then all of them teach, and cross-fitting weighs."""
    if int(data.decided.sum()) < MANY_LABELS:
        return np.zeros(len(data), np.bool_)
    keys = (same(text) if pair is None else pair_key(pair, text) for text in data.texts)
    digests = (hashlib.sha256(f"weigh {key}".encode("utf-8", "surrogatepass")).digest() for key in keys)
    drawn = np.array([int.from_bytes(digest[:8], "big") < WEIGHING * 2**64 for digest in digests], np.bool_)
    chosen: BoolArray = drawn & data.decided
    return chosen


def weigh(
    evidence: Sequence[FloatArray], data: TrainingData, pair: Pair | None = None
) -> tuple[tuple[float, ...], Reviewer | None]:
    """Weights by maximum likelihood on rows that people decided, with every member's evidence `(n, C)` on them; and
    what the teacher's word is worth, by those of the rows that it answered, None if they are few."""
    gold, answered = data.candidates.argmax(axis=1), data.first >= 0
    fitted = Pooling.fit(evidence, gold)
    said = [part[answered] for part in evidence]
    groups = text_groups(data.texts, None, pair)[answered]
    reviewer = Reviewer.fit(said, fitted, data.first[answered], gold[answered], groups)
    return tuple(float(weight) for weight in fitted.weights), reviewer


@dataclass(frozen=True)
class Held:
    """Texts that no member ever learns from, with label numbers `(n,)`: of people, and of the committee's own that all
    agreed on."""

    texts: Sequence[str]
    gold: IntArray
    human: BoolArray


def without_harm(old: Committee, new: Committee, held: Held) -> tuple[Committee, dict[str, GateReport]]:
    """The new committee, in which each member that is worse beyond noise keeps its old self: on people's labels, or,
    lacking them, where it lost what the old committee had decided by itself."""
    known = HoldOut(held.gold, held.human, ~held.human)
    before = {member.name: member for member in old.members if member.trainable}
    reports: dict[str, GateReport] = {}
    kept: list[Member] = []
    for member in new.members:
        former = before.get(member.name)
        if former is None or not len(held.gold):
            kept.append(member)
            continue
        labels = [one.probabilities(held.texts).argmax(axis=1).astype(np.int64) for one in (former, member)]
        report = reports[member.name] = judge(labels[0], labels[1], known, 0.0, GATE)
        kept.append(member if report.promoted or report.reason == "no better" else former)
    return replace(new, members=kept), reports
