"""BigBird's weights from a folder of Hugging Face's port: config.json and model.safetensors.

A folder of several files with an index is read too. Nothing is fetched and no code of the folder is run.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pomona.foundation.errors import DataError
from pomona.foundation.files import read_json
from pomona.networks.bigbird import BigBirdEncoder, BigBirdSettings
from pomona.networks.bigbird_heads import Classifier, MaskedLanguageModel, SpanFinder, Tagger

Head = Literal["none", "masked-language", "classes", "span", "tags"]
Faithful = Literal["no", "release", "port"]


def load_bigbird(
    folder: str | Path, *, head: Head = "none", num_steps: int | None = None, faithful: Faithful = "no"
) -> nn.Module:
    """The model of a folder, in evaluation mode, for inputs of up to `num_steps` tokens.

    Weights for the head have to be there too, but for "none". Raises DataError when the folder is none of
    BigBird's or lacks something.
    """
    folder = Path(folder)
    try:
        config = read_json(folder / "config.json")
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} has no readable config.json: {error}; give a folder of a model") from None
    settings = settings_of(config, num_steps=num_steps, faithful=faithful)
    weights = read_weights(folder)
    model = _model(settings, head, weights)
    wanted = model_weights(weights, settings, head)
    missing = [name for name in model.state_dict() if name not in wanted]
    if missing:
        raise DataError(f"{folder} lacks {missing[0]!r}, needed for the head {head!r}; choose another head")
    model.load_state_dict(wanted)
    return model.eval()


def settings_of(config: dict[str, Any], *, num_steps: int | None, faithful: Faithful) -> BigBirdSettings:
    """The settings that a config.json tells. Raises DataError when it is of another model."""
    if config.get("model_type") != "big_bird":
        raise DataError(f"config.json is of a {config.get('model_type')!r}, wanted 'big_bird'")
    known = {
        "num_positions": "max_position_embeddings",
        "num_tokens": "vocab_size",
        "num_types": "type_vocab_size",
        "width": "hidden_size",
        "num_layers": "num_hidden_layers",
        "num_heads": "num_attention_heads",
        "inner_width": "intermediate_size",
        "block_size": "block_size",
        "num_random": "num_random_blocks",
        "activation": "hidden_act",
        "norm_epsilon": "layer_norm_eps",
        "dropout": "hidden_dropout_prob",
        "rescale": "rescale_embeddings",
        "use_bias": "use_bias",
    }
    told = {ours: config[theirs] for ours, theirs in known.items() if theirs in config}
    told["num_steps"] = num_steps or told.get("num_positions", BigBirdSettings.num_steps)
    settings = BigBirdSettings(faithful=faithful, **told)
    is_full = config.get("attention_type", "block_sparse") == "original_full"
    return replace(settings, attention="full") if is_full else settings


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, from one file or from those of its index. Raises DataError without either."""
    from safetensors.torch import load_file

    index = folder / "model.safetensors.index.json"
    names = ["model.safetensors"]
    if index.exists():
        names = sorted(set(read_json(index)["weight_map"].values()))
    weights: dict[str, Tensor] = {}
    for name in names:
        # an index that names a file elsewhere is nobody's honest index
        if Path(name).name != name or not (folder / name).exists():
            raise DataError(f"{folder} has no {name}; weights are wanted as safetensors")
        weights |= load_file(folder / name)
    return weights


def model_weights(weights: dict[str, Tensor], settings: BigBirdSettings, head: Head) -> dict[str, Tensor]:
    """Our names → tensors, as far as the folder has them."""
    found: dict[str, Tensor] = {}
    below = "" if head == "none" else "encoder."
    plain = {name.removeprefix("bert."): tensor for name, tensor in weights.items()}
    for ours, theirs in {**_encoder_names(settings, below), **HEAD_NAMES[head]}.items():
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in plain:
                found[f"{ours}.{kind}"] = plain[f"{theirs}.{kind}"]
    for index in range(settings.num_layers):
        attention = f"{below}layers.{index}.0.branch.0.project_in"
        for kind in ("weight", "bias"):
            start = f"encoder.layer.{index}.attention.self"
            theirs = [f"{start}.{part}.{kind}" for part in ("query", "key", "value")]
            if all(name in plain for name in theirs):
                found[f"{attention}.{kind}"] = torch.cat([plain[name] for name in theirs])
            elif kind == "bias" and not settings.use_bias:
                found[f"{attention}.bias"] = torch.zeros(3 * settings.width)
    if head == "masked-language":
        found["decode.weight"] = found[f"{below}tokens.weight"]
        found["decode.bias"] = plain.get("cls.predictions.bias", plain.get("cls.predictions.decoder.bias"))  # type: ignore[assignment]
    return found


def _encoder_names(settings: BigBirdSettings, below: str) -> dict[str, str]:
    names = {
        "tokens": "embeddings.word_embeddings",
        "positions": "embeddings.position_embeddings",
        "types": "embeddings.token_type_embeddings",
        "norm": "embeddings.LayerNorm",
    }
    for index in range(settings.num_layers):
        ours, theirs = f"layers.{index}", f"encoder.layer.{index}"
        names[f"{ours}.0.branch.0.project_out"] = f"{theirs}.attention.output.dense"
        names[f"{ours}.0.after"] = f"{theirs}.attention.output.LayerNorm"
        names[f"{ours}.1.branch.0.0"] = f"{theirs}.intermediate.dense"
        names[f"{ours}.1.branch.0.2"] = f"{theirs}.output.dense"
        names[f"{ours}.1.after"] = f"{theirs}.output.LayerNorm"
    return {below + ours: theirs for ours, theirs in names.items()}


HEAD_NAMES: dict[str, dict[str, str]] = {
    "none": {},
    "masked-language": {
        "transform": "cls.predictions.transform.dense",
        "norm": "cls.predictions.transform.LayerNorm",
    },
    "classes": {"dense": "classifier.dense", "out": "classifier.out_proj"},
    "span": {
        "layer.branch.0.0": "qa_classifier.intermediate.dense",
        "layer.branch.0.2": "qa_classifier.output.dense",
        "layer.after": "qa_classifier.output.LayerNorm",
        "out": "qa_classifier.qa_outputs",
    },
    "tags": {"out": "classifier"},
}
"""Head → our parts → the port's."""


def _model(settings: BigBirdSettings, head: Head, weights: dict[str, Tensor]) -> nn.Module:
    if head == "none":
        return BigBirdEncoder(settings)
    if head == "masked-language":
        return MaskedLanguageModel(settings)
    if head == "span":
        return SpanFinder(settings)
    last = HEAD_NAMES[head]["out"] + ".weight"
    if last not in weights:
        raise DataError(f"the folder lacks weights of {last!r} for the head {head!r}; choose another head")
    num_classes = len(weights[last])
    return Classifier(settings, num_classes) if head == "classes" else Tagger(settings, num_classes)
