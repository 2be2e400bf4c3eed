"""Domain shifts for the sampling benchmark, built from a data folder.

Every set of the folder gives two splits: `in-domain`, and `subtopics`, where each label's texts are parted into two
clusters of meaning and the smaller one is the new domain. Sets whose texts tell where they come from give a third
one: by topic (a `topic` field), by first word of a question, by news agency. The labels are shared, the texts are not.

Under a shift the source has gold labels (an existing model) and the labeller answers for the new domain; without one
there is no older model, so that the labeller answers for all. A teacher that is not better than chance is no labeller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.shared.datasets import candidate_set, candidates_of, has_answer, read_rows, read_space, said_by
from benchmarks.shared.folders import has_plain_labels
from model.acquisition.clusters import kmeans, nearest
from model.arrays import BoolArray, FloatArray, IntArray
from model.labels import LabelSpace

SOURCE_ROWS = 300  # at least 6 per label
POOL_ROWS = 2000
TEST_ROWS = 1000
LEAST_TARGET = 400  # smaller targets are no pool to choose from
LEAST_TEST = 60
LEAST_TRAIN = 1000  # smaller sets are left out where a folder has one of this size
KNOWN_TOPICS = frozenset(
    [
        "vaccine",
        "vaccines",
        "coronavirus",
        "universal health care",
        "taxes",
        "middle-class",
        "student-debt",
        "environment",
        "gun control",
        "gun-control",
    ]
)

Embed = Callable[[Sequence[str]], FloatArray]


@dataclass(frozen=True)
class Texts:
    """Texts with gold labels `(n,)`, the labeller's distributions `(n, C)`, and a tag that may tell the domain."""

    texts: list[str]
    gold: IntArray
    said: FloatArray
    tags: list[str]

    def rows(self, chosen: IntArray) -> Texts:
        """Some of them."""
        return Texts(
            [self.texts[i] for i in chosen], self.gold[chosen], self.said[chosen], [self.tags[i] for i in chosen]
        )


@dataclass(frozen=True)
class Split:
    """A source with labels, a target pool to spend a budget on, and target texts to measure on."""

    name: str
    shifted: bool
    labeller: str
    space: LabelSpace
    source: Texts
    target: Texts
    test: Texts


@dataclass(frozen=True)
class Corpus:
    """A set as it stands in the folder; `labeller` is `gold` or the teacher's name."""

    name: str
    labeller: str
    space: LabelSpace
    train: Texts
    test: Texts


def corpora(data: Path, names: Sequence[str]) -> list[Corpus]:
    """Every set with gold labels or a teacher's answers for at least 1,000 train texts; smaller ones if all are."""
    folders = [folder for folder in sorted(data.iterdir()) if has_plain_labels(folder)]
    found = [_labelled(folder) for folder in folders if not names or folder.name in names]
    for path in sorted(data.glob("teachers/*/*.jsonl.gz")):
        corpus = _taught(data, path)
        if corpus is not None and (not names or corpus.name in names):
            found.append(corpus)
            if not (data / corpus.name).is_dir():
                found.append(_all_gold(corpus))
    useful = [corpus for corpus in found if right(corpus.train) > 1 / len(corpus.space)]
    return [corpus for corpus in useful if len(corpus.train.texts) >= LEAST_TRAIN] or useful


def right(part: Texts) -> float:
    """Share of texts whose first label by the labeller is true."""
    return float((part.said.argmax(axis=1) == part.gold).mean())


def _labelled(folder: Path) -> Corpus:
    space = read_space(folder)
    return Corpus(folder.name, "gold", space, _gold(folder, "train", space), _gold(folder, "test", space))


def _gold(folder: Path, part: str, space: LabelSpace) -> Texts:
    rows = {row["text"]: row["label"] for row in reversed(list(read_rows(folder / f"{part}.jsonl.gz")))}
    gold = np.array([space.index(label) for label in rows.values()], dtype=np.int64)
    return Texts(list(rows), gold, np.eye(len(space), dtype=np.float32)[gold], [""] * len(rows))


def _taught(data: Path, path: Path) -> Corpus | None:
    name = path.name.removesuffix(".jsonl.gz")
    if name.endswith("_test"):
        return None
    rows = [row for row in read_rows(path) if has_answer(row)]
    name = name.removesuffix("_train")
    gold_folder = data / name
    names = sorted({str(row["gold"]) for row in rows} | {label for row in rows for label in candidates_of(row)})
    space = read_space(gold_folder) if gold_folder.is_dir() else LabelSpace.of(names)
    known = [row for row in {row["text"]: row for row in rows}.values() if row["gold"] in space]
    gold = np.array([space.index(row["gold"]) for row in known], dtype=np.int64)
    said = np.stack([said_by(candidate_set(row), space) for row in known])
    taught = Texts([row["text"] for row in known], gold, said, [str(row.get("topic", "")) for row in known])
    if gold_folder.is_dir():
        return Corpus(name, path.parent.name, space, taught, _gold(gold_folder, "test", space))
    draw = np.random.default_rng(0).permutation(len(known))
    cut = len(known) // 5
    return Corpus(name, path.parent.name, space, taught.rows(np.sort(draw[cut:])), taught.rows(np.sort(draw[:cut])))


def as_gold(part: Texts, labels: int) -> Texts:
    """The same texts, labelled by gold."""
    return Texts(part.texts, part.gold, np.eye(labels, dtype=np.float32)[part.gold], part.tags)


def _all_gold(corpus: Corpus) -> Corpus:
    parts = [as_gold(part, len(corpus.space)) for part in (corpus.train, corpus.test)]
    return Corpus(corpus.name, "gold", corpus.space, parts[0], parts[1])


def splits(corpus: Corpus, embed: Embed, final: bool) -> list[Split]:
    """All splits of a set. Unless `final`, the test part is not touched: a quarter of the train part stands in."""
    train, test = corpus.train, corpus.test
    if not final:
        order = np.random.default_rng(1).permutation(len(train.texts))
        cut = len(order) // 4
        train, test = train.rows(np.sort(order[cut:])), train.rows(np.sort(order[:cut]))
    found = []
    for kind, (old, fresh) in _domains(corpus, train, test, embed).items():
        shifted = kind != "in-domain"
        source, target = (np.flatnonzero(~old), np.flatnonzero(old)) if shifted else _halves(len(train.texts))
        measured = np.flatnonzero(fresh)
        if _enough(len(source), len(target), len(train.texts)) and len(measured) >= min(LEAST_TEST, len(fresh) // 4):
            parts = train.rows(source), train.rows(target), test.rows(measured)
            old_texts = as_gold(parts[0], len(corpus.space)) if shifted else parts[0]
            name = f"{corpus.name}/{kind}"
            found.append(Split(name, shifted, corpus.labeller, corpus.space, old_texts, parts[1], parts[2]))
    return found


def _enough(source: int, target: int, rows: int) -> bool:
    """Whether so many texts of a train part's `rows` are a source, and so many others a pool to choose from."""
    return source >= min(SOURCE_ROWS, rows // 4) and target >= min(LEAST_TARGET, rows // 3)


def _halves(count: int) -> tuple[IntArray, IntArray]:
    order = np.random.default_rng(2).permutation(count)
    return np.sort(order[: count // 4]), np.sort(order[count // 4 :])


def _domains(corpus: Corpus, train: Texts, test: Texts, embed: Embed) -> dict[str, tuple[BoolArray, BoolArray]]:
    """For each kind of split, which train and which test texts belong to the new domain."""
    everything = np.ones(len(train.texts), bool), np.ones(len(test.texts), bool)
    found = {"in-domain": everything, "subtopics": _subtopics(train, test, len(corpus.space), embed)}
    rule = _told(corpus)
    if rule is not None:
        kind, is_new = rule
        marks = [np.array([is_new(t, tag) for t, tag in zip(p.texts, p.tags, strict=True)]) for p in (train, test)]
        found[kind] = (marks[0], marks[1])
    return found


def _told(corpus: Corpus) -> tuple[str, Callable[[str, str], bool]] | None:
    if any(corpus.train.tags):
        return "topics", lambda text, tag: tag not in KNOWN_TOPICS
    if corpus.name == "trec":
        return "question-word", lambda text, tag: not text.lower().startswith("what")
    if corpus.name == "ag_news":
        return "agency", lambda text, tag: not any(mark in text for mark in ("Reuters", "AP -", "(AP)", "AFP"))
    return None


def _subtopics(train: Texts, test: Texts, labels: int, embed: Embed) -> tuple[BoolArray, BoolArray]:
    """Two clusters of meaning per label, fitted on train texts; the smaller one is the new domain."""
    vectors, fresh = embed(train.texts), embed(test.texts)
    marks = np.zeros(len(train.texts), bool), np.zeros(len(test.texts), bool)
    for label in range(labels):
        mine, theirs = np.flatnonzero(train.gold == label), np.flatnonzero(test.gold == label)
        if len(mine) < 2:
            continue
        centres = kmeans(vectors[mine], np.ones(len(mine), np.float32), 2, np.random.default_rng(label))
        owner, _ = nearest(vectors[mine], centres)
        small = int(np.bincount(owner, minlength=len(centres)).argmin())
        marks[0][mine] = owner == small
        if len(theirs):
            marks[1][theirs] = nearest(fresh[theirs], centres)[0] == small
    return marks


def drawn(split: Split, seed: int) -> tuple[Texts, Texts, Texts]:
    """Source, pool and test texts of one seed: different samples and orders, the same for all methods."""
    generator = np.random.default_rng(seed)

    def sample(part: Texts, most: int) -> Texts:
        return part.rows(generator.permutation(len(part.texts))[:most])

    source = sample(split.source, max(SOURCE_ROWS, 6 * len(split.space)))
    return source, sample(split.target, POOL_ROWS), sample(split.test, TEST_ROWS)


def describe(split: Split) -> str:
    """One line for the log."""
    sizes = [len(part.texts) for part in (split.source, split.target, split.test)]
    return f"{split.labeller:14} {split.name:32} source, target, test {sizes}, labeller right {right(split.target):.3f}"
