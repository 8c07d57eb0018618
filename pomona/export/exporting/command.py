"""`export` as a command: an artifact in, files for other programs out, each with what it costs."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.export.artifact_task import artifact_task
from pomona.export.exporting.examples import examples_of
from pomona.export.exporting.forecaster import forecaster_exported
from pomona.export.exporting.forms import FORMS, Exported
from pomona.export.exporting.sections import write_export_sections
from pomona.export.exporting.settings import USUAL_LOSS, ExportSettings
from pomona.export.predictors.load import load
from pomona.export.predictors.predictor import Predictor
from pomona.foundation.artifact import read_artifact
from pomona.foundation.artifact.folder import ARTIFACT_FILE
from pomona.foundation.artifact.integrity import file_sha256
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import InputError, SettingError
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


def export_artifact(
    artifact: str | Path, *, blocks: str | Path | None = None, **keywords: Any
) -> dict[str, Any]:
    """Files for other programs from an artifact: the same as `pomona export`. Returns what `--json` prints.

    Keywords are the fields of ExportSettings, DataOptions and CommandOptions; `blocks` is the file of the
    user's own blocks. Whether int8 lost too much is in "met". Raises InputError when something is wrong.

    >>> export_artifact("runs/fit-1a2b/artifact", int8=True)["files"]["int8"]["bytes"]  # doctest: +SKIP
    71839
    """
    settings, data, options = split_keywords(keywords, ExportSettings, DataOptions, CommandOptions)
    return export_command(artifact, settings, blocks=blocks, data=data, options=options)


def export_command(
    artifact: str | Path,
    settings: ExportSettings,
    *,
    blocks: str | Path | None = None,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    folder = Path(artifact)
    if folder.is_file():
        raise SettingError(f"export wants an artifact's folder, {folder} is a file")
    read_artifact(folder)
    identity = {**asdict(settings), "content": file_sha256(folder / ARTIFACT_FILE), **data.given()}

    def method(run: Run) -> dict[str, Any]:
        predictor = load(folder, blocks=blocks)
        if predictor.kind == "forecaster":
            result = forecaster_exported(predictor, folder, settings, run)
            write_export_sections(run.folder, result)
            write_report(run.folder)
            return result
        task = _task(folder, predictor, settings, data)
        result = _exported(Exported(folder, predictor, task, settings, run))
        write_export_sections(run.folder, result)
        write_report(run.folder)
        return result

    result = carry_out(method, verb="export", subject=_name(folder), identity=identity, options=options)
    # not kept in the result, because the folder can be moved
    return {**result, "folder": str(Path(result["report"]).parent)}


def _exported(exported: Exported) -> dict[str, Any]:
    examples = examples_of(exported.predictor, exported.task, seed=exported.run.seed)
    settings = exported.settings
    wanted = [name for name in FORMS if getattr(settings, name)] or ["onnx"]
    files = {}
    for name in wanted:
        exported.run.console.line(f"exporting {name}")
        files[name] = FORMS[name](exported, examples)
        exported.run.check_interrupt()
    met = all(one["quality"]["met"] for one in files.values() if one["quality"] is not None)
    if not met and settings.most_lost is None:
        exported.run.console.line(f"int8 loses more than {USUAL_LOSS:.0%} of the quality: see the report")
    return {
        "source": str(exported.folder),
        "kind": exported.predictor.artifact.task_kind,
        "files": files,
        "met": met,
        "report": "report.html",
    }


def _task(folder: Path, predictor: Predictor, settings: ExportSettings, data: DataOptions) -> Task | None:
    """The artifact's task; None where it cannot be had and nothing needs it."""
    try:
        return artifact_task(folder, predictor.artifact, task=settings.task, data=data)
    except InputError as error:
        if settings.task:
            raise
        if settings.int8 and settings.calibration is None:
            raise SettingError(f"int8 needs examples: {error}, or give records with --calibration") from error
        return None


def _name(folder: Path) -> str:
    """What the run is called: an artifact's folder is mostly called artifact."""
    whole = folder.resolve()
    return f"{whole.parent.name}" if whole.name == "artifact" else whole.name
