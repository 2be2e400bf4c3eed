"""What a model's own files say about its use: those of sentence-transformers, else nothing but the model.

No code that a model brings along is ever run, and no class that its files name is imported: the parts known here are
all there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.encoder.files import ModelFiles
from model.encoder.name import EncoderName
from model.encoder.prefixes import chosen_prompt
from model.errors import EncoderError

USAGE = "usage.json"  # of encoders that Shortlist wrote: adapted, fine-tuned, exported ones

# Ways of pooling, by the switches that older releases of sentence-transformers write, in the order of joining.
SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
NAMES = {  # theirs -> ours; a sum over the root of the length is a mean once it has length 1
    "cls": "cls", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "mean", "weightedmean": "weighted mean",
    "lasttoken": "last",
}  # fmt: skip
ACTIVATIONS = {"Identity": "identity", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid"}
HARMLESS = {  # arguments of a model that leave its numbers alone
    "add_pooling_layer", "attn_implementation", "cache_dir", "dtype", "low_cpu_mem_usage", "revision", "torch_dtype",
    "trust_remote_code", "unpad_inputs", "use_cache", "use_memory_efficient_attention", "use_safetensors",
}  # fmt: skip
SETTINGS = ("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
            "sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json")  # fmt: skip
OWN_CODE = {"nomic_bert"}  # types that transformers took over from code at the hub, whose files still name that code
OTHER = "choose another model, or `default`"


@dataclass(frozen=True)
class Published:
    """`below` is the folder of the transformer inside the model's, `layers` are the folders of dense layers with what
    they say of themselves. `told`: the files tell how one vector is made of the tokens."""

    below: str = ""
    told: bool = False
    pooling: tuple[str, ...] = ("mean",)
    with_prompt: bool = True
    prompt: str = ""
    longest: int | None = None
    lower: bool = False
    layers: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    kept: int = 0  # first numbers of a vector that are its whole; 0: all

    def dimension(self, hidden: int) -> int:
        """Length of the vectors, where the transformer's states have `hidden` numbers."""
        whole = int(self.layers[-1][1]["out_features"]) if self.layers else hidden * len(self.pooling)
        return min(self.kept or whole, whole)


def read_published(files: ModelFiles, name: EncoderName) -> Published:
    """What the files say; `name` may say otherwise. EncoderError says what of it cannot be followed here."""
    modules = files.json("modules.json")
    prompts = files.json("config_sentence_transformers.json") or {}
    prompt = name.prefix
    if prompt is None:
        named = {str(key): str(value or "") for key, value in (prompts.get("prompts") or {}).items()}
        prompt = chosen_prompt(named, prompts.get("default_prompt_name"), name.place)
    found = Published() if modules is None else _of_modules(files, name, modules)
    pooling = found.pooling if name.pooling is None else (name.pooling,)
    told = found.told or name.pooling is not None
    inside = f"{found.below}/" if found.below else ""
    _refuse_code(files, name, inside)
    longest, lower = _limits(files, name, inside)
    kept = int(prompts.get("truncate_dim") or 0)
    return Published(found.below, told, pooling, found.with_prompt, prompt, longest, lower, found.layers, kept)


def _refuse_code(files: ModelFiles, name: EncoderName, inside: str) -> None:
    config = files.json(f"{inside}config.json") or {}
    own = config.get("auto_map") or {}
    if "AutoModel" in own and config.get("model_type") not in OWN_CODE:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place} is computed by code of its own ({own['AutoModel']}), and Shortlist runs no "
            f"code that a model brings along; {OTHER}"
        )
    if files.path(f"{inside}adapter_config.json") is not None:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place} is an adapter (adapter_config.json) for another model; merge the two and "
            "name the folder of the whole model"
        )


def _of_modules(files: ModelFiles, name: EncoderName, modules: list[dict[str, Any]]) -> Published:
    below, pooling, with_prompt, layers = "", None, True, []
    normalised = False
    for number, module in enumerate(modules):
        kind, path = str(module.get("type", "")), str(module.get("path", ""))
        last = kind.rsplit(".", 1)[-1] if kind.startswith("sentence_transformers.") else kind
        if last == "Transformer" and number == 0:
            below = path
        elif last == "Pooling" and pooling is None:
            pooling, with_prompt = _pooling(files, name, path)
        elif last == "Dense" and pooling is not None and not normalised:
            layers.append((path, _dense(files, name, path)))
        elif last in ("Normalize", "Dropout"):
            normalised = normalised or last == "Normalize"
        else:
            raise EncoderError(
                f"STUDENT_ENCODER={name.place} has a part {kind!r} (modules.json), which Shortlist does not know: "
                f"without it the vectors would not be the model's; {OTHER}"
            )
    if pooling is None:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place}: modules.json has no Pooling, so that a text has no one vector"
        )
    return Published(below, True, pooling, with_prompt, layers=tuple(layers))


def _pooling(files: ModelFiles, name: EncoderName, path: str) -> tuple[tuple[str, ...], bool]:
    config = files.json(f"{path}/config.json") or {}
    modes = config.get("pooling_mode", [mode for switch, mode in SWITCHES.items() if config.get(switch)] or "mean")
    modes = [modes] if isinstance(modes, str) else list(modes)
    unknown = [mode for mode in modes if mode not in NAMES]
    if unknown:
        raise EncoderError(f"STUDENT_ENCODER={name.place}: its pooling {unknown[0]!r} is not known here; {OTHER}")
    return tuple(NAMES[mode] for mode in modes), bool(config.get("include_prompt", True))


def _dense(files: ModelFiles, name: EncoderName, path: str) -> Mapping[str, Any]:
    config: dict[str, Any] = files.json(f"{path}/config.json") or {}
    activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rsplit(".", 1)[-1]
    inputs = {
        config.get(key, "sentence_embedding") or "sentence_embedding"
        for key in ("module_input_name", "module_output_name")
    }
    if activation not in ACTIVATIONS or inputs != {"sentence_embedding"} or "out_features" not in config:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place}: its layer {path} is of a kind that is not known here; {OTHER}"
        )
    return {**config, "activation": ACTIVATIONS[activation]}


def _limits(files: ModelFiles, name: EncoderName, inside: str) -> tuple[int | None, bool]:
    """The longest input that the authors set, and whether they want lower case."""
    config: dict[str, Any] = next((found for file in SETTINGS if (found := files.json(inside + file)) is not None), {})
    asked: set[str] = set()
    for key in ("model_args", "model_kwargs", "config_args", "config_kwargs"):
        asked |= set(config.get(key) or {})
    task = config.get("transformer_task", "feature-extraction")
    if asked - HARMLESS or task != "feature-extraction":
        what = ", ".join(sorted(asked - HARMLESS)) or f"transformer_task={task}"
        raise EncoderError(
            f"STUDENT_ENCODER={name.place} is loaded with arguments that Shortlist does not know ({what}): its vectors "
            f"would be others; {OTHER}"
        )
    longest = config.get("max_seq_length")
    return (int(longest) if longest else None), bool(config.get("do_lower_case", False))
