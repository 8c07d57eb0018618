"""LiteRT's interpreters, opened without its greeting."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pomona.foundation.errors import AssetError, MissingExtraError

_one_at_a_time = threading.Lock()


def open_interpreter(model: Path | bytes, name: str, *, threads: int = 1) -> Any:
    """An interpreter with its tensors allocated, of a model's file or its bytes.

    Raises AssetError, with the model's `name`, when LiteRT cannot run it.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "perceive") from error
    source: dict[str, Any] = (
        {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    )
    try:
        with _one_at_a_time, _quiet_standard_error():
            interpreter = Interpreter(num_threads=threads, **source)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise AssetError(f"{name} is not a model that LiteRT can run: {error}") from error
    return interpreter


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Descriptor 2 leads nowhere: the library's C++ writes to it, whatever Python's sys.stderr is."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
