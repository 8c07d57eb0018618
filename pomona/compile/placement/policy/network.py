"""The graph optimiser's network (Zhou et al. 2020): a graph in, decisions for all its units out, in one shot.

GraphSAGE embeds the nodes, units are the means of theirs, recurrent attention lets units far apart hear of
one another, and each task in turn is one more such layer, with shared weights, that sees what the tasks
before it have decided. The article's published text leaves sizes open; these are our own, for two cores.
Not in the article: the policy sees a base placement (METIS's) and starts by leaving everything there. Without
it a policy of this size, taught for minutes, makes plans twice as slow as METIS for graphs it never saw.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from pomona.compile.placement.policy.attention import RecurrentAttention
from pomona.compile.placement.policy.features import (
    NUM_DEVICE_FEATURES,
    NUM_NODE_FEATURES,
    NUM_OP_SLOTS,
    NUM_PAIR_FEATURES,
    NUM_UNIT_FEATURES,
    Features,
)
from pomona.compile.placement.policy.sage import SageLayer
from pomona.compile.placement.policy.settings import NetworkSettings
from pomona.compile.placement.settings import DECISIONS

START_STAY = 3.0
"""Logit by which the base placement's device leads before anything is learned."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Features as tensors."""

    op: Int64[Tensor, " node"]
    node: Float[Tensor, "node feature"]
    unit: Float[Tensor, "unit feature"]
    device: Float[Tensor, "device feature"]
    pair: Float[Tensor, "unit device feature"]
    edges: Int64[Tensor, "edge 2"]
    unit_of_node: Int64[Tensor, " node"]
    can_hold: Bool[Tensor, "unit device"]


def inputs_of(features: Features) -> Inputs:
    """The arrays as tensors that share their memory."""
    return Inputs(*(torch.from_numpy(getattr(features, name)) for name in Inputs.__dataclass_fields__))


class GraphOptimizer(nn.Module):
    """Maps a problem's features to categorical decisions; any number of nodes, units and devices.

    Memory grows with nodes + edges + plans × units × segment.
    """

    def __init__(self, settings: NetworkSettings = NetworkSettings()):
        super().__init__()
        width = settings.width
        self.settings = settings
        self.op = nn.Embedding(NUM_OP_SLOTS, 16)
        self.node = nn.Linear(NUM_NODE_FEATURES + 16, width)
        self.sage = nn.ModuleList(SageLayer(width, width // 2) for _ in range(settings.sage_layers))
        self.unit = nn.Linear(NUM_UNIT_FEATURES + width, width)
        self.modulation = nn.Linear(2 * width, width)
        self.trunk = nn.ModuleList(
            RecurrentAttention(width, settings.heads, settings.segment) for _ in range(settings.trunk_layers)
        )
        self.task = RecurrentAttention(width, settings.heads, settings.segment)
        self.task_names = nn.Embedding(len(DECISIONS), width)
        self.device = nn.Sequential(nn.Linear(NUM_DEVICE_FEATURES, width), nn.GELU(), nn.Linear(width, width))
        self.placement = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.pair_unit = nn.Linear(width, width // 2)
        self.pair = nn.Linear(NUM_PAIR_FEATURES, width // 2)
        self.pair_out = nn.Sequential(
            nn.GELU(), nn.Linear(width // 2, width // 2), nn.GELU(), nn.Linear(width // 2, 1)
        )
        self.stay = nn.Parameter(torch.tensor(START_STAY))
        self.levels = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, settings.num_levels)) for _ in DECISIONS[1:]
        )
        self.chosen_device = nn.Linear(width, width, bias=False)
        self.chosen_level = nn.Embedding(settings.num_levels, width)
        self._start_near_defaults()

    def embed(self, inputs: Inputs) -> tuple[Float[Tensor, "unit width"], Float[Tensor, " width"]]:
        """The units' embeddings and the modulation by the whole graph's; both before any decision."""
        h = self.node(torch.cat([inputs.node, self.op(inputs.op)], dim=1))
        for layer in self.sage:
            h = layer(h, inputs.edges)
        count = len(inputs.unit)
        share = torch.bincount(inputs.unit_of_node, minlength=count).to(h.dtype)[:, None]
        pooled = h.new_zeros(count, h.shape[1]).index_add(0, inputs.unit_of_node, h) / share
        x = self.unit(torch.cat([inputs.unit, pooled], dim=1))
        whole = torch.cat([x.mean(dim=0), x.amax(dim=0)])
        modulation = 2 * torch.sigmoid(self.modulation(whole))
        x = x[None]
        for layer in self.trunk:
            x = layer(x, modulation)
        return x[0], modulation

    def forward(self, inputs: Inputs, tasks: tuple[str, ...]) -> list[Float[Tensor, "unit choice"]]:
        """Log probabilities for each task: of devices for placement, of levels for the others.

        Later tasks see the expected embedding of what earlier ones decide, so that one pass serves any
        number of drawn plans; with a sure policy it is the embedding of the action itself.
        """
        x, modulation = self.embed(inputs)
        x = x[None]
        result = []
        for task in tasks:
            x = self._turn(x, task, modulation)
            log_probs = self._logits(x, task, inputs).log_softmax(dim=-1)
            result.append(log_probs[0])
            x = x + self._expected(task, log_probs.exp(), inputs)
        return result

    def _turn(self, x: Tensor, task: str, modulation: Tensor) -> Tensor:
        return self.task(x + self.task_names.weight[DECISIONS.index(task)], modulation)

    def _logits(self, x: Tensor, task: str, inputs: Inputs) -> Tensor:
        if task != "placement":
            return self.levels[DECISIONS.index(task) - 1](x)
        logits = self.placement(x) @ self.device(inputs.device).T / self.settings.width**0.5
        together = self.pair_unit(x)[:, :, None, :] + self.pair(inputs.pair)
        logits = logits + self.pair_out(together)[..., 0] + self.stay * inputs.pair[:, :, 0]
        return logits.masked_fill(~inputs.can_hold, -1e9)

    def _expected(self, task: str, probabilities: Tensor, inputs: Inputs) -> Tensor:
        if task != "placement":
            return probabilities @ self.chosen_level.weight
        return probabilities @ self.chosen_device(self.device(inputs.device))

    def _start_near_defaults(self) -> None:
        """Levels start near the middle one, which keeps the default order; devices near the base."""
        middle = self.settings.num_levels // 2
        distance = (torch.arange(self.settings.num_levels) - middle).abs()
        with torch.no_grad():
            placement = self.placement.get_submodule("1")
            assert isinstance(placement, nn.Linear)
            placement.weight.mul_(0.1)
            for head in self.levels:
                linear = head.get_submodule("1")
                assert isinstance(linear, nn.Linear)
                linear.weight.mul_(0.1)
                linear.bias.copy_(-0.8 * distance)


def draw(
    log_probs: list[Float[Tensor, "unit choice"]],
    num_plans: int,
    generator: torch.Generator,
    *,
    sharpness: float = 1.0,
) -> Int64[Tensor, "plan task unit"]:
    """Actions drawn for every unit by itself.

    `sharpness` multiplies the log probabilities first: the larger, the nearer to the most probable.
    """
    parts = [drawn((sharpness * part).expand(num_plans, -1, -1), generator) for part in log_probs]
    return torch.stack(parts, dim=1)


def drawn(log_probs: Float[Tensor, "*batch choice"], generator: torch.Generator) -> Int64[Tensor, "*batch"]:
    """A choice drawn for each row: the largest of log probability plus Gumbel noise."""
    noise = torch.rand(log_probs.shape, generator=generator).clamp_(1e-9, 1 - 1e-7)
    return (log_probs.detach() - (-noise.log()).log()).argmax(dim=-1)


def most_probable(log_probs: list[Float[Tensor, "unit choice"]]) -> Int64[Tensor, "1 task unit"]:
    """The likeliest actions, as one plan."""
    return torch.stack([part.argmax(dim=-1) for part in log_probs])[None]


def taken(
    log_probs: list[Float[Tensor, "unit choice"]], actions: Int64[Tensor, "plan task unit"]
) -> Float[Tensor, "plan task unit"]:
    """The log probabilities of given actions."""
    parts = [
        part.expand(len(actions), -1, -1).gather(-1, actions[:, index, :, None])[..., 0]
        for index, part in enumerate(log_probs)
    ]
    return torch.stack(parts, dim=1)


def mean_entropy(log_probs: list[Float[Tensor, "unit choice"]]) -> Float[Tensor, ""]:
    """The mean entropy of a decision, in nats."""
    return torch.stack([-(part.exp() * part.clamp(min=-30)).sum(dim=-1).mean() for part in log_probs]).mean()
