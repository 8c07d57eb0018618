"""How the loops are compiled: kept on disk, and without Python's lock, so that threads can share them.

Every module with such a loop imports this one, which says what to install where Numba is missing.
"""

from typing import Any

from pomona.foundation.errors import MissingExtraError

try:
    import numba
except ModuleNotFoundError as error:
    raise MissingExtraError("numba", "compile") from error

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
_WITHIN: dict[str, Any] = {
    "_nrt": False,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

compiled = numba.njit(**_OPTIONS)
"""For functions that are called once a plan; they may make arrays."""

inlined = numba.njit(**_OPTIONS, **_WITHIN)
"""For functions that are called at every event; they may not make arrays.

Counting the references to the arrays of a state at every call takes fifteen times as long as the call does.
"""
