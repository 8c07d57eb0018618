"""Predictors that run in ONNX Runtime: the network of an artifact, or a file alone. They need no torch."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pomona.export.metadata import artifact_of, check_seal
from pomona.export.predictors.predictor import Predictor
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.session import Session
from pomona.foundation.artifact import Artifact
from pomona.foundation.errors import ArtifactError
from pomona.foundation.run import available_threads

ONNX_FILE = "model.onnx"
WITHOUT_ONNX = "without_onnx"
"""Setting of an artifact that has no ONNX file: why."""


class StoredSession(Session, Protocol):
    """A session of a file that says what it is."""

    @property
    def metadata(self) -> dict[str, str]:
        """The properties that are stored in the file."""
        ...


OpenSession = Callable[[bytes, int], StoredSession]
"""(an ONNX file's content, threads) → what runs it."""


def open_in_onnx_runtime(content: bytes, threads: int) -> StoredSession:
    """ONNX Runtime's session."""
    return OnnxSession(content, threads=threads)


def load_onnx(
    folder: Path,
    artifact: Artifact,
    *,
    blocks: Path | None = None,
    open_session: OpenSession = open_in_onnx_runtime,
) -> Predictor:
    """The predictor of an artifact with its exported network, which has the user's own blocks in it."""
    path = folder / ONNX_FILE
    if not path.is_file():
        reason = artifact.settings.get(WITHOUT_ONNX, "it was saved without one")
        raise ArtifactError(f"{folder} has no {ONNX_FILE} ({reason}): use the runtime torch")
    return Predictor(artifact, _session(path, open_session))


def load_onnx_file(path: Path, *, open_session: OpenSession = open_in_onnx_runtime) -> Predictor:
    """The predictor in an exported file. Raises ArtifactError when it is not Pomona's, or was changed."""
    session = _session(path, open_session)
    try:
        artifact = artifact_of(session.metadata)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error
    return Predictor(replace(artifact, kind="onnx"), session)


def _session(path: Path, open_session: OpenSession) -> StoredSession:
    return open_session(check_seal(path), available_threads())
