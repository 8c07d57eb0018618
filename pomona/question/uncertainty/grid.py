"""The grid of all methods on all tasks on record, cell by cell, each of which is kept as soon as it is done.

A task has one file of lines, a cell each; workers on different tasks share nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import InputError
from pomona.foundation.files import append_line, read_lines, to_json
from pomona.foundation.run import temporary_run
from pomona.networks.named import named_spec
from pomona.networks.spec import Spec
from pomona.question.uncertainty.baselines import FOLDER, baseline_of, record
from pomona.question.uncertainty.cell import Cell, cell
from pomona.question.uncertainty.examples import Examples, examples_of
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.tuning import settings_at, tuned
from pomona.tasks.load import load_task

LEFT_OUT = ("curves", "losses")
"""What a cell holds beside numbers: a grid keeps none of it."""


@dataclass(frozen=True, eq=False)
class Row:
    """A task of the grid, ready to be asked."""

    task: str
    examples: Examples
    spec: Spec
    fit: FitSettings
    baselines: Path
    """Where what is tuned is on record."""

    def known(self, method: str) -> Mapping[str, Any]:
        """What is on record for a method; empty for none."""
        return baseline_of(self.task, self.baselines)["methods"].get(method, {})

    @property
    def methods(self) -> list[str]:
        """The methods for this kind of task."""
        kind = self.examples.task.kind
        return [name for name, method in METHODS.items() if kind in method.kinds]


def row(task: str, baselines: Path = FOLDER) -> Row:
    """The row of a task on record. Raises SettingError for another one."""
    known = baseline_of(task, baselines)
    loaded = load_task(task)
    fit = FitSettings(**known["fit"])
    return Row(task, examples_of(loaded), named_spec(known["network"], loaded), fit, baselines)


def tune_row(row: Row, methods: Iterable[str], *, num_trials: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tunes methods that have nothing on record for this budget, and records each as soon as it is done."""
    for method in methods:
        if row.known(method).get("trials") == num_trials:
            continue
        with temporary_run() as run:
            try:
                best = tuned(row.examples, row.spec, method, row.fit, num_trials=num_trials, run=run)
            except InputError as error:
                best = {"point": {}, "valid": None, "trials": num_trials, "refused": str(error)}
        record(row.task, {method: best}, row.baselines)
        yield method, best


def fill_row(
    row: Row, methods: Iterable[str], seeds: Sequence[int], folder: Path
) -> Iterator[tuple[str, int, Cell]]:
    """Makes the cells that the folder lacks, and adds each as soon as it is done."""
    path = folder / f"{row.task}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    known = cells_in(path)
    for method in methods:
        settings = settings_at(row.known(method).get("point", {}), row.fit)
        for seed in seeds:
            found = known.get((method, seed))
            if found is not None and ("refused" in found or found["settings"] == settings.to_json()):
                continue
            with temporary_run(seed=seed) as run:
                try:
                    made = cell(row.examples, row.spec, method, settings, run=run, seed=seed)
                except InputError as error:
                    made = {"method": method, "seed": seed, "refused": str(error)}
            kept = {name: value for name, value in made.items() if name not in LEFT_OUT}
            append_line(path, to_json(kept))
            yield method, seed, kept


def cells_in(path: Path) -> dict[tuple[str, int], Cell]:
    """The cells of a file by method and seed, the last one of each; a line cut off does not count."""
    return {(one["method"], one["seed"]): one for one in read_lines(path)}


def complete(cells: Mapping[tuple[str, int], Cell]) -> dict[str, list[Cell]]:
    """Method → its cells in order of seeds, those that were refused left out."""
    by_method: dict[str, list[Cell]] = {}
    for (method, _), one in sorted(cells.items(), key=lambda item: item[0][1]):
        if "refused" not in one:
            by_method.setdefault(method, []).append(one)
    return {name: by_method[name] for name in METHODS if name in by_method}
