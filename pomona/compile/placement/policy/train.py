"""Pre-training: a policy taught by searches on small graphs, then made better by PPO on all of them."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from pomona.compile.placement.policy.learning import Pace, learn
from pomona.compile.placement.policy.network import GraphOptimizer, most_probable
from pomona.compile.placement.policy.ppo import Case, case_of, simulated
from pomona.compile.placement.policy.settings import TrainSettings
from pomona.compile.placement.policy.teaching import imitation_loss, spread, teacher_actions
from pomona.compile.placement.policy.weights import new_network, read_weights, write_weights
from pomona.compile.placement.problem import Problem
from pomona.foundation.files import write_json
from pomona.foundation.run import Run


@dataclass(frozen=True, eq=False)
class Trained:
    """A pre-trained policy, and how good it was after each part: mean of log(step / teacher's step)."""

    network: GraphOptimizer
    record: dict


def train(problems: Sequence[Problem], settings: TrainSettings, *, run: Run) -> Trained:
    """One policy for many problems, in three parts: a search for each, imitation of what they found, PPO.

    The run's folder keeps them, so that it can be gone on with. Raises Interrupted when the user stops it.
    """
    policy = settings.policy
    cases = [case_of(problem, policy.max_units) for problem in problems]
    started = time.monotonic()
    lessons = _lessons(cases, settings, run)
    record: dict = {"settings": asdict(settings), "problems": [_name(problem) for problem in problems]}
    record["teacher_step_us"] = [case.best_step_us for case in cases]
    record["seconds_teaching"] = time.monotonic() - started
    network = new_network(policy.network, run.seed)
    weights = run.path("imitated.safetensors")
    if weights.exists():
        network = read_weights(weights)
    else:
        record["imitation_losses"] = _imitate(network, cases, lessons, settings, run)
        write_weights(network, weights)
    record["seconds_imitating"] = time.monotonic() - started
    record["imitated"] = _scores(network, cases, policy.tasks, record["teacher_step_us"])
    for case in cases:
        case.evaluations = 0
    steps = replace(policy, steps=settings.ppo_steps)
    learn(
        network, cases, steps, Pace(None, None, settings.ppo_steps), seed=run.seed, started=started, run=run
    )
    record["seconds"] = time.monotonic() - started
    record["learned"] = _scores(network, cases, policy.tasks, record["teacher_step_us"])
    write_weights(network, run.path("policy.safetensors"))
    write_json(run.path("record.json"), record)
    return Trained(network, record)


def _lessons(cases: list[Case], settings: TrainSettings, run: Run) -> list[torch.Tensor]:
    lessons = []
    policy = settings.policy
    num_levels = policy.network.num_levels
    with run.progress("searching", len(cases), "problem") as bar:
        for index, case in enumerate(cases):
            path = run.path("lessons", f"{index}.json")
            if path.exists():
                actions = np.array(json.loads(path.read_text()), np.int64)
            else:
                generator = run.generator("lesson", index)
                actions = teacher_actions(
                    case,
                    policy.tasks,
                    num_levels=num_levels,
                    seconds=settings.teacher_seconds,
                    generator=generator,
                )
                write_json(path, actions.tolist())
            lessons.append(torch.from_numpy(actions))
            case.best_reward, case.best_step_us = -np.inf, np.inf
            simulated(case, policy.tasks, lessons[-1][None], num_levels)
            bar.advance()
            run.check_interrupt()
    return lessons


def _imitate(
    network: GraphOptimizer, cases: list[Case], lessons: list[torch.Tensor], settings: TrainSettings, run: Run
) -> list[float]:
    """The mean loss of each round."""
    rounds = settings.imitation_rounds
    total = rounds * len(cases)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.imitation_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.imitation_rate, total_steps=total)
    losses: list[float] = []
    order = spread(len(cases), rounds, run.generator("order of lessons"))
    with run.progress("imitating", total, "step") as bar:
        for step, index in enumerate(order):
            optimiser.zero_grad(set_to_none=True)
            loss = imitation_loss(network, cases[index], settings.policy.tasks, lessons[index])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if step % len(cases) == 0:
                losses.append(0.0)
            losses[-1] += float(loss.detach()) / len(cases)
            bar.advance()
            run.check_interrupt()
    return losses


def _scores(
    network: GraphOptimizer, cases: list[Case], tasks: tuple[str, ...], teacher_us: list[float]
) -> dict[str, float]:
    """How the most probable plans do."""
    ratios, valid = [], []
    for case, reference in zip(cases, teacher_us, strict=True):
        with torch.no_grad():
            actions = most_probable(network(case.inputs, tasks))
        _, outcome = simulated(case, tasks, actions, network.settings.num_levels)
        ratios.append(float(np.log(outcome.step_us[0] / reference)))
        valid.append(bool(outcome.is_valid[0]))
    return {"log_ratio_to_teacher": float(np.mean(ratios)), "valid": float(np.mean(valid))}


def _name(problem: Problem) -> str:
    memory = problem.memory_bytes.min() / 1e9
    return f"{problem.graph.name}, {problem.num_devices} devices of {problem.machine.name}, {memory:.2f} GB"
