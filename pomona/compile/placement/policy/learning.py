"""The loop of PPO steps over one or many problems: paced, saved, resumed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from pomona.compile.placement.policy.network import GraphOptimizer
from pomona.compile.placement.policy.ppo import Case, ppo_step, simulated
from pomona.compile.placement.policy.settings import PolicySettings
from pomona.fit.checkpoints import latest_checkpoint, save_checkpoint
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run

SAVE_EVERY_S = 20.0


@dataclass(frozen=True)
class Pace:
    """When to stop, by whichever comes first; None: never by this."""

    seconds: float | None
    evaluations: int | None
    steps: int | None


def learn(
    network: GraphOptimizer,
    cases: Sequence[Case],
    settings: PolicySettings,
    pace: Pace,
    *,
    seed: int,
    started: float,
    after_step: Callable[[], None] = lambda: None,
    run: Run | None = None,
) -> int:
    """PPO steps on the cases in an order drawn from the seed; the number of steps done.

    Draws depend on (seed, step) alone, so a run that was saved and goes on does as one that never stopped.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    step = _resumed(network, optimiser, cases, settings.tasks, run)
    saved = time.monotonic()
    while not _is_over(pace, step, cases, started, run):
        generator = torch.Generator().manual_seed(stream_seed(seed, "policy step", step))
        case = cases[int(torch.randint(len(cases), (1,), generator=generator))]
        fraction = min(step / settings.steps, 1.0)
        entropy_weight = settings.entropy_weight * (1 - 0.9 * fraction)
        ppo_step(network, optimiser, case, settings, generator, entropy_weight=entropy_weight)
        step += 1
        after_step()
        if run is not None and (time.monotonic() - saved > SAVE_EVERY_S or run.should_stop()):
            _save(network, optimiser, cases, step, run)
            saved = time.monotonic()
            run.check_interrupt()
    if run is not None:
        _save(network, optimiser, cases, step, run)
    return step


def _is_over(pace: Pace, step: int, cases: Sequence[Case], started: float, run: Run | None) -> bool:
    done = sum(case.evaluations for case in cases)
    return (
        (pace.steps is not None and step >= pace.steps)
        or (pace.evaluations is not None and done >= pace.evaluations)
        or (pace.seconds is not None and time.monotonic() - started >= pace.seconds)
        or (run is not None and run.should_stop())
    )


def _save(network, optimiser, cases: Sequence[Case], step: int, run: Run) -> None:
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    moments = optimiser.state_dict()["state"]
    for index, values in moments.items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in values.items()}
    for index, case in enumerate(cases):
        if case.best_actions is not None:
            tensors[f"case.{index}"] = case.best_actions
    state = {"cases": [[case.evaluations, case.mean_reward] for case in cases]}
    save_checkpoint(run.path("policy", "x").parent, step, tensors, state, identity="placement policy")


def _resumed(network, optimiser, cases: Sequence[Case], tasks: tuple[str, ...], run: Run | None) -> int:
    found = None
    if run is not None:
        found = latest_checkpoint(run.path("policy", "x").parent, identity="placement policy")
    if found is None:
        return 0
    parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "optimiser": {}, "case": {}}
    for name, value in found.tensors.items():
        kind, _, rest = name.partition(".")
        parts[kind][rest] = value
    network.load_state_dict(parts["network"])
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in parts["optimiser"].items():
        index, _, field = name.partition(".")
        moments.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    for index, (evaluations, mean_reward) in enumerate(found.state["cases"]):
        case = cases[index]
        if str(index) in parts["case"]:
            actions = parts["case"][str(index)][None]
            simulated(case, tasks, actions, network.settings.num_levels)
        case.evaluations, case.mean_reward = evaluations, mean_reward
    return found.step
