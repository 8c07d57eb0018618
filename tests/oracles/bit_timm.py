"""Records two stages of timm's BiT ResNet: `python bit_timm.py bit_timm.npz`.

Run in the environment of benchmarks/peers/vit.txt. Arrays weights/NAME in timm's names, x and y.
"""

import sys
from functools import partial

import numpy as np
import torch
from timm.layers import GroupNormAct, StdConv2d
from timm.models.resnetv2 import ResNetV2


@torch.no_grad()
def main() -> None:
    """Draws the weights, runs the stages and writes the file."""
    torch.manual_seed(0)
    model = ResNetV2(
        [1, 2],
        channels=(64, 128),
        stem_chs=16,
        stem_type="",
        preact=True,
        conv_layer=partial(StdConv2d, eps=1e-8),
        norm_layer=partial(GroupNormAct, num_groups=8),
    ).eval()
    for weight in model.parameters():
        weight.copy_((torch.randn_like(weight) * 0.3 + (weight.ndim < 2)).half().float())
    x = torch.randn(2, 16, 9, 8)
    state = model.stages.state_dict()
    arrays = {f"weights/{name}": weight.numpy().astype(np.float16) for name, weight in state.items()}
    np.savez_compressed(sys.argv[1], x=x.numpy(), y=model.stages(x).numpy(), **arrays)


if __name__ == "__main__":
    main()
