"""A Python function, called with a batch: named arrays with a sample a row."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from pomona.compile.stopwatch.library import Library
from pomona.compile.stopwatch.systems.encoding import arrays_of
from pomona.foundation.errors import SettingError


def find_function(text: str) -> Callable[[Any], Any]:
    """What module:function names; modules of the current folder can be named. Raises SettingError."""
    module_name, _, name = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise SettingError(f"module {module_name} has no {name!r}") from None
    except Exception as error:  # importing runs anyone's code
        raise SettingError(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise SettingError(f"{text} is {type(found).__name__}, a function is wanted")
    return found


class Function:
    """Calls with a dict of arrays, or without inputs with an array of the samples' numbers."""

    def __init__(self, function: Callable[[Any], Any], library: Library, heads: Sequence[str]):
        self._function, self._library, self._heads = function, library, heads

    def answer(self, samples: Int[np.ndarray, " sample"]) -> Any:
        """What the function returns."""
        return self._function(self._library.batch(samples) if self._library.arrays else samples)

    def outputs(self, answer: Any) -> Mapping[str, np.ndarray]:
        """Head → output, of a dict by head or the array of the only one."""
        return arrays_of(answer, self._heads)

    def close(self) -> None:
        """Nothing is to be done."""
