"""Records what laplace-torch says of fixed networks: `python laplace_torch.py laplace_torch.npz`.

Run in the environment of benchmarks/peers/uncertainty_methods.txt. For each case: the weights, training
examples, inputs and, for two structures of the posterior, the variance of every raw output, the probabilities
by the probit approximation, and by how much the log evidence of precision 5 exceeds that of precision 2.
"""

import sys

import numpy as np
import torch
from laplace import Laplace
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PRECISION, OTHER_PRECISION, NOISE = 2.0, 5.0, 0.3


def main() -> None:
    """Draws networks and data, fits posteriors and writes the file."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    dense = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))
    values = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    images = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 2 * 3, 4)
    )
    arrays = {}
    cases = {"classify": (dense, (3,), 4), "regress": (values, (3,), 0), "image": (images, (1, 4, 6), 4)}
    for name, (network, shape, num_classes) in cases.items():
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.7)
        x, asked = torch.randn(30, *shape), torch.randn(6, *shape)
        y = torch.randint(0, num_classes, (30,)) if num_classes else torch.randn(30, 2)
        arrays |= {f"{name}/x": x, f"{name}/asked": asked, f"{name}/y": y}
        arrays |= {f"{name}/weights/{key}": weight for key, weight in network.state_dict().items()}
        arrays |= posteriors(network, name, x, y, asked)
    np.savez_compressed(sys.argv[1], **{key: value.detach().numpy() for key, value in arrays.items()})


def posteriors(
    network: nn.Module, name: str, x: torch.Tensor, y: torch.Tensor, asked: torch.Tensor
) -> dict[str, torch.Tensor]:
    """What both structures say."""
    likelihood = "regression" if y.is_floating_point() else "classification"
    noise = {"sigma_noise": NOISE} if likelihood == "regression" else {}
    found = {}
    for subset, structure in (("last_layer", "full"), ("all", "kron")):
        posterior = Laplace(
            network,
            likelihood,
            subset_of_weights=subset,
            hessian_structure=structure,
            prior_precision=PRECISION,
            **noise,
        )
        posterior.fit(DataLoader(TensorDataset(x, y), batch_size=len(x)))
        key = f"{name}/{structure}"
        if likelihood == "regression":
            _, covariance = posterior(asked)
            found[f"{key}/variance"] = covariance.diagonal(dim1=1, dim2=2)
        else:
            found[f"{key}/probabilities"] = posterior(asked, link_approx="probit")
            _, covariance = posterior._glm_predictive_distribution(asked)
            found[f"{key}/variance"] = covariance.diagonal(dim1=1, dim2=2)
        evidence = posterior.log_marginal_likelihood(torch.tensor(PRECISION)).detach().clone()
        found[f"{key}/evidence"] = posterior.log_marginal_likelihood(torch.tensor(OTHER_PRECISION)) - evidence
    return found


if __name__ == "__main__":
    main()
