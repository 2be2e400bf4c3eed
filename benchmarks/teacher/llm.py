"""How good are an LLM's shortlists, by the way it is asked? A real LLM answers; the offline figures are elsewhere.

    python -m benchmarks.teacher.llm --data DIR --out FILE.json [--sets trec ag_news] [--rows 150] [--part test]
    python -m benchmarks.teacher.llm ... --teacher openai:<model> [--server http://host:port/v1]    # yours; costs money

Without --teacher a small LLM answers on this machine (see small_llm.py; another one by --llm FOLDER). All ways are
asked about the same texts. Examples are HUMAN labelled texts of the train part, the same for all ways. Rows: dataset,
way, coverage and top1 (of all texts: one without an answer counts as wrong) with Wilson 95 % intervals, set_size,
answered, abstained, unparsed, calls, tokens; `hits` and `covered` say it text by text, for paired comparisons. What
stands in FILE.json is not asked again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.shared.datasets import Part, gold_part, read_space, sample
from benchmarks.shared.small_llm import SmallLlm, unpack
from benchmarks.shared.small_llm_server import serving
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder
from model.evaluation import rate
from model.labels import LabelSpace
from model.teacher.base import Answer, State, Usage
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.example_writing import generate_examples
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.examples import Example

SETS = ("trec", "ag_news")
HUMAN = 100  # labels by people that examples are chosen from
WRITTEN = 2  # examples per label that the LLM writes itself, as by default
CHUNK = 50  # texts, after which progress is told


@dataclass(frozen=True)
class Way:
    """One way to ask. `examples`: none, fixed, nearest, or written by the LLM itself."""

    prompt: str = "all"
    examples: str = "none"
    together: int = 1  # texts in one call
    structured: bool = True  # the server holds answers to the schema

    @property
    def name(self) -> str:
        parts = [self.prompt, {"none": "no examples", "written": "written examples"}.get(self.examples, self.examples)]
        parts += [f"{self.together} texts per call"] if self.together > 1 else []
        return ", ".join(parts if self.structured else [*parts, "no schema"])


WAYS = (
    *(Way(prompt, examples) for examples in ("none", "fixed") for prompt in ("single", "all")),
    Way("all", "fixed", 5),
    Way("unsure", "fixed"),
    *(Way("all", examples) for examples in ("written", "nearest")),
    Way("all", "fixed", 10),
    *(Way("all", examples, 5) for examples in ("nearest", "none")),
    Way("unsure", "none"),
    *(Way("single", examples, 5) for examples in ("fixed", "none")),
    Way("single", "nearest"),
    Way("all", "fixed", structured=False),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask what is missing in the file; write after every way."""
    given = parsed(arguments)
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    rows: list[dict[str, Any]] = json.loads(given.out.read_text())["rows"] if given.out.is_file() else []
    known = {(row["dataset"], row["way"]) for row in rows}
    wanted = [(name, way) for way in given.ways for name in given.sets if (name, way.name) not in known]
    if not wanted:
        return
    with ExitStack() as stack:
        asked = teachers(given, stack)
        for name, way in wanted:
            space = read_space(given.data / name)
            part = sample(gold_part(given.data / name, given.part), given.rows)
            found = measured(options_for(way, asked), space, part, examples_for(given.data / name), embed)
            rows.append(
                {"what": "llm", "dataset": name, "way": way.name, "model": asked.label, "part": given.part, **found}
            )
            given.out.write_text(json.dumps({"rows": rows, "summary": {"model": asked.label}}, indent=1))
            print(
                json.dumps({key: value for key, value in rows[-1].items() if key not in ("hits", "covered")}),
                flush=True,
            )


@dataclass(frozen=True)
class Asked:
    """Who is asked: a teacher's options, with the addresses of a server with and without structured output."""

    label: str
    options: TeacherOptions
    plain_server: str = ""


def teachers(given: argparse.Namespace, stack: ExitStack) -> Asked:
    """The one that is named, or the small LLM on two servers of its own."""
    if given.teacher:
        named = TeacherOptions(
            given.teacher,
            openai_base_url=given.server,
            price=given.price,
            openai_api_key=os.environ.get("OPENAI_API_KEY", ""),
            anthropic_api_key=os.environ.get("ANTHROPIC_API_KEY", ""),
        )
        return Asked(given.teacher, named)
    place = given.llm
    if not place:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="small-llm-"))
        unpack(Path(place))
    llm = SmallLlm(place, given.threads)
    server, plain = stack.enter_context(serving(llm)), stack.enter_context(serving(llm, structured=False))
    label = Path(given.llm).name or "SmolLM2-135M-Instruct"
    return Asked(label, TeacherOptions("openai:small", openai_base_url=server, price="0,0"), plain)


def options_for(way: Way, asked: Asked) -> TeacherOptions:
    """What the product would be set to."""
    written = way.examples == "written"
    server = asked.options.openai_base_url if way.structured else asked.plain_server
    return replace(
        asked.options, prompt=way.prompt, openai_base_url=server, per_call=way.together,
        examples="fixed" if written else way.examples, examples_written=WRITTEN if written else 0,
    )  # fmt: skip


def examples_for(folder: Path) -> list[Example]:
    """The same labelled texts of the train part for every way."""
    part = sample(gold_part(folder, "train"), HUMAN)
    return [Example(text, label) for text, label in zip(part.texts, part.gold, strict=True)]


def measured(
    options: TeacherOptions, space: LabelSpace, part: Part, people: list[Example], embed: Embed
) -> dict[str, Any]:
    """Ask about all texts, and count."""
    started, spent = time.monotonic(), Usage()
    examples = people
    if options.examples_written:
        writer = make_teacher(options, space, embed)
        assert isinstance(writer, LlmTeacher)
        examples, spent = generate_examples(writer, options.examples_written)
    teacher = make_teacher(options, space, embed, examples)
    answers = [answer for texts in chunks(part.texts) for answer in teacher.shortlist(texts)]
    counted = figures(answers, part.gold)
    spent = sum((answer.usage for answer in answers), spent)
    written = len(examples) if options.examples_written else 0
    return {**counted, "examples_written": written, "calls": spent.calls, "input_tokens": spent.input_tokens,
            "cached_tokens": spent.cached_tokens, "output_tokens": spent.output_tokens,
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """CHUNK texts at a time."""
    return (texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK))


def figures(answers: Sequence[Answer], gold: Sequence[str]) -> dict[str, Any]:
    """Shares of all texts, with intervals; the mean size of the sets that there are."""
    sets = [answer.candidates.labels if answer.candidates else () for answer in answers]
    covered = [label in labels for labels, label in zip(sets, gold, strict=True)]
    hits = [labels[:1] == (label,) for labels, label in zip(sets, gold, strict=True)]
    found: dict[str, Any] = {"rows": len(gold)}
    for name, places in (("coverage", covered), ("top1", hits)):
        share = rate(sum(places), len(places))
        assert share is not None
        found |= {name: round(share.value, 4), f"{name}_low": round(share.low, 4), f"{name}_high": round(share.high, 4)}
    sizes = [len(labels) for labels in sets if labels]
    found["set_size"] = round(sum(sizes) / len(sizes), 3) if sizes else None
    found |= {state.value: sum(answer.state is state for answer in answers) for state in State}
    bits = {"hits": hits, "covered": covered}
    return found | {name: "".join("01"[place] for place in places) for name, places in bits.items()}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--part", default="test", choices=["train", "test"])
    parser.add_argument("--only", nargs="*", default=[], help="only ways whose name contains one of these")
    parser.add_argument("--llm", default="", help="folder or hub name of an instruct model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--teacher", default="", help="a provider's model instead; keys come from the environment")
    parser.add_argument("--server", default="", help="OPENAI_BASE_URL")
    parser.add_argument("--price", default="", help="TEACHER_PRICE")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "shortlist" / "embeddings")
    given = parser.parse_args(arguments)
    ways = [way for way in WAYS if not given.only or any(part in way.name for part in given.only)]
    given.ways = [way for way in ways if way.structured or not given.teacher]
    return given


if __name__ == "__main__":
    main()
