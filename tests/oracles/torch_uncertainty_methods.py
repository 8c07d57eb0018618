"""Records parts of torch-uncertainty: `python torch_uncertainty_methods.py torch_uncertainty_methods.npz`.

Run in the environment of benchmarks/peers/uncertainty_methods.txt: layers of a BatchEnsemble with given
vectors, the loss of evidential networks, tilted absolute errors, and what SWAG remembers of four networks.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch_uncertainty.layers import BatchConv2d, BatchLinear
from torch_uncertainty.losses import DECLoss, PinballLoss
from torch_uncertainty.methods import SWAG

MEMBERS, EXAMPLES = 3, 5


def main() -> None:
    """Draws inputs, runs every part and writes the file."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    arrays = {}
    layers = {
        "linear": (BatchLinear(4, 6, MEMBERS), (4,)),
        "convolution": (BatchConv2d(2, 4, 3, MEMBERS, padding=1), (2, 5, 6)),
    }
    for name, (layer, shape) in layers.items():
        nn.init.normal_(layer.bias)
        x = torch.randn(EXAMPLES, *shape)
        inner = layer.linear if name == "linear" else layer.conv
        arrays |= {f"{name}/x": x, f"{name}/weight": inner.weight, f"{name}/bias": layer.bias}
        arrays |= {f"{name}/inward": layer.r_group, f"{name}/outward": layer.s_group}
        arrays[f"{name}/y"] = layer(x.repeat(MEMBERS, *[1] * len(shape))).unflatten(0, (MEMBERS, EXAMPLES))
    evidence, target = torch.rand(8, 4) * 3, torch.randint(0, 4, (8,))
    loss = DECLoss(reg_weight=0.7, loss_type="digamma")
    arrays |= {"evidence": evidence, "class": target, "evidential": loss(evidence, target)}
    values, truth = torch.randn(8), torch.randn(8)
    arrays |= {"values": values, "truth": truth}
    arrays["pinball"] = torch.stack([PinballLoss(level)(values, truth) for level in (0.25, 0.5, 0.75)])
    arrays |= swag()
    np.savez_compressed(sys.argv[1], **{key: value.detach().numpy() for key, value in arrays.items()})


def swag() -> dict[str, torch.Tensor]:
    """The weights of four networks and what SWAG remembers of them."""
    network = nn.Linear(3, 2)
    wrapped = SWAG(network, cycle_start=0, cycle_length=1, var_clamp=1e-30)
    snapshots = []
    for epoch in range(1, 5):
        nn.init.normal_(network.weight)
        snapshots.append(network.weight.detach().clone())
        wrapped.update_wrapper(epoch)
    stats = {key.removeprefix(wrapped.prfx): value for key, value in wrapped.swag_stats.items()}
    mean = stats["weight_mean"]
    return {
        "swag/snapshots": torch.stack(snapshots),
        "swag/mean": mean,
        "swag/variance": stats["weight_sq_mean"] - mean**2,
        "swag/deviations": stats["weight_covariance_sqrt"],
    }


if __name__ == "__main__":
    main()
