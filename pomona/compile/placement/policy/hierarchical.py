"""A rival of GO (HDP, Mirhoseini et al. 2018): a grouper and a placer, learned by REINFORCE.

The grouper, a layer or two for each node, says which group it belongs to; the placer, an LSTM over the groups
with attention, names their devices one after the other. Sizes are smaller than the paper's (256 groups, 512
cells), because the graphs and the machine are; draws of several placements share a step, as its workers did.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.features import NUM_NODE_FEATURES, NUM_OP_SLOTS, features_of
from pomona.compile.placement.policy.network import Inputs, drawn, inputs_of
from pomona.compile.placement.policy.tracker import Tracker
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.bounds import bounds
from pomona.foundation.randomness import stream_seed

NUM_GROUPS = 32
HIDDEN = 64
ROLLOUTS = 8
LEARNING_RATE = 3e-3
ENTROPY_WEIGHT = 1e-2
BASELINE_MEMORY = 0.9
GROUPER_SCALE = 10.0
"""Of the grouper's first weights: small ones scatter the nodes, and steps are 1.3 to 5 times as long after
1,600 simulations."""


def hierarchical(
    problem: Problem,
    *,
    seconds: float,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: Callable[[Plan, float], None] | None = None,
) -> Found:
    """The best placement that a hierarchical policy drew while it learned on this problem alone.

    Nodes of a colocation group act as one. Ready operations run by longest path.
    """
    nowhere = np.zeros(problem.graph.num_nodes, np.int32)
    features = features_of(problem, 0, nowhere)
    inputs = inputs_of(features)
    tracker = Tracker(problem, features, bounds(problem).lower_us, seconds, evaluations, on_best)
    seed = int(generator.integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "hierarchical weights"))
        policy = HierarchicalPolicy(problem.num_devices)
    draws = torch.Generator().manual_seed(stream_seed(seed, "hierarchical draws"))
    optimiser = torch.optim.Adam(policy.parameters(), lr=LEARNING_RATE, fused=True)
    baseline: float | None = None
    while not tracker.is_over():
        devices, log_prob, entropy = policy(inputs, ROLLOUTS, draws)
        rewards = tracker.simulate(devices.numpy()).rewards
        now = float(rewards.mean())
        baseline = now if baseline is None else BASELINE_MEMORY * baseline + (1 - BASELINE_MEMORY) * now
        advantages = torch.from_numpy((rewards - baseline) / max(float(rewards.std()), 1e-4)).float()
        loss = -(advantages.clamp(-5, 5) * log_prob).mean() - ENTROPY_WEIGHT * entropy.mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimiser.step()
    return tracker.found()


class HierarchicalPolicy(nn.Module):
    """Grouper and placer for a fixed number of devices."""

    def __init__(self, num_devices: int):
        super().__init__()
        self.op = nn.Embedding(NUM_OP_SLOTS, 16)
        num_seen = NUM_NODE_FEATURES + 16
        self.grouper = nn.Sequential(nn.Linear(num_seen, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, NUM_GROUPS))
        self.describe = nn.Linear(num_seen + NUM_GROUPS + 1, HIDDEN)
        self.encoder = nn.LSTM(HIDDEN, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTMCell(2 * HIDDEN, HIDDEN)
        self.query = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.device = nn.Embedding(num_devices + 1, HIDDEN)
        self.head = nn.Linear(2 * HIDDEN, num_devices)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            last = self.grouper.get_submodule("2")
            assert isinstance(last, nn.Linear)
            last.weight.mul_(GROUPER_SCALE)

    def forward(
        self, inputs: Inputs, num_plans: int, draws: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Device of each unit (plan unit), the log probability and the mean entropy of a plan's draws."""
        nodes = torch.cat([inputs.node, self.op(inputs.op)], dim=1)
        count = len(inputs.unit)
        share = torch.bincount(inputs.unit_of_node, minlength=count)[:, None]
        units = nodes.new_zeros(count, nodes.shape[1]).index_add(0, inputs.unit_of_node, nodes) / share
        log_probs = self.grouper(units).log_softmax(dim=1).expand(num_plans, -1, -1)
        group = drawn(log_probs, draws)
        taken = log_probs.gather(-1, group[..., None])[..., 0].sum(dim=1)
        devices, placed, entropy = self._place(self._groups(units, group, inputs), draws)
        grouped = -(log_probs.exp() * log_probs).sum(dim=-1).mean(dim=1)
        return devices.gather(1, group), taken + placed, entropy + grouped

    def _groups(self, units: Tensor, group: Tensor, inputs: Inputs) -> Tensor:
        """What the placer sees of a group: its units' mean, how many, and which groups it feeds."""
        member = nn.functional.one_hot(group, NUM_GROUPS).to(units.dtype)
        size = member.sum(dim=1)[..., None]
        mean = member.transpose(1, 2) @ units / size.clamp(min=1)
        ends = inputs.unit_of_node[inputs.edges]
        pair = group[:, ends[:, 0]] * NUM_GROUPS + group[:, ends[:, 1]]
        feeds = units.new_zeros(len(group), NUM_GROUPS**2).scatter_add(
            1, pair, torch.ones_like(pair, dtype=units.dtype)
        )
        feeds = feeds.view(-1, NUM_GROUPS, NUM_GROUPS).log1p()
        return self.describe(torch.cat([mean, feeds, size.log1p()], dim=-1))

    def _place(self, groups: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        encoded, _ = self.encoder(groups)
        num_plans = len(groups)
        state = (encoded.mean(dim=1), torch.zeros_like(encoded[:, 0]))
        before = torch.full((num_plans,), self.device.num_embeddings - 1)
        devices, log_prob, entropy = [], groups.new_zeros(num_plans), groups.new_zeros(num_plans)
        for index in range(NUM_GROUPS):
            state = self.decoder(torch.cat([encoded[:, index], self.device(before)], dim=1), state)
            scores = torch.einsum("pgw,pw->pg", encoded, self.query(state[0])) / HIDDEN**0.5
            context = torch.einsum("pg,pgw->pw", scores.softmax(dim=1), encoded)
            log_probs = self.head(torch.cat([state[0], context], dim=1)).log_softmax(dim=1)
            before = drawn(log_probs, draws)
            devices.append(before)
            log_prob = log_prob + log_probs.gather(1, before[:, None])[:, 0]
            entropy = entropy - (log_probs.exp() * log_probs).sum(dim=1) / NUM_GROUPS
        return torch.stack(devices, dim=1), log_prob, entropy
