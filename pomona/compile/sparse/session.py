"""A session that runs sparse networks natively, and everything else in ONNX Runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from jaxtyping import Shaped

from pomona.compile.sparse.describe import Description, describe_native, describe_onnx
from pomona.compile.sparse.detect import detect
from pomona.compile.sparse.model_file import onnx_source
from pomona.compile.sparse.parts import split
from pomona.compile.sparse.reading import read_graph, read_onnx
from pomona.compile.sparse.running import Running
from pomona.compile.sparse.simplify import simplify
from pomona.compile.sparse.verdict import example_batch, machine_name, verdict, verdict_key
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.console import Console
from pomona.foundation.errors import MissingExtraError, SettingError, SpecError, unknown_name

Runtime = Literal["auto", "sparse", "onnx"]
Shapes = Mapping[str, tuple[int, ...]]


def open_sparse(model: bytes, threads: int) -> "SparseSession":
    """The session of an ONNX file's content, with a bar while it is tuned: for `load(…, open_session=…)`."""
    return SparseSession(model, threads=threads, console=Console())


class SparseSession:
    """Runs an ONNX model: natively where its zeros make that faster, else in ONNX Runtime.

    `model` is a file, the bytes of one, or an artifact's folder. With the runtime auto a sparse model is run
    by both once on this machine and the faster one is kept; sparse insists on the native program, onnx on
    ONNX Runtime. `shapes` gives the shape of one example for inputs with free axes. `console` shows how far
    it is while a model is tuned that this machine has not met. `reason` says in one line what runs the model
    and why, `describe()` what every layer is.

    Batches of any size are taken, an example at a time. Numbers do not depend on `threads`. Raises
    ArtifactError for what is no whole model, and with the runtime sparse SpecError, naming the operator and
    where it stands, for what cannot be compiled.

    >>> session = SparseSession("model.onnx", threads=2)  # doctest: +SKIP
    >>> session.run({"image": images})["label"].shape  # doctest: +SKIP
    (8, 1000)
    """

    def __init__(
        self,
        model: str | Path | bytes,
        *,
        threads: int = 1,
        runtime: Runtime = "auto",
        shapes: Shapes | None = None,
        console: Console | None = None,
    ):
        if runtime not in get_args(Runtime):
            raise unknown_name("runtime", runtime, get_args(Runtime))
        if threads < 1:
            raise SettingError(f"threads is at least 1, got {threads}")
        self.threads = threads
        given = _Model(onnx_source(model), threads, dict(shapes or {}))
        self.metadata, self._session, self._description = _opened(given, runtime, console)

    @property
    def reason(self) -> str:
        """What runs the model and why, in one line."""
        return self._description.headline

    @property
    def is_native(self) -> bool:
        """Whether the native program runs the model, or parts of it."""
        return not isinstance(self._session, OnnxSession)

    def run(self, inputs: Mapping[str, Shaped[np.ndarray, "batch ..."]]) -> dict[str, np.ndarray]:
        """Output → its array. Raises DataError when an input is missing or has another shape or type."""
        if isinstance(self._session, Running) or not _takes_one(self._session):
            return self._session.run(inputs)
        sizes = {len(inputs[name]) for name in self._session.inputs if name in inputs}
        if len(sizes) != 1 or max(sizes) < 2:
            return self._session.run(inputs)
        parts = [
            self._session.run({name: array[index : index + 1] for name, array in inputs.items()})
            for index in range(sizes.pop())
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def describe(self) -> Description:
        """What runs the model, why, and its layers: name, shape, sparsity, kernel, microseconds.

        Native layers are timed now, each alone and on one thread.
        """
        if isinstance(self._session, Running):
            return self._description.timed(self._session.kernels(), self._session.times())
        return self._description


@dataclass(frozen=True)
class _Model:
    """What was given, and how it is to be run."""

    source: Path | bytes
    threads: int
    shapes: Shapes

    def key(self) -> str:
        """A name for what is kept of it on this machine."""
        return verdict_key(self.source, self.threads, sorted(self.shapes.items()), machine_name())

    def in_onnx(self) -> OnnxSession:
        """ONNX Runtime's session; of a file by its path, where it may find weights beside it."""
        return OnnxSession(self.source, threads=self.threads)


def _takes_one(session: OnnxSession) -> bool:
    """Whether the model takes one example at a time and no more."""
    return all(shape[:1] == (1,) for shape, _ in session.inputs.values())


Opened = tuple[dict[str, str], Running | OnnxSession, Description]


def _opened(model: _Model, runtime: Runtime, console: Console | None) -> Opened:
    """The file's properties, what runs it, and its description."""
    graph = read_graph(model.source)
    metadata = {entry.key: entry.value for entry in graph.model.metadata_props}
    if runtime == "onnx":
        return metadata, model.in_onnx(), Description("onnx", "asked for")
    try:
        network = simplify(read_onnx(graph, model.shapes))
        found = detect(network)
        if runtime == "auto" and not found.is_sparse:
            return metadata, model.in_onnx(), describe_onnx(found.reason, network)
        parts = split(network, graph)
        native, dense = describe_native(found.reason, network), describe_onnx(found.reason, network)
        del graph  # its weights would stand beside the packed ones
        running = Running(network, parts, threads=model.threads, console=console)
    except (SpecError, MissingExtraError) as error:
        if runtime == "sparse":
            raise
        return metadata, model.in_onnx(), Description("onnx", str(error))
    del network, parts
    if runtime == "sparse":
        return metadata, running, native
    shapes = {name: value.shape for name, value in running.inputs.items()}
    example = example_batch(shapes)
    taken = verdict(model.key(), running, model.in_onnx, example, threads=model.threads)
    if taken.takes_sparse:
        return metadata, running, native.because(taken.reason)
    return metadata, model.in_onnx(), dense.because(taken.reason)
