"""How good is the offline similarity teacher, and what would an LLM cost?

    python -m benchmarks.teacher --data DIR --out FILE.json [--part train] [--rows 2000] [--only cost|quality] [--quick]

Quality (`what` = quality): coverage, mean set size, beta, F1, top-1 accuracy, and the coverage of the nearest 10, 20
and 30 labels. Cost (`what` = cost): estimated tokens and US dollars per 1,000 tasks for every way to ask an LLM, by the
dated price table and for several models; no LLM is called, the tokens are estimates. Beside each way of showing labels
stands the share of texts whose true label is shown at all, and whether it is the way that LABELS_SHOWN=auto takes.

What stands in FILE.json is not measured again, so that a run can be interrupted. How good an LLM's shortlists are is
measured by benchmarks.teacher.llm.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.datasets import Part, gold_part, read_space, sample
from benchmarks.shared.folders import plain_sets
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.evaluation import candidate_report
from model.labels import LabelSpace
from model.teacher.prompting.answers import render
from model.teacher.prompting.composing import Composer, likely_sent
from model.teacher.prompting.examples import Example, Examples
from model.teacher.prompting.narrowing import SHOWN, Narrowing, shown_labels
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.prompting.tokens import estimate_tokens
from model.teacher.providers.prices import Price, price_of, prices_as_of
from model.teacher.providers.provider import Request
from model.teacher.similarity import MASS, TEMPERATURE, SimilarityTeacher

SETS = ("banking77", "ag_news", "trec", "medical_abstracts", "csabstruct", "dbpedia14")
COSTED = ("banking77", "trec")
COSTED_TEXTS = 200


def main() -> None:
    """Measure and write one file."""
    given = arguments()
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    rows: list[dict[str, Any]] = json.loads(given.out.read_text())["rows"] if given.out.is_file() else []
    known = {(row["what"], row["dataset"], row.get("model")) for row in rows}
    settings = {"temperature": TEMPERATURE, "mass": MASS, "part": given.part, "prices": prices_as_of()}
    names = plain_sets(given.data, SETS, (given.part,))
    costed = [name for name in COSTED if name in names] or names[:1]
    for name in names:
        folder, found = given.data / name, list[dict[str, Any]]()
        space, part = read_space(folder), sample(gold_part(folder, given.part), given.rows)
        if given.only != "cost" and ("quality", name, None) not in known:
            found += quality_rows(name, space, part, embed, given)
        if given.only != "quality" and name in costed:
            for model in given.models.split(","):
                if ("cost", name, model) not in known:
                    found += cost_rows(name, space, part, embed, model)
        for row in found:
            print(json.dumps(row), flush=True)
        rows += found
        given.out.write_text(json.dumps({"rows": rows, "summary": settings}, indent=1))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="train", choices=["train", "test"])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--models", default="anthropic:claude-haiku-5-5,openai:gpt-6-luna,anthropic:claude-sonnet-5-5")
    parser.add_argument("--only", default="all", choices=["all", "cost", "quality"])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    given.rows = min(given.rows, 300) if given.quick else given.rows
    return given


def quality_rows(
    name: str, space: LabelSpace, part: Part, embed: Embed, given: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Of the candidate sets, and of the nearest labels as a shortlist for an LLM."""
    vectors = embed(part.texts)
    known = dict(zip(part.texts, range(len(part)), strict=True))
    teacher = SimilarityTeacher(
        space, lambda texts: vectors[[known[text] for text in texts]] if texts[0] in known else embed(texts)
    )
    base: dict[str, Any] = {"what": "quality", "dataset": name, "part": given.part, "rows": len(part)}
    answers = [answer.candidates for answer in teacher.shortlist(part.texts)]
    kept = [(found.labels, gold) for found, gold in zip(answers, part.gold, strict=True) if found]
    report = candidate_report([labels for labels, _ in kept], [gold for _, gold in kept], len(space))
    values = {
        "coverage": report.coverage.value if report.coverage else None,
        "set_size": report.set_size,
        "beta": report.beta,
        "f1": report.f1,
        "top1": report.top1.value if report.top1 else None,
    }
    order = np.argsort(-teacher.probabilities(part.texts), axis=1)
    gold = np.array([space.index(label) for label in part.gold])[:, None]
    values |= {f"nearest_{k}": float((order[:, :k] == gold).any(axis=1).mean()) for k in (10, 20, 30) if k < len(space)}
    yield {**base, **{key: value if value is None else round(value, 4) for key, value in values.items()}}


def cost_rows(name: str, space: LabelSpace, part: Part, embed: Embed, model: str) -> Iterator[dict[str, Any]]:
    """Per 1,000 tasks: strategies, prefix caching, examples, a shortlist of labels, batches, several texts per call."""
    price, texts = price_of(model), part.texts[:COSTED_TEXTS]
    pool = [Example(text, label) for text, label in zip(part.texts, part.gold, strict=True)]
    narrowing = Narrowing(space, embed, SHOWN)
    for strategy, named in ((Strategy.SINGLE, 1), (Strategy.ALL, 2)):
        prompt = Prompt(space, strategy, 5)
        output = estimate_tokens(render(space.names[:named]))
        plain = Composer(prompt)
        prefix = estimate_tokens(prompt.system())
        cached = prefix if prefix >= price.prefix else 0.0
        sent = mean_sent(plain.requests(texts))
        exemplified = mean_sent(Composer(prompt, Examples(pool, embed, 10)).requests(texts))
        groups = [texts[start : start + 5] for start in range(0, len(texts), 5)]
        ways = {
            "plain": (sent, 0.0, 1),
            "cached": (sent, cached, 1),
            "10 examples, cached": (exemplified, cached, 1),
            "5 texts per call, cached": (mean_sent([plain.together(group) for group in groups]), cached, 5),
        }
        if len(space) > SHOWN:
            ways[f"{SHOWN} labels"] = (mean_sent(Composer(prompt, narrowing=narrowing).requests(texts)), 0.0, 1)
        narrow = share_shown(narrowing, texts, part.gold[:COSTED_TEXTS])
        automatic = shown_labels(space) == len(space)
        for way, (tokens, kept, per_call) in ways.items():
            few = way == f"{SHOWN} labels"
            more = {"model": model, "true_label_shown": narrow if few else 1.0, "automatic": few != automatic}
            for batch in (False, True):
                yield cost_row(name, strategy, way, price, (tokens, kept, per_call, output), batch) | more


def mean_sent(requests: Sequence[Request]) -> float:
    """Tokens of a request, on average."""
    return float(np.mean([likely_sent(request) for request in requests]))


def share_shown(narrowing: Narrowing, texts: Sequence[str], gold: Sequence[str]) -> float:
    """Share of texts whose true label is among those shown."""
    shown = narrowing.labels(texts)
    hits = [any(one.name == label for one in labels) for labels, label in zip(shown, gold, strict=True)]
    return round(float(np.mean(hits)), 4)


def cost_row(
    name: str, strategy: str, way: str, price: Price, tokens: tuple[float, float, int, int], batch: bool
) -> dict[str, Any]:
    """One way to ask, per 1,000 tasks."""
    sent, cached, per_call, output = tokens
    calls = 1000 / per_call
    dollars = ((sent - cached) * price.input + cached * price.cached) * calls / 1e6 + 1000 * output * price.output / 1e6
    return {
        "what": "cost",
        "dataset": name,
        "strategy": str(strategy),
        "way": way + (", batch" if batch else ""),
        "input_tokens": round(sent * calls),
        "cached_tokens": round(cached * calls),
        "output_tokens": 1000 * output,
        "usd": round(dollars * (price.batch if batch else 1), 5),
    }


if __name__ == "__main__":
    main()
