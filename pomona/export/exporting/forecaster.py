"""A forecaster as an ONNX file: windows in, forecasts out, everything between them in the graph."""

from pathlib import Path
from typing import Any

from pomona.export.exporting.examples import Examples
from pomona.export.exporting.measure import measured
from pomona.export.exporting.settings import ExportSettings
from pomona.export.onnx import export_onnx
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run


def forecaster_exported(predictor: Any, folder: Path, settings: ExportSettings, run: Run) -> dict[str, Any]:
    """What the command says of the file. Refused when it differs from torch by more than 1e-4 of a head's
    largest entry, when a member of the forecast is no network, and for other forms than ONNX."""
    for form in ("int8", "program"):
        if getattr(settings, form):
            raise SettingError(f"a forecaster is exported as ONNX alone: leave --{form} away")
    module, example = predictor.exportable()
    run.console.line("exporting onnx")
    path = export_onnx(module, example, run.path(ONNX_FILE), artifact=predictor.artifact)
    session = OnnxSession(path.read_bytes(), threads=settings.threads)
    told = measured(session, path, TorchSession(module), Examples((example,), True, None))
    return {
        "source": str(folder),
        "kind": predictor.artifact.task_kind,
        "files": {"onnx": {**told, "agreement": None, "quality": None}},
        "met": True,
        "report": "report.html",
    }
