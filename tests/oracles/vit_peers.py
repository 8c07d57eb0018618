"""Records small vision transformers of timm and transformers: `python vit_peers.py vit_peers.npz`.

Run in the environment of benchmarks/peers/vit.txt. Arrays NAME/config (the folder's config.json as text),
NAME/files/TENSOR (what the saved safetensors file holds, weights rounded to float16), NAME/image and
NAME/output. Every weight is drawn anew, so that nothing is zero or one.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from timm.models._hub import save_for_hf
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

SIZES = {"img_size": 16, "patch_size": 4, "embed_dim": 32, "depth": 2, "num_heads": 4, "num_classes": 5}
HUGGING = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 16, "patch_size": 4, "num_labels": 5,
}  # fmt: skip

POOLED = {"mlp_ratio": 2, "global_pool": "avg"}
TIMM = {
    "plain": (VisionTransformer, {"mlp_ratio": 2}),
    "mean": (VisionTransformer, POOLED | {"class_token": False}),
    "registers": (
        VisionTransformer,
        POOLED | {"mlp_ratio": 1, "reg_tokens": 2, "init_values": 1.0},
    ),
    "places": (
        VisionTransformer,
        {"mlp_ratio": 1, "reg_tokens": 2, "no_embed_class": True, "qkv_bias": False},
    ),
    "wide": (VisionTransformer, {"mlp_ratio": 1, "img_size": (8, 24)}),
    "distilled": (VisionTransformerDistilled, {"mlp_ratio": 1}),
}


def main() -> None:
    """Builds, saves and runs all of them."""
    torch.manual_seed(0)
    arrays: dict[str, np.ndarray] = {}
    for name, (kind, args) in TIMM.items():
        args = {**SIZES, **args}
        model = drawn(kind(**args))
        size = args["img_size"]
        height, width = size if isinstance(size, tuple) else (size, size)
        pixels = {"input_size": (3, height, width), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4)}
        model.pretrained_cfg = {"architecture": "vit", "num_classes": 5, **pixels}
        model.global_pool = args.get("global_pool", "token")
        with tempfile.TemporaryDirectory() as folder:
            save_for_hf(model, folder, model_args=args, safe_serialization=True)
            record(arrays, f"timm-{name}", Path(folder), model, (height, width), model)
    hugging = {
        "classifier": ViTForImageClassification(ViTConfig(**HUGGING)),
        "pooler": ViTModel(ViTConfig(**HUGGING)),
        "deit": DeiTForImageClassification(DeiTConfig(**HUGGING)),
        "dinov2": Dinov2WithRegistersModel(
            Dinov2WithRegistersConfig(**{**HUGGING, "mlp_ratio": 2, "num_register_tokens": 2})
        ),
    }
    for name, model in hugging.items():
        drawn(model)
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            record(arrays, f"hf-{name}", Path(folder), model, (16, 16), reading(name, model))
    np.savez_compressed(sys.argv[1], **arrays)


def reading(name: str, model: torch.nn.Module):
    """The output of a model of transformers as one tensor."""

    def run(image: torch.Tensor) -> torch.Tensor:
        said = model(pixel_values=image)
        return said.logits if name in ("classifier", "deit") else said.pooler_output

    return run


@torch.no_grad()
def drawn(model: torch.nn.Module) -> torch.nn.Module:
    """The model with weights that float16 holds."""
    for name, weight in model.named_parameters():
        scale = 0.5 if weight.ndim < 2 or "token" in name or "pos" in name else weight[0].numel() ** -0.5
        weight.copy_((torch.randn_like(weight) * scale + (weight.ndim < 2)).half().float())
    return model.eval()


@torch.no_grad()
def record(arrays, name, folder, model, size, run) -> None:
    """Adds one folder, an input and what comes out of it."""
    image = torch.randn(2, 3, *size)
    (path,) = folder.glob("*.safetensors")
    arrays[f"{name}/config"] = np.array(json.dumps(json.loads((folder / "config.json").read_text())))
    arrays |= {f"{name}/files/{key}": value.astype(np.float16) for key, value in load_file(path).items()}
    arrays[f"{name}/image"], arrays[f"{name}/output"] = image.numpy(), run(image).numpy()


if __name__ == "__main__":
    main()
