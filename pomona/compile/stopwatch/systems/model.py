"""Models in this process: artifacts and model files, on every runtime that can run them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int

from pomona.compile.stopwatch.library import Library, Shapes
from pomona.compile.stopwatch.systems.subject import Subject
from pomona.compile.stopwatch.systems.system import System
from pomona.compile.tflite.convert import tflite_as_onnx
from pomona.export.metadata import artifact_of
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.session import Session
from pomona.foundation.artifact import Artifact, read_artifact
from pomona.foundation.console import Console
from pomona.foundation.errors import ArtifactError, SettingError, unknown_name
from pomona.tasks.feature import Feature, mask_key


@dataclass(frozen=True)
class Model:
    """An artifact, or a model's file with what it says of itself."""

    path: Path
    artifact: Artifact | None
    shapes: Shapes
    blocks: Path | None = None
    console: Console | None = None
    """Shows how far it is while a runtime is tuned to this machine."""

    @property
    def is_folder(self) -> bool:
        """Whether it is an artifact's folder."""
        return self.path.is_dir()

    @property
    def is_tflite(self) -> bool:
        """Whether it is a TFLite file."""
        return self.path.suffix == ".tflite"

    @cached_property
    def onnx(self) -> Path | bytes:
        """Its ONNX file; of a TFLite file an ONNX model that computes the same.

        Raises SettingError where there is none.
        """
        if self.is_tflite:
            return tflite_as_onnx(self.path)
        path = self.path / ONNX_FILE if self.is_folder else self.path
        if not path.is_file():
            raise SettingError(f"{self.path} has no ONNX file: choose another --runtime")
        return path


def open_model(subject: Subject, blocks: Path | None = None, console: Console | None = None) -> Model:
    """The model that the subject names. Raises ArtifactError when it cannot be read."""
    if subject.kind == "artifact":
        artifact = read_artifact(subject.path)
        return Model(subject.path, artifact, _feature_shapes(artifact), blocks, console)
    if subject.path.suffix == ".tflite":
        from pomona.export.sessions.litert import LiteRtSession

        return Model(subject.path, None, LiteRtSession(subject.path).inputs, console=console)
    session = OnnxSession(subject.path)
    try:
        artifact = artifact_of(session.metadata)
    except ArtifactError:
        artifact = None
    return Model(subject.path, artifact, session.inputs, console=console)


def model_systems(model: Model, names: str, library: Library, *, threads: int) -> list[System]:
    """A system for each of the runtimes, whose names stand with commas between them."""
    wanted = [name.strip() for name in names.split(",") if name.strip()] or ["auto"]
    wanted = [_usual(model) if name == "auto" else name for name in wanted]
    for name in wanted:
        if name not in RUNTIMES:
            raise unknown_name("runtime", name, RUNTIMES)
    return [
        System(name, name, lambda name=name: _running(model, name, library, threads), library)
        for name in dict.fromkeys(wanted)
    ]


def _running(model: Model, name: str, library: Library, threads: int) -> "Running":
    session, shapes = RUNTIMES[name](model, threads), model.shapes
    if model.is_tflite and name != "litert":
        # the inputs of the ONNX model have other names
        shapes = OnnxSession(model.onnx).inputs
        library = library.renamed(shapes)
    return Running(session, shapes, library)


def reference_session(
    model: Model | None, reference: Path | None, library: Library
) -> tuple[Session | None, Library]:
    """What quality is compared with, and the samples as it reads them: `reference`, or the artifact in torch.

    None for a file or an outside system without a reference.
    """
    if reference is not None:
        kind = "artifact" if reference.is_dir() else "file"
        other = open_model(Subject(kind, str(reference)))
        return RUNTIMES["torch" if other.is_folder else _usual(other)](other, 1), library.renamed(
            other.shapes
        )
    if model is None or not model.is_folder:
        return None, library
    return _torch(model, 1), library


class Running:
    """A session and the samples it is given."""

    def __init__(self, session: Session, shapes: Shapes, library: Library):
        self._session = session
        self._library = library
        sizes = {shape[0] for shape, _ in shapes.values() if shape}
        self._at_once = next((size for size in sizes if size is not None), None)

    def answer(self, samples: Int[np.ndarray, " sample"]) -> dict[str, np.ndarray]:
        """Head → output. A model with a fixed batch is called as often as it takes."""
        if self._at_once in (None, len(samples)):
            return self._session.run(self._library.batch(samples))
        parts = [
            self._session.run(self._library.batch(samples[start : start + self._at_once]))
            for start in range(0, len(samples), self._at_once)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def outputs(self, answer: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The answer itself."""
        return answer

    def close(self) -> None:
        """Nothing is to be done."""


def _usual(model: Model) -> str:
    if model.is_tflite:
        return "litert"
    return "onnx" if not model.is_folder or (model.path / ONNX_FILE).is_file() else "torch"


def _torch(model: Model, threads: int) -> Session:
    from pomona.export.predictors.load import load
    from pomona.export.sessions.torch import TorchSession

    if not model.is_folder:
        raise SettingError(f"the runtime torch runs artifacts, {model.path} is a file: choose onnx or sparse")
    session = load(model.path, blocks=model.blocks, runtime="torch").session
    return TorchSession(session.module, threads=threads) if isinstance(session, TorchSession) else session


def _onnx(model: Model, threads: int) -> Session:
    return OnnxSession(model.onnx, threads=threads)


def _sparse(model: Model, threads: int) -> Session:
    from pomona.compile.sparse.session import SparseSession

    path = model.onnx if model.is_tflite else model.path
    return SparseSession(path, threads=threads, console=model.console)


def _litert(model: Model, threads: int) -> Session:
    from pomona.export.sessions.litert import LiteRtSession

    if not model.is_tflite:
        raise SettingError(
            f"the runtime litert runs .tflite files, {model.path} is none: choose another --runtime"
        )
    return LiteRtSession(model.path, threads=threads)


RUNTIMES: dict[str, Callable[[Model, int], Session]] = {
    "torch": _torch,
    "onnx": _onnx,
    "sparse": _sparse,
    "litert": _litert,
}


def _feature_shapes(artifact: Artifact) -> Shapes:
    shapes: dict[str, tuple[tuple[int | None, ...], np.dtype]] = {}
    for name, plain in artifact.inputs.items():
        feature = Feature.from_json(plain)
        shapes[name] = ((None, *feature.shape), np.dtype(feature.dtype))
        if feature.variable:
            shapes[mask_key(name)] = ((None, feature.shape[0]), np.dtype(bool))
    return shapes
