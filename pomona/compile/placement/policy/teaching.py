"""Plans to imitate: a short search for each problem, its devices named in order of first use."""

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
    """The best of searches from the two best simple starts, devices renamed by `by_first_use`."""
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
    return by_first_use(case, tasks, case.best_actions.numpy(), num_levels)


def by_first_use(
    case: Case, tasks: tuple[str, ...], actions: Int64[np.ndarray, "task unit"], num_levels: int
) -> Int64[np.ndarray, "task unit"]:
    """Equal devices can be renamed at will: the one whose work comes first becomes 0, and so on.

    Where renaming makes the plan worse, devices are not equal, and it is left as it is.
    """
    if tasks[0] != "placement":
        return actions
    num_units, num_devices = case.features.can_hold.shape
    work = np.bincount(case.features.unit_of_node, case.features.levels.run_us, num_units) + 1e-9
    share = np.bincount(actions[0], work, num_devices)
    place = np.bincount(actions[0], work * np.arange(num_units), num_devices) / np.maximum(share, 1e-12)
    order = np.argsort(np.where(share > 0, place, np.inf), kind="stable")
    renamed = actions.copy()
    renamed[0] = np.argsort(order, kind="stable")[actions[0]]
    both = torch.from_numpy(np.stack([actions, renamed]))
    _, outcome = simulated(case, tasks, both, num_levels)
    is_as_good = outcome.rewards[1] >= outcome.rewards[0] - 1e-3 * abs(outcome.rewards[0])
    fits = case.features.can_hold[np.arange(num_units), renamed[0]].all()
    return renamed if is_as_good and fits else actions


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
