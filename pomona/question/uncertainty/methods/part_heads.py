"""Networks whose head of a target has two parts, the second one under a name of its own."""

from collections.abc import Mapping

from torch import Tensor, nn


class TwoPartHeads(nn.Module):
    """The heads of `network`; that of `target`, a pair, as `target` and as `second`."""

    def __init__(self, network: nn.Module, target: str, second: str):
        super().__init__()
        self.network = network
        self.target = target
        self.second = second

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        heads = self.network(inputs)
        first, second = heads[self.target]
        return {**heads, self.target: first, self.second: second}
