"""Convolutions with standardised kernels (Qiao et al. 2019), which go with normalisation by groups."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

EPSILON = 1e-8


class StandardisedConvolution(nn.Module):
    """A 2-D convolution whose kernels are shifted and scaled to mean 0 and variance 1 at every use."""

    def __init__(self, convolution: nn.Conv2d):
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch new high wide"]:
        weight = standardised(self.convolution.weight)
        # the leaf itself is called, so that whatever hooks into leaves sees it
        return functional_call(self.convolution, {"weight": weight}, (x,))


def standardised(weight: Float[Tensor, "new channel high wide"]) -> Float[Tensor, "new channel high wide"]:
    """Each kernel minus its mean, over its deviation."""
    variance, mean = torch.var_mean(weight, (1, 2, 3), keepdim=True, correction=0)
    return (weight - mean) * (variance + EPSILON).rsqrt()
