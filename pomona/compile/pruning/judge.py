"""What a network of a task is worth, how large it is and how long it takes: the same for dense and sparse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from pomona.compile.sparse.session import SparseSession
from pomona.export.exported_latency import traced_onnx
from pomona.export.latency import latency
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.session import Session
from pomona.export.weights import dense_bytes, weights_bytes
from pomona.fit.assessment import Assessment, Predict, assess
from pomona.fit.calibration import Calibration, apply_calibration, calibrate
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.foundation.errors import PomonaError
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Judged:
    """A network with what was found out about it."""

    spec: Spec
    state: Mapping[str, Tensor]
    predict: Predict
    """Calibrated."""
    calibration: Calibration
    valid: Assessment
    test: Assessment
    example: Batch
    latency_ms: float | None
    """Of the exported network in ONNX Runtime, which gains nothing by zeros; None where it cannot be had."""
    sparse_ms: float | None
    """Of the same in the sparse runtime; None where that cannot run it."""

    @property
    def parameters(self) -> int:
        """How many weights, buffers aside."""
        return sum(weight.numel() for weight in self._weights().values())

    @property
    def nonzero(self) -> int:
        """How many of them are not zero."""
        return sum(int(weight.count_nonzero()) for weight in self._weights().values())

    @property
    def file_bytes(self) -> int:
        """Of the file of weights."""
        return len(weights_bytes(self.state))

    @property
    def dense_file_bytes(self) -> int:
        """Of the same file without compression."""
        return dense_bytes(self.state)

    def _weights(self) -> dict[str, Tensor]:
        names = {name for name, _ in build(self.spec, 0).named_parameters()}
        return {name: tensor for name, tensor in self.state.items() if name in names}

    def summary(self) -> dict[str, Any]:
        """Plain data for a row of a table."""
        return {
            "parameters": self.parameters,
            "nonzero": self.nonzero,
            "file_bytes": self.file_bytes,
            "latency_ms": self.latency_ms,
            "sparse_ms": self.sparse_ms,
            "valid": self.valid.values,
            "test": self.test.values,
        }


def judge(task: Task, spec: Spec, state: Mapping[str, Tensor], *, seed: int) -> Judged:
    """Calibrates a network on validation data and measures it on test data."""
    module = build(spec, 0)
    module.load_state_dict(dict(state))

    def raw(batch: Batch) -> dict[str, np.ndarray]:
        with evaluating(module):
            return predictions(module(to_tensors(batch, task, place_of(module))), task)

    held = assess(raw, task, "valid", seed=seed)
    calibration = calibrate(task, held.predictions, held.truth)

    def calibrated(batch: Batch) -> dict[str, np.ndarray]:
        return apply_calibration(task.kind, calibration, raw(batch))

    valid = assess(calibrated, task, "valid", seed=seed)
    tested = assess(calibrated, task, "test", seed=seed)
    example = held.source.read(np.arange(min(4, held.source.size)))
    times = times_of(module, example)
    return Judged(spec, state, calibrated, calibration, valid, tested, example, *times)


def times_of(module: nn.Module, example: Batch) -> tuple[float | None, float | None]:
    """Milliseconds for one example on one thread in ONNX Runtime and in the sparse runtime."""
    try:
        content = traced_onnx(module, example)
    except (RuntimeError, TypeError, ValueError):
        return None, None
    found = []
    for open_session in (OnnxSession, _sparse_session):
        try:
            found.append(latency(open_session(content), example, seconds=0.1).median_ms)
        except PomonaError:
            found.append(None)
    return found[0], found[1]


def _sparse_session(content: bytes) -> Session:
    return SparseSession(content, runtime="sparse")
