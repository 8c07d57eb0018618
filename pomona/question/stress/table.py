"""The scores of all models on all splits, kept in the run's folder as they come."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pomona.fit.subject import Subject
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run
from pomona.question.stress.scores import Scores, consistency, file_name, scores
from pomona.question.stress.splits import Splits
from pomona.question.stresses.contrastive import PairSource
from pomona.tasks.source import FiniteSource

CLEAN = "test"


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """A score for each model and example, by split."""

    clean: Float[np.ndarray, "member batch"]
    stresses: dict[str, Float[np.ndarray, "member stress_batch"]]
    answers: dict[str, np.ndarray | None]
    """The class that each model gives each example, by split, the clean one among them."""


def score_table(subject: Subject, state: dict[str, Tensor], splits: Splits, *, run: Run) -> ScoreTable:
    """The table; splits that an earlier process scored are read from `scores/`."""
    sources = {CLEAN: splits.clean, **splits.stresses}
    found = {}
    with run.progress("scoring", len(sources), "splits") as progress:
        for name, source in sources.items():
            found[name] = scored(subject, state, name, source, run)
            progress.advance()
            run.check_interrupt()
    values = {name: one.values for name, one in found.items()}
    answers = {name: one.answers for name, one in found.items()}
    return ScoreTable(values.pop(CLEAN), values, answers)


def scored(subject: Subject, state: dict[str, Tensor], name: str, source: FiniteSource, run: Run) -> Scores:
    """The scores of one split, from the run's folder when they are there."""
    path = run.path("scores", f"{file_name(name)}.npz")
    if path.exists():
        with np.load(path) as kept:
            return Scores(kept["values"], kept.get("answers"))
    found = scores(subject, state, source, run=run)
    if isinstance(source, PairSource):
        found = consistency(subject.task, scores(subject, state, source.first, run=run), found)
    _keep(path, found)
    return found


def _keep(path: Path, found: Scores) -> None:
    content = io.BytesIO()
    if found.answers is None:
        np.savez_compressed(content, values=found.values)
    else:
        np.savez_compressed(content, values=found.values, answers=found.answers)
    write_bytes(path, content.getvalue())
