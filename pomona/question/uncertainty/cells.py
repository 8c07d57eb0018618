"""The cells of a comparison: every method for every seed, those that are done from the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import InputError, SettingError, unknown_name
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.cell import Cell, cell
from pomona.question.uncertainty.examples import Examples
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.tuning import settings_at, tuned


@dataclass(frozen=True)
class Plan:
    """What is fitted, how, and how often."""

    methods: Sequence[str]
    fit: FitSettings
    points: Mapping[str, Mapping[str, Any]]
    """Hyperparameters on record, by method; those left out have their defaults."""
    seeds: int
    tune: int
    is_strict: bool
    """Whether a method that cannot be fitted here is an error, or is left out with its reason."""


@dataclass(frozen=True)
class Cells:
    """Cells by method, and why others have none."""

    found: dict[str, list[Cell]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def named_methods(names: str, kind: str) -> list[str]:
    """The methods that a text names, each once. Raises SettingError for a wrong name or kind of task."""
    if names.strip() == "all":
        return [name for name, method in METHODS.items() if kind in method.kinds]
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in chosen:
        if name not in METHODS:
            raise unknown_name("method", name, METHODS)
        if kind not in METHODS[name].kinds:
            raise SettingError(f"method {name} is for {', '.join(METHODS[name].kinds)}; this task is {kind}")
    return chosen


def make_cells(examples: Examples, spec: Spec, plan: Plan, *, run: Run) -> Cells:
    """All cells of a plan. Raises Interrupted, with the finished ones kept, when the user stops."""
    cells = Cells()
    with run.progress("uncertainty", len(plan.methods) * plan.seeds, "fits") as progress:
        for method in plan.methods:
            try:
                cells.found[method] = _cells_of(examples, spec, method, plan, progress.advance, run=run)
            except InputError as error:
                if plan.is_strict:
                    raise
                cells.refused[method] = str(error)
                progress.advance(plan.seeds)
    return cells


def _cells_of(
    examples: Examples, spec: Spec, method: str, plan: Plan, advance: Callable[[], None], *, run: Run
) -> list[Cell]:
    point = plan.points.get(method, {})
    if plan.tune:
        if run.restore(f"tuned-{method}") is None:
            run.save(
                f"tuned-{method}", tuned(examples, spec, method, plan.fit, num_trials=plan.tune, run=run)
            )
        point = run.restore(f"tuned-{method}")["point"]
    found = []
    for seed in range(run.seed, run.seed + plan.seeds):
        name = f"cell-{method}-{seed}"
        if run.restore(name) is None:
            run.save(name, cell(examples, spec, method, settings_at(point, plan.fit), run=run, seed=seed))
            run.check_interrupt()
        found.append(run.restore(name))
        advance()
    return found
