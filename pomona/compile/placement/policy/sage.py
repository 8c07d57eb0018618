"""GraphSAGE: nodes hear from their neighbours through a sigmoid layer and a maximum, jointly trained."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn


class SageLayer(nn.Module):
    """h ← h + f([h, max over sources of sigmoid(A h), max over consumers of sigmoid(B h)]).

    Hamilton et al. 2017 with the maximum as aggregator, as GO uses it; here the two directions of an edge
    have weights of their own. A node without neighbours hears 0. Memory grows with nodes + edges.
    """

    def __init__(self, width: int, heard: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.from_sources = nn.Linear(width, heard)
        self.from_consumers = nn.Linear(width, heard)
        self.mix = nn.Linear(width + 2 * heard, width)

    def forward(
        self, h: Float[Tensor, "node width"], edges: Int64[Tensor, "edge 2"]
    ) -> Float[Tensor, "node width"]:
        x = self.norm(h)
        source, target = edges[:, 0], edges[:, 1]
        from_sources = neighbour_maximum(torch.sigmoid(self.from_sources(x)), source, target)
        from_consumers = neighbour_maximum(torch.sigmoid(self.from_consumers(x)), target, source)
        return h + torch.relu(self.mix(torch.cat([x, from_sources, from_consumers], dim=1)))


def neighbour_maximum(
    values: Float[Tensor, "node width"], speaker: Int64[Tensor, " edge"], hearer: Int64[Tensor, " edge"]
) -> Float[Tensor, "node width"]:
    """The maximum of each hearer's speakers, 0 where there are none; values must be at least 0."""
    index = hearer[:, None].expand(-1, values.shape[1])
    return torch.zeros_like(values).scatter_reduce(0, index, values[speaker], "amax", include_self=True)
