"""What is cut: an artifact or an ONNX file, as the bytes of a model, and an example of its inputs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pomona.compile.pipeline.chain import whole_model
from pomona.compile.pipeline.settings import PartitionSettings
from pomona.export.example import random_batch
from pomona.export.metadata import artifact_of, metadata_of
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.artifact import Artifact, read_artifact
from pomona.foundation.errors import ArtifactError, DataError, SettingError
from pomona.foundation.randomness import stream
from pomona.tasks.feature import Feature


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that is to be cut."""

    name: str
    content: bytes
    artifact: Artifact | None

    @cached_property
    def sha256(self) -> str:
        """Of the model's bytes."""
        return hashlib.sha256(self.content).hexdigest()


def open_subject(subject: str) -> Subject:
    """The model that an artifact's folder or an ONNX file holds; a network without an ONNX file is exported.

    Raises ArtifactError or SettingError when there is none.
    """
    path = Path(subject)
    if path.is_dir():
        artifact = read_artifact(path)
        name = path.resolve().parent.name if path.resolve().name == "artifact" else path.resolve().name
        return Subject(name, _artifact_model(path, artifact), artifact)
    if not path.is_file():
        raise SettingError(f"there is no artifact or file {path}: give an artifact's folder or a .onnx file")
    if path.suffix != ".onnx":
        raise SettingError(f"partition cuts artifacts and .onnx files, {path} is neither")
    content = whole_model(path)
    try:
        artifact = artifact_of(OnnxSession(content).metadata)
    except ArtifactError:
        artifact = None
    return Subject(path.stem, content, artifact)


def example_of(subject: Subject, settings: PartitionSettings, *, seed: int) -> dict[str, np.ndarray]:
    """Inputs of `settings.batch` examples: those of the file that is given, or else random ones.

    Raises DataError when they do not fit, or when nothing says the size of a free axis besides the first.
    """
    shapes = OnnxSession(subject.content).inputs
    if settings.inputs is not None:
        example = _from_file(settings.inputs, shapes, settings.batch)
    elif subject.artifact is not None:
        features = {name: Feature.from_json(plain) for name, plain in subject.artifact.inputs.items()}
        example = random_batch(features, settings.batch, generator=stream(seed, "partition"))
    else:
        example = {name: _made_up(name, *one, settings.batch, seed) for name, one in shapes.items()}
    for name, (shape, dtype) in shapes.items():
        fits = name in example and example[name].ndim == len(shape)
        if not fits or any(s not in (None, a) for s, a in zip(shape, example[name].shape, strict=True)):
            got = tuple(example[name].shape) if name in example else "nothing"
            raise DataError(f"input {name!r} of {subject.name} is of shape {_shown(shape)}, got {got}")
        example[name] = np.ascontiguousarray(example[name], dtype)
    return {name: example[name] for name in shapes}


def _artifact_model(folder: Path, artifact: Artifact) -> bytes:
    if (folder / ONNX_FILE).is_file():
        from pomona.export.metadata import check_seal

        return check_seal(folder / ONNX_FILE)
    from pomona.export.onnx import onnx_bytes
    from pomona.export.predictors.load import load
    from pomona.export.sessions.torch import TorchSession

    predictor = load(folder)
    if not isinstance(predictor.session, TorchSession):
        raise SettingError(f"{folder} has neither a network nor an ONNX file: there is nothing to cut")
    example = random_batch(predictor.inputs, 2, generator=stream(0, "partition"))
    return onnx_bytes(predictor.session.module, example, metadata=metadata_of(artifact))


def _from_file(path: Path, shapes: Mapping[str, object], batch: int) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        only = next(iter(shapes), "")
        arrays = {only: loaded} if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded}
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not readable as npz or npy: {error}") from error
    short = [name for name, array in arrays.items() if array.ndim == 0 or len(array) < batch]
    if short:
        raise DataError(f"{short[0]!r} in {path} has not the {batch} examples that an entry holds")
    return {name: array[:batch] for name, array in arrays.items()}


def _made_up(name: str, shape: tuple[int | None, ...], dtype: np.dtype, batch: int, seed: int) -> np.ndarray:
    if None in shape[1:]:
        raise DataError(
            f"input {name!r} has free axes besides the first ({_shown(shape)}): give examples with --inputs"
        )
    wanted = tuple(size or batch for size in shape)
    generator = stream(seed, "partition", name)
    if dtype.kind == "f":
        return generator.standard_normal(wanted).astype(dtype)
    return generator.integers(0, 2, wanted).astype(dtype)


def _shown(shape: tuple[int | None, ...]) -> str:
    return " x ".join("?" if size is None else str(size) for size in shape)
