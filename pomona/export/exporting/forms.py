"""The forms in which a network is written, each compared with the artifact before it counts."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pomona.export.example import input_names
from pomona.export.exporting.examples import Examples, calibration_batches
from pomona.export.exporting.measure import agreement, measured, quality_beside
from pomona.export.exporting.quantise import quantised
from pomona.export.exporting.settings import USUAL_LOSS, ExportSettings
from pomona.export.metadata import check_seal, metadata_of
from pomona.export.onnx import TOLERANCE, onnx_bytes
from pomona.export.parity import check_parity
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.predictors.predictor import Predictor
from pomona.export.program import export_program
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.program import ProgramSession
from pomona.export.sessions.session import Session
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.errors import SettingError
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run
from pomona.tasks.task import Task

INT8_FILE, PROGRAM_FILE = "model.int8.onnx", "model.pt2"


@dataclass(frozen=True)
class Exported:
    """An artifact on its way out."""

    folder: Path
    predictor: Predictor
    task: Task | None
    settings: ExportSettings
    run: Run

    @property
    def module(self) -> nn.Module | None:
        """The network in torch; None for an artifact that is an ONNX file."""
        session = self.predictor.session
        return session.module if isinstance(session, TorchSession) else None


def onnx_file(exported: Exported, examples: Examples) -> dict[str, Any]:
    """The ONNX file; refused when it differs from torch by more than 1e-4 of a head's largest entry."""
    session = OnnxSession(_onnx(exported, examples), threads=exported.settings.threads)
    check_parity(exported.predictor.session, session, examples.compared, tolerance=TOLERANCE)
    path = exported.run.path(ONNX_FILE)
    write_bytes(path, _onnx(exported, examples))
    return _told(session, path, exported, examples, target=1 - USUAL_LOSS)


def int8_file(exported: Exported, examples: Examples) -> dict[str, Any]:
    """The file in eight bits; how much quality it loses is measured, not refused."""
    settings = exported.settings
    batches = calibration_batches(
        exported.predictor,
        exported.task,
        settings.calibration,
        settings.examples,
        seed=exported.run.seed,
    )
    model = quantised(_onnx(exported, examples), batches)
    path = exported.run.path(INT8_FILE)
    write_bytes(path, model)
    most_lost = USUAL_LOSS if settings.most_lost is None else settings.most_lost
    session = OnnxSession(model, threads=settings.threads)
    return _told(session, path, exported, examples, target=1 - most_lost)


def program_file(exported: Exported, examples: Examples) -> dict[str, Any]:
    """The program; refused as the ONNX file is."""
    if exported.module is None:
        raise SettingError(f"{exported.folder} is an ONNX file inside: it has no program of torch.export")
    names = input_names(exported.predictor.inputs)
    example = {name: examples.compared[0][name] for name in names}
    path = export_program(exported.module, example, exported.run.path(PROGRAM_FILE))
    session = ProgramSession(path, names, threads=exported.settings.threads)
    check_parity(exported.predictor.session, session, examples.compared, tolerance=TOLERANCE)
    return _told(session, path, exported, examples, target=1 - USUAL_LOSS)


FORMS: dict[str, Callable[[Exported, Examples], dict[str, Any]]] = {
    "onnx": onnx_file,
    "int8": int8_file,
    "program": program_file,
}


def _onnx(exported: Exported, examples: Examples) -> bytes:
    """The model's bytes: the artifact's own ONNX file, or one that is made once."""
    own, kept = exported.folder / ONNX_FILE, exported.run.path("state", "float.onnx")
    if own.is_file():
        return check_seal(own)
    if kept.is_file():
        return check_seal(kept)
    if exported.module is None:
        raise SettingError(f"{exported.folder} has neither a network nor an ONNX file")
    example, metadata = examples.compared[0], metadata_of(exported.predictor.artifact)
    model = onnx_bytes(exported.module, example, metadata=metadata)
    write_bytes(kept, model)
    return model


def _told(
    session: Session, path: Path, exported: Exported, examples: Examples, *, target: float
) -> dict[str, Any]:
    original = exported.predictor.session
    quality = quality_beside(session, original, exported.task, examples, target=target)
    return {
        **measured(session, path, original, examples),
        "agreement": agreement(session, original, exported.predictor.artifact.task_kind, examples),
        "quality": None if quality is None else asdict(quality),
    }
