"""Plans to imitate: a short search for each problem."""

import itertools

import numpy as np
import torch
from jaxtyping import Int64

from pomona.compile.placement.policy.network import GraphOptimizer, taken
from pomona.compile.placement.policy.ppo import Case, simulated
from pomona.compile.placement.policy.starts import simple_starts
from pomona.compile.placement.policy.unit_search import search_units

LEVEL_WEIGHT = 0.2
"""Of a priority level's cross entropy beside a device's: most levels that a search leaves are arbitrary."""


def teacher_actions(
    case: Case, tasks: tuple[str, ...], *, num_levels: int, seconds: float, generator: np.random.Generator
) -> Int64[np.ndarray, "task unit"]:
    """The best of searches from the two best simple starts."""
    starts = simple_starts(case.features, tasks, num_levels)
    _, outcome = simulated(case, tasks, torch.from_numpy(starts), num_levels)
    best_two = np.argsort(-outcome.rewards, kind="stable")[:2]
    for start in best_two:
        search_units(
            case,
            tasks,
            starts[start],
            num_levels=num_levels,
            seconds=seconds / len(best_two),
            generator=generator,
        )
    assert case.best_actions is not None
    return case.best_actions.numpy()


def imitation_loss(
    network: GraphOptimizer, case: Case, tasks: tuple[str, ...], actions: torch.Tensor
) -> torch.Tensor:
    """The cross entropy of the teacher's actions, units weighted by the root of their work."""
    log_probs = taken(network(case.inputs, tasks), actions[None])[0]
    work = case.inputs.unit[:, 0].expm1().clamp(min=1e-3).sqrt()
    by_task = (log_probs * work).sum(dim=1) / work.sum()
    weights = torch.tensor([1.0 if task == "placement" else LEVEL_WEIGHT for task in tasks])
    return -(by_task * weights).sum()


def spread(num_cases: int, num_rounds: int, generator: np.random.Generator) -> itertools.chain[int]:
    """Every case once a round, in a new order each."""
    return itertools.chain.from_iterable(generator.permutation(num_cases).tolist() for _ in range(num_rounds))
