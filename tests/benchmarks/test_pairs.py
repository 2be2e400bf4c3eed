"""The benchmark of pairs on a small made-up folder: what is read, what rows say, how they are summed up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pairs import cross_encoder, fifth, ranking
from benchmarks.pairs import grounds as pools
from benchmarks.pairs.choosing import GOLD, LABELS, NOISY, RULES, curves, told
from benchmarks.pairs.docs import joined, kept
from benchmarks.pairs.grounds import grounds
from benchmarks.pairs.material import Material, has_pairs, read
from benchmarks.pairs.retraining import enough, measured
from benchmarks.pairs.students import compared
from benchmarks.pairs.summary import WITHOUT, summary
from benchmarks.pairs.ways_to_rank import Ways, fused, scaled
from benchmarks.shared import tables
from model import crossing
from model.pair_views import FEATURES, overlaps
from model.training import cross_training
from tests.support.embedding import embed_words

WORDS = ["red", "blue", "green", "old", "new", "big", "small", "cat", "dog", "car", "tree", "house"]


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """A search set of two domains: a document is relevant if it has the query's words."""
    folder = tmp_path / "made"
    folder.mkdir()
    random = np.random.default_rng(0)
    (folder / "labels.json").write_text('["no", "yes"]')
    for part, queries in (("train", 30), ("test", 10)):
        with gzip.open(folder / f"{part}.jsonl.gz", "wt") as file:
            for number in range(queries):
                asked = random.choice(WORDS, 2, replace=False)
                for row in range(6):
                    other = asked if row % 2 else random.choice(WORDS, 2)
                    fields = {"query": f"{' '.join(asked)} {part}{number}", "document": f"{' '.join(other)} x{row}"}
                    domain = "forum" if number % 2 else "news"
                    label = "yes" if row % 2 else "no"
                    line = {"fields": fields, "group": fields["query"], "label": label, "domain": domain}
                    file.write(json.dumps(line) + "\n")
    assert has_pairs(folder)
    return read(folder, 100)


def test_whole_queries_are_read_and_parts_stay_apart(material: Material) -> None:
    assert material.task == "search"
    assert len(material.train) == 102  # whole queries, the last of them in full
    assert set(np.bincount(material.train.queries)) == {0, 6}
    shifted = {ground.split: ground for ground in grounds(material, embed_words, Path(), adapting=False)}
    assert set(shifted) == {"in domain", "shift", "target alone"}
    assert set(shifted["shift"].pool.domains) == {"forum"}
    assert set(shifted["shift"].known.domains) == {"news"}


def test_every_larger_domain_is_left_out_once(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "LARGE", 30)
    found = [one for one in grounds(material, embed_words, Path(), adapting=False) if one.split.startswith(WITHOUT)]
    assert [(set(one.pool.domains), set(one.known.domains)) for one in found] == [
        ({"forum"}, {"news"}), ({"news"}, {"forum"})
    ]  # fmt: skip
    assert len(found[0].test) == len(found[1].test) == 30
    rows = [row for ground in found for row in curves(ground, [0])]
    (name,) = summary(rows)["rules"]
    assert name == "made, one domain left out"
    assert set(summary(rows)["rules"][name]) == set(LABELS)
    assert summary(rows)["rules"][name]["noisy"]["margin"]["half"] is not None  # over the two domains


def test_every_rule_spends_the_same_and_all_are_summed_up(material: Material) -> None:
    found = list(compared(material, embed_words, 0))
    for ground in grounds(material, embed_words, Path(), adapting=False):
        found += curves(ground, [0])
    assert {row["metric"] for row in found} == {"accuracy", "macro_f1", "ndcg_at_10", "mrr"}
    assert all(0.0 <= float(str(row["value"])) <= 1.0 for row in found)
    shown = summary(found)
    assert set(shown["students"]["made"]["all gold"]) >= {"ours", "cosine", "TF-IDF pair features"}
    for kind in LABELS:
        assert set(shown["rules"]["made, shift"][kind]) == {*RULES, "everything", "nothing"}
    by_gold, by_noise = (shown["rules"]["made, in domain"][kind] for kind in LABELS)
    assert by_gold["everything"]["mean"] > 0.9
    assert by_gold["random"]["mean"] > by_noise["random"]["mean"]


def test_a_quarter_of_noisy_labels_is_wrong_and_each_seed_draws_them_anew(material: Material) -> None:
    ground = next(iter(grounds(material, embed_words, Path(), adapting=False)))
    gold, (first, again, other) = told(ground, GOLD, 0), (told(ground, NOISY, seed) for seed in (0, 0, 1))
    assert np.array_equal(gold, ground.pool.gold)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0.6 < float((first == gold).mean()) < 0.9


def test_a_fifth_of_the_labels_is_measured_beside_all_of_them(material: Material) -> None:
    ground = next(one for one in grounds(material, embed_words, Path(), adapting=False) if one.split == "shift")
    rows = list(fifth.measured(ground, 0))
    shares = {row["method"]: row["budget"] for row in rows}
    assert shares[fifth.EVERYTHING] == 1.0
    assert 0.15 < float(str(shares[fifth.ALONE])) == float(str(shares[fifth.WITH_REST])) < 0.3
    (line,) = tables.read(fifth.table(rows))[1]
    assert line["pool"] == "made, shift"
    assert float(line["everything"]) > 0.6


def test_a_cross_encoder_is_measured_beside_the_student(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "LEAST_ROWS", 50)
    for name in ("LEAST_STEPS", "MOST_STEPS"):
        monkeypatch.setattr(cross_training, name, 2)
    found = cross_encoder.measured(material, embed_words)
    assert all(0 <= float(str(found[name])) <= 1 for name in ("student", "cross-encoder", "mean of both"))
    assert float(str(found["ms_per_pair"])) > 0
    assert found["trial"]["judges"] + found["trial"]["learned"] == len(material.train)  # type: ignore[index]


def test_pairs_are_joined_anew_until_there_are_enough_to_time(material: Material) -> None:
    rows = enough(material, 300)
    assert len(set(rows.texts)) > len(material.train)
    queries = {material.pair.parts(text)[0] for text in material.train.texts}
    assert {material.pair.parts(text)[0] for text in rows.texts} == queries
    found = measured(material, 300, embed_words, 1)
    assert found["pairs"] == 300
    assert found["features"] in FEATURES


def test_a_run_of_one_set_leaves_the_rows_of_others(tmp_path: Path) -> None:
    page = tmp_path / "pairs.md"
    page.write_text("<!-- students -->\n<!-- end of students -->\n")
    line = "| set | labels | ours |\n| --- | --- | --- |\n| {} | all gold | {} |"
    tables.keep(page, {"students": line.format("one", 71.5) + "\n| two | all gold | 80.5 |"})
    tables.keep(page, {"students": joined(page, "students", line.format("two", 90.5))})
    assert [(row["set"], row["ours"]) for row in kept(page, "students")] == [("one", 71.5), ("two", 90.5)]


def test_signals_for_ranking_are_judged_on_queries_that_nothing_has_learned_from(material: Material) -> None:
    rows = list(ranking.compared(material, Ways(material, embed_words)))
    assert {(row["signal"], row["how"]) for row in rows} == {
        (one, how) for one in ranking.SIGNALS for how in ranking.HOW
    }
    assert all(-1 <= float(str(row[part])) <= 1 for row in rows for part in ("unseen", "test"))
    words = overlaps(material.pair, material.test.texts)
    assert np.array_equal(Ways(material, embed_words).words()[1], words.astype(np.float64))
    assert ranking.table(rows).count("\n") == len(rows) + 1


def test_z_scores_and_ranks_are_made_in_each_query() -> None:
    values, queries = np.array([1.0, 3.0, 10.0, 30.0]), np.array([0, 0, 2, 2])
    assert scaled(values, queries) == pytest.approx([-1, 1, -1, 1])
    assert fused(values, queries) == pytest.approx([1 / 62, 1 / 61, 1 / 62, 1 / 61])
