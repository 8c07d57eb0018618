"""Silence while a library that talks runs."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

# "" is the root, on which onnxruntime's quantiser talks
_LOGGERS = ("", "torch", "torch.onnx", "torch.export", "torch.fx", "onnxscript", "onnx_ir")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops the warnings, log lines and prints of the block; errors pass."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
