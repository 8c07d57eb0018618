"""A rival of GO (Placeto, Addanki et al. 2019): a walk over the graph, a device for one unit a step.

An episode starts from a placement, visits every unit once in topological order, and after each decision earns
what the step time fell by. A graph network sees the placement so far, which unit is asked about and which
have been visited. As in the paper nodes are merged first, to NUM_UNITS; each decision costs a simulation.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.features import NUM_UNIT_FEATURES, features_of
from pomona.compile.placement.policy.network import drawn
from pomona.compile.placement.policy.sage import SageLayer
from pomona.compile.placement.policy.tracker import Tracker
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.bounds import bounds
from pomona.foundation.randomness import stream_seed

NUM_UNITS = 64
HIDDEN = 32
EPISODES = 4
"""Walks side by side before each change of the weights."""
LEARNING_RATE = 3e-3
ENTROPY_WEIGHT = 1e-2
DISCOUNT = 0.95


def incremental(
    problem: Problem,
    *,
    seconds: float,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: Callable[[Plan, float], None] | None = None,
) -> Found:
    """The best placement met on the walks of an incremental policy that learns on this problem alone.

    Walks start from device 0 for everything. Ready operations run by longest path.
    """
    nowhere = np.zeros(problem.graph.num_nodes, np.int32)
    features = features_of(problem, NUM_UNITS, nowhere)
    tracker = Tracker(problem, features, bounds(problem).lower_us, seconds, evaluations, on_best)
    seed = int(generator.integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "incremental weights"))
        policy = IncrementalPolicy(problem.num_devices)
    draws = torch.Generator().manual_seed(stream_seed(seed, "incremental draws"))
    optimiser = torch.optim.Adam(policy.parameters(), lr=LEARNING_RATE, fused=True)
    unit = torch.from_numpy(features.unit)
    edges = torch.from_numpy(np.unique(features.unit_of_node[features.edges], axis=0))
    edges = edges[edges[:, 0] != edges[:, 1]]
    baseline = np.zeros(features.num_units)
    while not tracker.is_over():
        rewards, log_probs, entropies = _walk(policy, unit, edges, tracker, draws)
        if len(log_probs) < features.num_units:
            break
        returns = _returns(np.diff(np.stack(rewards), axis=0))
        baseline = 0.7 * baseline + 0.3 * returns.mean(axis=1)
        advantages = returns - baseline[:, None]
        advantages = torch.from_numpy(advantages / max(float(advantages.std()), 1e-4)).float()
        loss = -(advantages * torch.stack(log_probs)).mean() - ENTROPY_WEIGHT * torch.stack(entropies).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimiser.step()
    return tracker.found()


def _walk(
    policy: "IncrementalPolicy", unit: Tensor, edges: Tensor, tracker: Tracker, draws: torch.Generator
) -> tuple[list[np.ndarray], list[Tensor], list[Tensor]]:
    """Rewards before and after each decision, log probabilities, entropies; fewer when the time is over."""
    placement = torch.zeros(EPISODES, len(unit), dtype=torch.int64)
    rewards = [tracker.simulate(placement.numpy()).rewards]
    log_probs, entropies = [], []
    for step in range(len(unit)):
        if tracker.is_over():
            break
        log_prob = policy(unit, edges, placement, step)
        chosen = drawn(log_prob, draws)
        placement = placement.clone()
        placement[:, step] = chosen
        rewards.append(tracker.simulate(placement.numpy()).rewards)
        log_probs.append(log_prob.gather(1, chosen[:, None])[:, 0])
        entropies.append(-(log_prob.exp() * log_prob).sum(dim=1))
    return rewards, log_probs, entropies


class IncrementalPolicy(nn.Module):
    """Log probabilities of the asked unit's device, given where everything is."""

    def __init__(self, num_devices: int):
        super().__init__()
        self.num_devices = num_devices
        self.unit = nn.Linear(NUM_UNIT_FEATURES + num_devices + 2, HIDDEN)
        self.sage = nn.ModuleList(SageLayer(HIDDEN, HIDDEN // 2) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(2 * HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, num_devices))

    def forward(self, unit: Tensor, edges: Tensor, placement: Tensor, step: int) -> Tensor:
        episodes, count = placement.shape
        state = torch.zeros(episodes, count, 2)
        state[:, step, 0] = 1
        state[:, :step, 1] = 1
        here = nn.functional.one_hot(placement, self.num_devices).float()
        h = self.unit(torch.cat([unit.expand(episodes, -1, -1), here, state], dim=-1)).flatten(0, 1)
        together = (edges[None] + count * torch.arange(episodes)[:, None, None]).flatten(0, 1)
        for layer in self.sage:
            h = layer(h, together)
        h = h.unflatten(0, (episodes, count))
        return self.head(torch.cat([h[:, step], h.mean(dim=1)], dim=1)).log_softmax(dim=1)


def _returns(rewards: np.ndarray) -> np.ndarray:
    """Discounted sums of what follows, a row a step."""
    returns = rewards.copy()
    for step in range(len(rewards) - 2, -1, -1):
        returns[step] += DISCOUNT * returns[step + 1]
    return returns
