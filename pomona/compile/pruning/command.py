"""`prune` as a command: a task, an artifact or an ONNX file in, a sparse network and what it lost out."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.compile.pruning.judge import Judged, judge
from pomona.compile.pruning.methods import METHODS
from pomona.compile.pruning.network import Pruned, check_method, prune_network
from pomona.compile.pruning.sections import layer_rows, write_prune_sections
from pomona.compile.pruning.settings import PruneSettings
from pomona.export.predictors.network import save_network
from pomona.export.weights import in_half
from pomona.fit.card import model_card
from pomona.fit.distillation import Lessons, can_be_taught, distil, taught_by
from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject, resolve
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import SettingError
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.networks.named import named_spec
from pomona.tasks.options import DataOptions


def prune(subject: str | Path, *, network: str = "default", **keywords: Any) -> dict[str, Any]:
    """A sparse network, trained: the same as `pomona prune`. Returns what its `--json` prints.

    `subject` is a task's name, a path to data, an artifact folder, an ONNX or a TFLite file; further keywords
    are the fields of PruneSettings, FitSettings, DataOptions and CommandOptions. Raises InputError.

    >>> prune("digits", sparsity="0.9", epochs=30)["sparse"]["accuracy"]  # doctest: +SKIP
    0.98
    """
    kinds = (PruneSettings, FitSettings, DataOptions, CommandOptions)
    settings, training, data, options = split_keywords(keywords, *kinds)
    return prune_command(str(subject), network, settings, training, data=data, options=options)


def prune_command(
    subject: str,
    network: str,
    settings: PruneSettings,
    training: FitSettings,
    *,
    task: str | None = None,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one.

    `task` names the task or data of an artifact whose run does not tell.
    """
    if Path(subject).suffix in (".onnx", ".tflite"):
        from pomona.compile.pruning.onnx_command import prune_onnx_command

        return prune_onnx_command(subject, settings, options=options)
    if settings.calibration is not None or settings.random_calibration:
        raise SettingError("calibration inputs are for an ONNX file; a network is trained on its task")
    check_method(settings)
    given = None if training == FitSettings() else training
    asked = resolve(subject, network, data, task=task, settings=given)
    _check_teaching(asked, settings)
    identity = {
        **asdict(asked.settings),
        "pruning": asdict(settings),
        "network": asked.spec.to_json(),
        "data": asked.task.fingerprint,
    }

    def method(run: Run) -> dict[str, Any]:
        return _pruned(asked, settings, run=run)

    return carry_out(method, verb="prune", subject=subject, identity=identity, options=options)


def _pruned(asked: Subject, settings: PruneSettings, *, run: Run) -> dict[str, Any]:
    """What `--json` prints; writes the artifact and the sections."""
    task, spec, seed = asked.task, asked.spec, run.seed
    state = asked.weights
    if state is None:
        state = _sound(fit(task, spec, asked.settings, run=run, name="dense"), run).state
    dense = judge(task, spec, state, seed=seed)
    lessons = None
    if settings.teacher or settings.student:
        lessons = Lessons(taught_by(dense.predict, task), share=settings.teacher or 0.5)
    found: dict[float, tuple[Pruned, Judged]] = {}
    for sparsity in settings.sparsities():
        sparse = prune_network(
            task, spec, settings, asked.settings, run=run, sparsity=sparsity, name=f"sparse-{sparsity:g}",
            weights=state if METHODS[settings.method].from_dense or asked.weights is not None else None,
            lessons=lessons if settings.teacher else None,
        )  # fmt: skip
        weights = _sound(sparse.result, run).state
        weights = in_half(weights) if settings.values == "float16" else weights
        found[sparsity] = sparse, judge(task, spec, weights, seed=seed)
    student = _student(asked, settings, lessons, run=run) if lessons and settings.student else None
    pruned, last = [*found.values()][-1]
    _save(run.folder / "artifact", asked, settings, last, dense)
    write_prune_sections(run.folder, dense, found, student, settings)
    write_report(run.folder)
    return {
        "task": task.name,
        "kind": task.kind,
        "metric": task.metrics[0],
        "method": settings.method,
        "sparsity": settings.sparsities()[-1],
        "parameters": last.parameters,
        "nonzero": last.nonzero,
        "file_bytes": (run.folder / "artifact" / "weights.safetensors").stat().st_size,
        "dense_file_bytes": dense.dense_file_bytes,
        "dense": dense.test.values,
        "sparse": last.test.values,
        "curve": [{"sparsity": sparsity, **one.summary()} for sparsity, (_, one) in found.items()],
        "layers": layer_rows(pruned, last),
        "student": student and {"network": settings.student, **student.summary()},
        "seconds": sum(one.result.seconds for one, _ in found.values()),
        "artifact": "artifact",
        "report": "report.html",
    }


def _student(asked: Subject, settings: PruneSettings, lessons: Lessons, *, run: Run) -> Judged:
    """A dense network that learns from the one that was pruned."""
    spec = named_spec(settings.student, asked.task)
    result = _sound(distil(asked.task, spec, asked.settings, lessons, run=run, name="student"), run)
    return judge(asked.task, spec, result.state, seed=run.seed)


def _check_teaching(asked: Subject, settings: PruneSettings) -> None:
    if (settings.teacher or settings.student) and not can_be_taught(asked.task):
        raise SettingError(f"a {asked.task.kind} task has no teacher: leave out --teacher and --student")
    if settings.student:
        named_spec(settings.student, asked.task)


def _sound(result: FitResult, run: Run) -> FitResult:
    run.check_interrupt()
    if result.failed:
        raise SettingError(f"training came to nothing: {result.failed}; a lower --learning-rate may help")
    return result


def _save(folder: Path, asked: Subject, settings: PruneSettings, sparse: Judged, dense: Judged) -> None:
    scores: Mapping[str, Any] = {
        "valid": sparse.valid.values, "test": sparse.test.values, "dense": dense.test.values,
    }  # fmt: skip
    command = f"pomona prune {asked.name} --sparsity {settings.sparsities()[-1]:g} --method {settings.method}"
    what = f"sparse network, {sparse.nonzero:,} of {sparse.parameters:,} weights are not zero"
    save_network(
        folder, asked.task, asked.spec, dict(sparse.state), example=sparse.example,
        calibration=sparse.calibration.to_json(), metrics=scores,
        card=model_card(asked.task, what, sparse.test.values, command=command),
    )  # fmt: skip
