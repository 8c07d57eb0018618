"""Single series for methods that fit one at a time: without gaps, several at once where there are cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.find.forecasting.problem import Panel
from pomona.foundation.run import Run

CHUNK = 16


def single_series(history: Panel, most_steps: int) -> Iterator[Float[np.ndarray, " time"]]:
    """The last `most_steps` values of each series from its first one on, gaps filled in a straight line."""
    for series in range(history.num_series):
        begin, end = history.offsets[series], history.offsets[series + 1]
        yield filled(np.asarray(history.values[max(begin, end - most_steps) : end], np.float64))


def filled(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """The values from the first that is there on, those that are missing drawn in a straight line."""
    real = np.flatnonzero(~np.isnan(values))
    if not len(real):
        return values[:0]
    values = values[real[0] :]
    real = real - real[0]
    return values if len(real) == len(values) else np.interp(np.arange(len(values)), real, values[real])


def fit_each(
    fit: Callable[..., dict[str, Any]],
    series: Sequence[Any],
    *arguments: Any,
    label: str,
    run: Run,
) -> list[dict[str, Any]]:
    """`fit(one, *arguments)` of every series, in order, on all threads of the run.

    Raises Interrupted when the user stops it.
    """
    from joblib import Parallel, delayed

    # statsforecast then keeps what it compiles, which takes half a minute, for the next process
    os.environ.setdefault("NIXTLA_NUMBA_CACHE", "1")
    chunks = [series[start : start + CHUNK] for start in range(0, len(series), CHUNK)]
    found: list[dict[str, Any]] = []
    with run.progress(label, len(series), "series") as progress:
        if run.threads == 1 or len(chunks) < 2 * run.threads:
            for chunk in chunks:
                found += _fit_chunk(fit, chunk, arguments)
                progress.advance(len(chunk))
                run.check_interrupt()
            return found
        with Parallel(n_jobs=run.threads, return_as="generator") as workers:
            parts: Any = workers(delayed(_fit_chunk)(fit, chunk, arguments) for chunk in chunks)
            for part in parts:
                found += part
                progress.advance(len(part))
                run.check_interrupt()
    return found


def _fit_chunk(fit: Callable[..., dict[str, Any]], chunk: Sequence[Any], arguments: Any) -> list[dict]:
    return [fit(one, *arguments) for one in chunk]
