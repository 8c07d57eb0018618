"""`fit` as a command: a subject and a network in, a run folder with artifact and report out."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from pomona.export.exported_latency import exported_latency
from pomona.export.predictors.network import save_network
from pomona.fit.assessment import Assessment, assess
from pomona.fit.baselines import Baseline, baseline
from pomona.fit.calibration import Calibration, apply_calibration, calibrate
from pomona.fit.card import model_card
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.sections import network_section, scores_section, training_section, write_model_sections
from pomona.fit.sections.attention_graph import write_attention_graph_section
from pomona.fit.sections.front_end import write_front_end_section
from pomona.fit.sections.vit import write_vit_sections
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import PomonaError, SettingError
from pomona.foundation.files import read_text
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report, write_section
from pomona.foundation.run import Run
from pomona.networks.block_kind import BlockKind
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.named import known_blocks
from pomona.networks.pretrained import beginning
from pomona.tasks.batch import Batch
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


def fit_network(
    subject: str | Path, *, network: str = "default", blocks: str | Path | None = None, **keywords: Any
) -> dict[str, Any]:
    """One network, trained: the same as `pomona fit`. Returns what its `--json` prints.

    `subject` is a task's name or a path; further keywords are the fields of FitSettings, DataOptions and
    CommandOptions. Raises InputError when one of them is wrong.

    >>> result = fit_network("digits", epochs=30, seed=1)  # doctest: +SKIP
    >>> pomona.load(result["artifact"]).predict(images)  # doctest: +SKIP
    """
    settings, data, options = split_keywords(keywords, FitSettings, DataOptions, CommandOptions)
    path = None if blocks is None else Path(blocks)
    return fit_command(str(subject), network, settings, blocks=path, data=data, options=options)


def fit_command(
    subject: str,
    network: str,
    settings: FitSettings,
    *,
    blocks: Path | None,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    known = known_blocks(blocks)
    task = load_task(subject, **data.given())
    start = beginning(network, task)
    identity = {**asdict(settings), "network": start.spec.to_json(), "data": task.fingerprint}
    if start.hashes:
        identity["weights"] = start.hashes
    if blocks is not None:
        identity["blocks"] = read_text(blocks)
    command = f"pomona fit {subject} --network {network}"

    def method(run: Run) -> dict[str, Any]:
        result = fit(task, start.spec, settings, run=run, weights=start.weights, blocks=known)
        run.check_interrupt()
        if result.failed:
            raise SettingError(f"training came to nothing: {result.failed}; a lower --learning-rate may help")
        return _finish(task, network, result, run=run, blocks=blocks, command=command)

    return carry_out(method, verb="fit", subject=subject, identity=identity, options=options)


def _finish(
    task: Task, network: str, result: FitResult, *, run: Run, blocks: Path | None, command: str
) -> dict[str, Any]:
    known = known_blocks(blocks)
    module = build(result.spec, run.seed, blocks=known)
    module.load_state_dict(result.state)

    def raw(batch: Batch) -> dict[str, np.ndarray]:
        with evaluating(module):
            return predictions(module(to_tensors(batch, task, place_of(module))), task)

    held = assess(raw, task, "valid", seed=run.seed)
    calibration = calibrate(task, held.predictions, held.truth)

    def calibrated(batch: Batch) -> dict[str, np.ndarray]:
        return apply_calibration(task.kind, calibration, raw(batch))

    valid = assess(calibrated, task, "valid", seed=run.seed)
    tested = assess(calibrated, task, "test", seed=run.seed)
    example = held.source.read(np.arange(min(4, held.source.size)))
    scores = {"valid": valid.values, "test": tested.values}
    save_network(
        run.folder / "artifact", task, result.spec, result.state, example=example,
        calibration=calibration.to_json(), metrics=scores, blocks=blocks,
        card=model_card(task, f"network {network}", tested.values, command=command),
    )  # fmt: skip
    count = parameters(result.spec, blocks=known)
    latency = _latency_ms(module, example)
    cheap = baseline(task, seed=run.seed)
    _write_sections(run.folder, result, valid, tested, cheap, calibration, known, (count, latency))
    write_vit_sections(run.folder, module, tested)
    write_front_end_section(run.folder, module, task)
    write_attention_graph_section(run.folder, module)
    write_report(run.folder)
    return {
        "task": task.name,
        "kind": task.kind,
        "network": network,
        "metric": task.metrics[0],
        "parameters": count,
        "latency_ms": latency,
        "steps": result.steps,
        "seconds": result.seconds,
        **scores,
        "baseline": {"name": cheap.name, "valid": cheap.valid, "test": cheap.test},
        "artifact": "artifact",
        "report": "report.html",
    }


def _latency_ms(module: nn.Module, example: Batch) -> float | None:
    """The latency of the exported network in ONNX Runtime; None where it cannot be exported or run."""
    try:
        return exported_latency(module, example).median_ms
    except PomonaError:
        return None


def _write_sections(
    folder: Path,
    result: FitResult,
    valid: Assessment,
    tested: Assessment,
    cheap: Baseline,
    calibration: Calibration,
    blocks: Mapping[str, BlockKind],
    cost: tuple[int, float | None],
) -> None:
    task = tested.task
    metric = next(iter(tested.values), task.metrics[0])
    scores = scores_section(
        [("this network", valid.values, tested.values), (f"baseline: {cheap.name}", cheap.valid, cheap.test)],
        metric=metric,
        interval=tested.interval(metric),
        examples={split: source.size for split, source in task.splits.items()},
        facts={
            "parameters": (cost[0], ""),
            "latency, exported": (cost[1], "ms"),
            "training": (result.seconds, "s"),
        },
    )
    write_section(folder, 10, "scores", f"{task.name}: scores", scores)
    write_section(folder, 20, "training", "Training", training_section(result.history, metric))
    write_section(folder, 30, "network", "Network", network_section(result.spec, blocks))
    write_model_sections(folder, tested, calibration.temperature)
