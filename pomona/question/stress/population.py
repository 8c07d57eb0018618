"""Many models of one pipeline that differ in nothing but the seed."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pomona.fit.extension import USUAL, Extension, given_weights
from pomona.fit.loop import fit
from pomona.fit.members import fit_population
from pomona.fit.population import join
from pomona.fit.subject import Subject
from pomona.fit.threads import device_name
from pomona.foundation.artifact import is_artifact
from pomona.foundation.errors import SettingError
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run, temporary_run

TIMED_STEPS = 60
"""Steps of one model alone that tell how long a whole training of one would take."""

SEEDS_APART = 1000
"""The seeds of a run's models begin at this many times its own seed, so that two runs share no model."""


@dataclass(frozen=True, eq=False)
class Population:
    """Models that were trained alike."""

    seeds: tuple[int, ...]
    """`pomona fit --seed` with one of them gives the same model, to rounding."""
    state: dict[str, Tensor]
    """Weights, with `member` as their first axis."""
    seconds: float
    """Of all trainings together."""
    seconds_one: float
    """That the training of one alone would take, told from its first steps."""
    num_failed: int
    device: str
    """Where they were trained; on an accelerator sums in another order count as part of the seed."""


def population(subject: Subject, num_models: int, *, run: Run) -> Population:
    """The trained models; those whose training broke off are left out. A resumed run goes on.

    Raises SettingError when fewer than two are left.
    """
    seeds, path = model_seeds(run.seed, num_models), run.path("models.safetensors")
    kept: dict[str, Any] | None = run.restore("models")
    if kept is None or not path.exists():
        kept = _train(subject, seeds, path, run=run) | {"device": device_name(run.device)}
        run.save("models", kept)
    return Population(
        tuple(kept["seeds"]),
        _load(path),
        kept["seconds"],
        kept["seconds_one"],
        kept["failed"],
        kept["device"],
    )


def model_seeds(seed: int, num_models: int) -> list[int]:
    """The seeds of the models of a run: whole numbers from SEEDS_APART times its own seed on."""
    if num_models > SEEDS_APART:
        raise SettingError(f"models must be at most {SEEDS_APART}, got {num_models}")
    return [SEEDS_APART * seed + member for member in range(num_models)]


def _train(subject: Subject, seeds: list[int], path: Path, *, run: Run) -> dict[str, Any]:
    start = _start(subject)
    results = fit_population(subject.task, subject.spec, subject.settings, seeds, run=run, extension=start)
    run.check_interrupt()
    sound = [member for member, result in enumerate(results) if not result.failed]
    if len(sound) < 2:
        reason = next(result.failed for result in results if result.failed)
        raise SettingError(
            f"{len(sound)} of {len(seeds)} trainings came to an end ({reason}); "
            "a lower --learning-rate may help"
        )
    _save(path, join([results[member].state for member in sound]))
    num_steps = max(results[member].steps for member in sound)
    return {
        "seeds": [seeds[member] for member in sound],
        "seconds": results[0].seconds,
        "seconds_one": _seconds_of_one(subject, num_steps, start, run),
        "failed": len(seeds) - len(sound),
    }


def _start(subject: Subject) -> Extension:
    """Where all models begin: from drawn weights, or from those that others trained."""
    weights = subject.weights
    if weights is None or is_artifact(subject.name):
        return USUAL
    return given_weights(weights, "from trained weights")


def _seconds_of_one(subject: Subject, num_steps: int, start: Extension, run: Run) -> float:
    timed = min(TIMED_STEPS, num_steps)

    def spent(steps: int) -> float:
        short = replace(subject.settings, steps=steps, epochs=None)
        with temporary_run(seed=run.seed, device=run.device, threads=run.threads) as alone:
            began = time.perf_counter()
            fit(subject.task, subject.spec, short, run=alone, extension=start)
            return time.perf_counter() - began

    # the first fit of a process is slower, and every fit reads its data first
    spent(1)
    return max(spent(timed) - spent(1), 0.0) * num_steps / timed


def _save(path: Path, state: dict[str, Tensor]) -> None:
    from safetensors.torch import save

    write_bytes(path, save({name: tensor.contiguous() for name, tensor in state.items()}))


def _load(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)
