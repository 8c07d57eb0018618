"""Language by counts: which tokens followed the last few, interpolated down to single tokens.

Witten and Bell's interpolation (Chen and Goodman 1998, section 2.4): a context that was followed by many
different tokens trusts the shorter context more. It has nothing to tune.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from pomona.fit.baselines.constant import num_classes_of
from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

PADDING = 0


@dataclass(frozen=True)
class Counts:
    """What followed the contexts of one length."""

    contexts: Int[np.ndarray, " context"]
    """Codes of the contexts, rising."""
    following: sparse.csr_matrix
    """(context, token): how often the token followed."""


def has_previous_tokens(task: Task) -> bool:
    """Tasks with an input of tokens as long as each target, each the token before the one asked for."""
    return all(_tokens_of(task, target) for target in task.targets)


def fit_bigrams(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Counts after one token and after none."""
    return _fit_counts(task, target, train, num_before=1)


def fit_fourgrams(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Counts after three tokens, two, one and none."""
    return _fit_counts(task, target, train, num_before=3)


def _fit_counts(task: Task, target: str, train: Batch, *, num_before: int) -> PredictOne:
    tokens, num_tokens = _tokens_of(task, target)[0], num_classes_of(task, target)
    real = train[target] != PADDING
    weight = np.broadcast_to(train.get("weight", np.ones(len(real)))[:, None], real.shape)[real]
    tables = []
    for length in range(num_before + 1):
        codes, place = np.unique(_contexts(train[tokens.name], length)[real], return_inverse=True)
        cells = (weight, (place, train[target][real]))
        tables.append(Counts(codes, sparse.csr_matrix(cells, shape=(len(codes), num_tokens))))

    def predict(batch: Batch) -> np.ndarray:
        ids = batch[tokens.name]
        codes = [_contexts(ids, length).ravel() for length in range(len(tables))]
        said = _interpolated(tables, codes, num_tokens)
        return said.astype(np.float32).reshape(*ids.shape, num_tokens)

    return predict


def _tokens_of(task: Task, target: str) -> list[Feature]:
    shape = task.targets[target].shape
    return [f for f in task.inputs.values() if f.kind == "tokens" and f.shape == shape]


def _contexts(ids: Int[np.ndarray, "batch time"], length: int) -> Int[np.ndarray, "batch time"]:
    """A number for the last `length` tokens up to each step; before the beginning there is padding."""
    codes = np.zeros_like(ids)
    for back in range(length):
        moved = np.zeros_like(ids)
        moved[:, back:] = ids[:, : ids.shape[1] - back]
        # wraps around for a huge vocabulary: two contexts may then share a code, which only blurs
        codes = codes * np.int64(1_000_003) + moved
    return codes


def _interpolated(
    tables: Sequence[Counts], codes: Sequence[Int[np.ndarray, " step"]], num_tokens: int
) -> Float[np.ndarray, "step token"]:
    said = np.full((len(codes[0]), num_tokens), 1 / num_tokens)
    for table, code in zip(tables, codes, strict=True):
        place = np.searchsorted(table.contexts, code).clip(max=len(table.contexts) - 1)
        known = np.flatnonzero(table.contexts[place] == code)
        followed = table.following[place[known]]
        total, kinds = followed.sum(axis=1).A1[:, None], np.diff(followed.indptr)[:, None]
        said[known] = (followed.toarray() + kinds * said[known]) / (total + kinds)
    return said
