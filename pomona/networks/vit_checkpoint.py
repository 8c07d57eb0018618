"""Vision transformers that others trained, in folders as timm and Hugging Face save them.

Both are brought to timm's names first, so that shape and weights are read in one way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import read_json
from pomona.networks.vit import SIZES, VitShape

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

NAMES: tuple[tuple[str, str], ...] = (
    (r"^(vit|deit|dinov2|dinov2_with_registers|model)\.", ""),
    (r"^encoder\.", ""),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.distillation_token$", "dist_token"),
    (r"^embeddings\.register_tokens$", "reg_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^(layer|layers)\.", "blocks."),
    (r"\.attention\.(attention\.query|q_proj)\.", ".attn.q."),
    (r"\.attention\.(attention\.key|k_proj)\.", ".attn.k."),
    (r"\.attention\.(attention\.value|v_proj)\.", ".attn.v."),
    (r"\.attention\.(output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"^layernorm\.", "norm."),
    (r"^pooler\.dense\.", "pre_logits.fc."),
    (r"^(cls_)?classifier\.", "head."),
    (r"^distillation_classifier\.", "head_dist."),
)
"""Names of Hugging Face, of either generation, and what timm calls the same; applied in order."""


@dataclass(frozen=True, eq=False)
class VitCheckpoint:
    """A vision transformer as it was saved, its tensors under timm's names."""

    shape: VitShape
    grid: tuple[int, int]
    """Rows and columns of patches that its positions are for."""
    channels: int
    classes: tuple[str, ...]
    """Names of what its head tells apart; empty where it has no head."""
    mean: tuple[float, ...]
    """Of every channel, in 0 … 1, that was subtracted from pixels."""
    std: tuple[float, ...]
    tensors: Mapping[str, Tensor]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images that it was trained on."""
        return self.grid[0] * self.shape.patch, self.grid[1] * self.shape.patch


def is_checkpoint(path: Path) -> bool:
    """Whether this is a folder of a network that others saved."""
    return (path / "config.json").is_file() and any(path.glob("*.safetensors"))


def read_vit(folder: str | Path) -> VitCheckpoint:
    """The vision transformer in a folder. Raises ArtifactError for what is none, or one of another kind."""
    folder = Path(folder)
    if not is_checkpoint(folder):
        raise ArtifactError(f"{folder} should hold config.json and .safetensors of a vision transformer")
    try:
        config = read_json(folder / "config.json")
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / 'config.json'} is not readable as JSON: {error}") from None
    tensors = {timm_name(name): tensor for name, tensor in _tensors(folder).items()}
    _check(folder, config, tensors)
    shape = _shape(folder, config, tensors)
    cleaned = config.get("pretrained_cfg") or _preprocessor(folder)
    return VitCheckpoint(
        shape=shape,
        grid=_grid(config, tensors, shape),
        channels=tensors["patch_embed.proj.weight"].shape[1],
        classes=_classes(config, tensors),
        mean=tuple(cleaned.get("mean") or cleaned.get("image_mean") or IMAGENET_MEAN),
        std=tuple(cleaned.get("std") or cleaned.get("image_std") or IMAGENET_STD),
        tensors=tensors,
    )


def timm_name(name: str) -> str:
    """What timm calls a tensor.

    >>> timm_name("vit.encoder.layer.3.attention.output.dense.weight")
    'blocks.3.attn.proj.weight'
    """
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _tensors(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            found |= load_file(path)
        except (SafetensorError, OSError) as error:
            raise ArtifactError(f"{path} is not readable as safetensors: {error}") from error
    return {name: tensor.float() for name, tensor in found.items()}


def _check(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raises ArtifactError for what this reader would compute wrongly."""
    if "patch_embed.proj.weight" not in tensors or "blocks.0.norm1.weight" not in tensors:
        raise ArtifactError(f"{folder} holds no vision transformer: it has no patches or no layers")
    activation = config.get("hidden_act", "gelu")
    if activation != "gelu":
        raise ArtifactError(f"{folder} has the activation {activation}; only gelu is read")
    for name in tensors:
        if not KNOWN.match(name):
            raise ArtifactError(f"{folder} has the tensor {name}, which no plain vision transformer has")
    width = tensors["patch_embed.proj.weight"].shape[0]
    if "head.weight" in tensors and _read_width(tensors, width) != tensors["head.weight"].shape[1]:
        raise ArtifactError(f"{folder} has a head that reads other than class tokens: save it without")


KNOWN = re.compile(
    r"(cls_token|dist_token|reg_token|pos_embed|embeddings\.mask_token|mask_token)$"
    r"|(patch_embed\.proj|norm|fc_norm|pre_logits\.fc|head|head_dist)\.(weight|bias)$"
    r"|blocks\.\d+\.(norm[12]|attn\.(qkv|q|k|v|proj)|mlp\.fc[12])\.(weight|bias)$|blocks\.\d+\.ls[12]\.gamma$"
)
"""Names of the tensors that are read, or that nothing reads in evaluation."""


def _read_width(tensors: Mapping[str, Tensor], width: int) -> int:
    return tensors["pre_logits.fc.weight"].shape[0] if "pre_logits.fc.weight" in tensors else width


def _shape(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> VitShape:
    width, _, patch, across = tensors["patch_embed.proj.weight"].shape
    inner = tensors["blocks.0.mlp.fc1.weight"].shape[0]
    if patch != across or inner % width:
        raise ArtifactError(
            f"{folder} has patches of {patch}×{across} and layers of {inner} for {width}: patches should be "
            "square and layers a multiple"
        )
    arguments = config.get("model_args") or {}
    pool = arguments.get("global_pool") or config.get("global_pool") or "token"
    return VitShape(
        width=width,
        depth=len({name.split(".")[1] for name in tensors if name.startswith("blocks.")}),
        heads=_heads(folder, config, arguments, width),
        patch=patch,
        expand=inner // width,
        class_tokens=("cls_token" in tensors) + ("dist_token" in tensors),
        registers=tensors["reg_token"].shape[-2] if "reg_token" in tensors else 0,
        positions="learned" if "pos_embed" in tensors else "none",
        pool="mean" if pool == "avg" or "fc_norm.weight" in tensors else "first",
        norm="after" if "fc_norm.weight" in tensors else "before",
        representation=_read_width(tensors, 0),
        layer_scale="blocks.0.ls1.gamma" in tensors,
        epsilon=float(config.get("layer_norm_eps", 1e-6)),
    )


def _heads(folder: Path, config: Mapping[str, Any], arguments: Mapping[str, Any], width: int) -> int:
    told = arguments.get("num_heads") or config.get("num_attention_heads")
    known = {size_width: heads for size_width, _, heads in SIZES.values()}
    if not (told or width in known):
        raise ArtifactError(f"{folder}/config.json should say num_heads: none is usual for the width {width}")
    return int(told or known[width])


def _grid(config: Mapping[str, Any], tensors: Mapping[str, Tensor], shape: VitShape) -> tuple[int, int]:
    """From the size of images, where it is told and fits the positions, else a square."""
    count = tensors["pos_embed"].shape[1] if "pos_embed" in tensors else 0
    told = (config.get("model_args") or {}).get("img_size") or config.get("image_size")
    told = told or ((config.get("pretrained_cfg") or {}).get("input_size") or [0])[1:]
    sides = [told, told] if isinstance(told, int) else list(told)
    if len(sides) == 2 and (not count or sides[0] * sides[1] // shape.patch**2 in _possible(count, shape)):
        return sides[0] // shape.patch, sides[1] // shape.patch
    side = next(int(n**0.5) for n in _possible(count, shape) if int(n**0.5) ** 2 == n)
    return side, side


def _possible(count: int, shape: VitShape) -> list[int]:
    """How many of the positions may be of patches: all, or without those of class tokens and registers."""
    return [count - shape.class_tokens - shape.registers, count - shape.class_tokens, count]


def _classes(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    if "head.weight" not in tensors:
        return ()
    names = config.get("label_names") or list((config.get("id2label") or {}).values())
    count = len(tensors["head.weight"])
    return tuple(map(str, names)) if len(names) == count else tuple(map(str, range(count)))


def _preprocessor(folder: Path) -> Mapping[str, Any]:
    path = folder / "preprocessor_config.json"
    return read_json(path) if path.is_file() else {}
