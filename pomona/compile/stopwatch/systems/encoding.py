"""Queries as text or bytes for systems outside of this process, and their answers as arrays again."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from pomona.compile.stopwatch.library import Library
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.files import to_json

KEPT_BYTES = 64 * 2**20


class Bodies:
    """The bodies of queries. Those of one sample are made before the clock starts, as far as 64 MB go."""

    def __init__(self, library: Library, form: str = "json"):
        if form == "npy" and len(library.arrays) != 1:
            raise SettingError(
                f"npy sends one array, the queries have {len(library.arrays)}: use --send json"
            )
        self._library, self._form = library, form
        self._kept: list[bytes] = []
        left = KEPT_BYTES
        for place in range(library.num_loaded):
            body = self._encode(np.array([place]))
            left -= len(body)
            if left < 0 and self._kept:
                break
            self._kept.append(body)

    @property
    def num_kept(self) -> int:
        """Of how many samples, the first ones, the bodies are there."""
        return len(self._kept)

    def of(self, samples: Int[np.ndarray, " sample"]) -> bytes:
        """The body of a query."""
        if len(samples) == 1 and samples[0] < len(self._kept):
            return self._kept[samples[0]]
        return self._encode(samples)

    def _encode(self, samples: Int[np.ndarray, " sample"]) -> bytes:
        if not self._library.arrays:
            return to_json({"samples": samples}).encode()
        batch = self._library.batch(samples)
        if self._form == "json":
            return to_json({"inputs": batch}).encode()
        content = io.BytesIO()
        np.save(content, next(iter(batch.values())), allow_pickle=False)
        return content.getvalue()


def decoded(body: bytes, heads: Sequence[str]) -> dict[str, np.ndarray]:
    """Head → output of an answer: npy bytes, a JSON list for the only head, or an object of lists by head.

    The object may be wrapped in one with the only key "outputs". Raises DataError for anything else.
    """
    if body.startswith(b"\x93NUMPY"):
        return {_only(heads): np.load(io.BytesIO(body), allow_pickle=False)}
    try:
        answer: Any = json.loads(body)
        return arrays_of(answer, heads)
    except (ValueError, TypeError) as error:
        shown = body[:60].decode(errors="replace")
        raise DataError(
            f"the answer is neither npy nor JSON arrays by {', '.join(heads)}: {shown!r}"
        ) from error


def arrays_of(answer: Any, heads: Sequence[str]) -> dict[str, np.ndarray]:
    """Head → output of an answer as plain data or arrays. Raises DataError when a head is missing."""
    if isinstance(answer, Mapping) and "outputs" in answer:
        answer = answer["outputs"]
    if not isinstance(answer, Mapping):
        return {_only(heads): np.asarray(answer, np.float32)}
    missing = [head for head in heads if head not in answer]
    if missing:
        raise DataError(f"the answer lacks {', '.join(missing)}; it has {', '.join(map(str, answer))}")
    return {head: np.asarray(answer[head], np.float32) for head in heads}


def _only(heads: Sequence[str]) -> str:
    if len(heads) != 1:
        raise DataError(
            f"the answer is one array, the task has {', '.join(heads)}: answer with an object by name"
        )
    return heads[0]
