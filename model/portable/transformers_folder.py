"""A student as a folder that transformers loads without Shortlist: weights, tokenizer, code, model card."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from model.errors import ArtifactError
from model.pair_views import JOINED
from model.portable.questions import described, write_code
from model.student.crossed import CrossedStudent
from model.student.loading import load_student

if TYPE_CHECKING:
    from model.encoder.encoder import Encoder
    from model.encoder.loading import Checkpoint
    from model.portable.transformers_code import Head, StudentForSequenceClassification
    from model.student.adapted import AdaptedStudent
    from model.student.finetuned import FinetunedStudent
    from model.student.head import HeadStudent

CODE = "student_model.py"
NEEDS = "torch and transformers"
EXAMPLE = """from transformers import pipeline
classify = pipeline("text-classification", model="{folder}", trust_remote_code=True)
print(classify("{text}"))"""


def write_portable(stored: Path, folder: Path, facts: Mapping[str, object], text: str) -> str:
    """Write the student stored in `stored` to the new folder `folder`; `facts` and `text` (an example) go on its card.
    The code that uses it, with the fields `folder` and `text`.

    ArtifactError if the folder exists already, or the student is of a kind that has no such form.
    """
    student: Any = by_itself(load_student(stored))
    new_folder(folder)
    model, checkpoint = portable_model(student)
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(enumerate(student.space.names))
    model.config.id2label, model.config.label2id = names, {name: number for number, name in names.items()}
    model.config.architectures = [type(model).__name__]
    module = CODE.removesuffix(".py")
    model.config.auto_map = {
        "AutoConfig": f"{module}.StudentConfig",
        "AutoModelForSequenceClassification": f"{module}.StudentForSequenceClassification",
    }
    if model.config.questions[0]["kind"] != "one" or student.space.questions:  # pipelines know no other kind
        classes = {"impl": f"{module}.StudentPipeline", "pt": ["AutoModelForSequenceClassification"]}
        model.config.custom_pipelines = {"text-classification": classes}
    model.eval().save_pretrained(folder)
    tokenizer_with_prefix(checkpoint).save_pretrained(folder)
    write_code("transformers_code.py", folder / CODE, ".")
    card = card_text(student, facts, EXAMPLE, "transformers", text, folder.name)
    (folder / "README.md").write_text(card, encoding="utf-8")
    for file in folder.iterdir():  # safetensors writes for its owner alone
        file.chmod((folder / "README.md").stat().st_mode)
    return EXAMPLE


def by_itself(student: Any) -> Any:
    """The student without a cross-encoder, which no portable form has; its temperature stays that of both."""
    if not isinstance(student, CrossedStudent):
        return student
    student.alone.temperature = student.temperature
    return student.alone


def new_folder(folder: Path) -> None:
    """ArtifactError if something is in it already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArtifactError(f"{folder} is not empty: name a new folder")


def portable_model(student: Any) -> tuple[StudentForSequenceClassification, Checkpoint]:
    """The whole student as one module of transformers, and the encoder that it was made of, with its usage.

    ArtifactError if the student is of a kind that has no such form.
    """
    if sees_each_text(student):
        raise ArtifactError(
            "a student of pairs sees each text by itself, which a pipeline of transformers cannot; export it with "
            "--format onnx"
        )
    if student.kind in ("head", "adapted"):
        return _of_head(student)
    if student.kind == "finetune":
        return _of_finetuned(student)
    raise ArtifactError(f"a student of kind {student.kind!r} cannot be exported as one model")


def sees_each_text(student: Any) -> bool:
    """Whether it answers about pairs whose two texts have vectors of their own."""
    view = getattr(student, "view", None)
    return view is not None and view.features != JOINED


def encoder_alone(student: HeadStudent | AdaptedStudent) -> tuple[StudentForSequenceClassification, Checkpoint]:
    """The student's encoder as one module of transformers, without its heads."""
    checkpoint = _encoder_of(student).checkpoint
    return _model(checkpoint, [], True, student), checkpoint


def card_text(student: Any, facts: Mapping[str, object], example: str, library: str, text: str, folder: str) -> str:
    """The model card, with the metadata that hubs read. `example` is code with the fields `folder` and `text`."""
    rows = [f"- {name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in facts.items()]
    words = json.dumps(shorten(text, 80, placeholder=" …"), ensure_ascii=False)[1:-1]
    encoder = "all-MiniLM-L6-v2 (Shortlist's default)" if student.encoder == "default" else student.encoder
    return "\n".join(
        [
            "---",
            f"library_name: {library}",
            "pipeline_tag: text-classification",
            "---",
            "",
            f"# {folder}",
            "",
            f"A text classifier over {len(student.space)} labels: {', '.join(student.space.names)}.",
            "",
            "```python",
            example.format(folder=folder, text=words),
            "```",
            "",
            *_kinds(student),
            f"- kind: {student.kind}",
            f"- encoder it started from: {encoder}",
            f"- temperature: {student.temperature:.4f}",
            *rows,
            "",
            "It learned with Shortlist from a teacher's candidate sets and people's labels, and repeats their mistakes "
            "where it could not tell them from the truth. It was made for texts like those it was trained on; on other "
            "texts its probabilities mean little.",
            "",
        ]
    )


def tokenizer_with_prefix(checkpoint: Checkpoint) -> Any:
    """A copy of the tokenizer that does to a text what its usage says; ArtifactError if it cannot."""
    tokenizer, usage = copy.deepcopy(checkpoint.tokenizer), checkpoint.usage
    tokenizer.model_max_length = usage.longest * usage.pieces
    if usage.prefix or usage.lower:
        from tokenizers import normalizers

        fast = getattr(tokenizer, "backend_tokenizer", None)
        if fast is None:
            raise ArtifactError(
                "the tokenizer has no fast form, and cannot put the encoder's prefix before texts by itself"
            )
        steps: list[Any] = [normalizers.Prepend(usage.prefix)] if usage.prefix else []
        steps += [normalizers.Lowercase()] if usage.lower else []
        fast.normalizer = normalizers.Sequence([*steps, fast.normalizer] if fast.normalizer else steps)
    return tokenizer


def _kinds(student: Any) -> list[str]:
    """What the card says of questions to which not just the likeliest label is the answer."""
    found = []
    for one in described(student):
        pairs = zip(one["labels"], one["thresholds"], strict=True)
        limits = ", ".join(f"{label} {limit:.4f}" for label, limit in pairs)
        meant = {
            "one": "one label is right",
            "ordered": "levels in order, answered by the median",
            "any": f"several labels may be right; each is meant from this probability on: {limits}",
        }[one["kind"]]
        found.append(f"- {one['name'] or 'the question'}: {meant}")
    return found if student.space.questions or student.space.groups[0].kind != "one" else []


def _of_head(student: HeadStudent | AdaptedStudent) -> tuple[StudentForSequenceClassification, Checkpoint]:
    """The model for heads on an encoder's vectors; one that is served in a faster number format is written in full."""
    encoder = _encoder_of(student)
    heads = [{"hidden": int(head["hidden"].shape[1]) if "hidden" in head else 0} for head in student.heads]
    model = _model(encoder.checkpoint, heads, True, student)
    for target, head in zip(model.heads, student.heads, strict=True):
        _fill(target, head)  # type: ignore[arg-type]
    return model, encoder.checkpoint


def _encoder_of(student: HeadStudent | AdaptedStudent) -> Encoder:
    from model.encoder.encoder import load_encoder
    from model.student.adapted import AdaptedStudent

    return student.own.trained if isinstance(student, AdaptedStudent) else load_encoder(student.encoder)


def _of_finetuned(student: FinetunedStudent) -> tuple[StudentForSequenceClassification, Checkpoint]:
    from model.encoder.loading import Checkpoint
    from model.encoder.pooling import Pooled
    from model.student.finetuned import beginning

    network, tokenizer, longest = student.parts
    usage = beginning(network.encoder.usage, longest)
    found = Checkpoint(tokenizer, Pooled(network.encoder.model, usage, network.encoder.dense()))
    model = _model(found, [{"hidden": 0}], False, student)
    model.heads[0].out.load_state_dict(network.classifier.state_dict())  # type: ignore[union-attr]
    return model, found


def _model(
    found: Checkpoint, heads: list[dict[str, int]], normalised: bool, student: Any
) -> StudentForSequenceClassification:
    from model.portable.transformers_code import StudentConfig, StudentForSequenceClassification

    encoder, layers = found.pooled.model, found.pooled.layers
    dense = [
        {"in": layer.in_features, "out": layer.out_features, "bias": layer.bias is not None, "activation": activation}
        for layer, activation in zip(layers, found.usage.dense, strict=True)
    ]
    usage = {name: value for name, value in found.usage.to_json().items() if name not in ("prefix", "lower", "dense")}
    inner = encoder.config.to_dict()
    sharpness, questions, labels = 1 / student.temperature, described(student), len(student.space)
    config = StudentConfig(inner, heads, normalised, sharpness, usage, dense, questions, num_labels=labels)
    if len(questions) == 1 and student.space.several:
        config.problem_type = "multi_label_classification"
    model = StudentForSequenceClassification(config)
    model.encoder.load_state_dict({name: tensor.float().cpu() for name, tensor in encoder.state_dict().items()})
    model.dense.load_state_dict(found.pooled.dense())
    return model


def _fill(target: Head, head: Mapping[str, Any]) -> None:
    """Copy the weights of one head; ours multiply from the right, torch's linear layers hold the transposed matrix."""
    import numpy as np
    import torch

    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(np.array(head[name], dtype=np.float32))

    with torch.no_grad():
        target.mean.copy_(tensor("mean"))
        target.scale.copy_(tensor("scale"))
        target.out.weight.copy_(tensor("out").T)
        target.out.bias.copy_(tensor("out_bias"))
        if target.hidden is not None:
            target.hidden.weight.copy_(tensor("hidden").T)
            target.hidden.bias.copy_(tensor("hidden_bias"))
