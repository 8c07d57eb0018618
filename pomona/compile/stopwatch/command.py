"""`bench` as a command: something that answers in, how fast it answers and what may be said of that out."""

import hashlib
import importlib.util
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pomona.compile.stopwatch.mlperf_log import write_logs
from pomona.compile.stopwatch.outcome import Outcome, ratios, summary
from pomona.compile.stopwatch.rounds import outcomes
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.sections import write_bench_sections
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.open import Opened, open_subjects
from pomona.compile.stopwatch.systems.subject import Subject, parse_all
from pomona.foundation.artifact.folder import ARTIFACT_FILE
from pomona.foundation.artifact.integrity import file_sha256
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.console import Console
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.tasks.options import DataOptions

ROUNDS = 5
"""In which several systems take turns."""


def bench(*subject: str | Path, **keywords: Any) -> dict[str, Any]:
    """How fast something answers: the same as `pomona bench`. Returns what `--json` prints.

    `subject` is an artifact folder, a .onnx or .tflite file, an address, "module:function" (several of these
    are compared), or the words of a command; keywords are the fields of BenchSettings, DataOptions and
    CommandOptions. Raises InputError when something is wrong.

    >>> bench("runs/fit-digits-1a2b/artifact", quick=True)["p90_ms"]  # doctest: +SKIP
    0.13
    """
    settings, data, options = split_keywords(keywords, BenchSettings, DataOptions, CommandOptions)
    return bench_command(tuple(map(str, subject)), settings, data=data, options=options)


def bench_command(
    words: tuple[str, ...], settings: BenchSettings, *, data: DataOptions, options: CommandOptions
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    if settings.scenario not in SCENARIOS:
        raise unknown_name("scenario", settings.scenario, SCENARIOS)
    subjects = parse_all(words)
    console = Console(quiet=options.quiet)
    opened = open_subjects(subjects, settings, data, seed=options.seed, console=console)
    settings = replace(settings, rounds=_rounds(settings, len(opened.systems)))
    identity = {
        **asdict(settings),
        "content": [_content(subject) for subject in subjects],
        "data": opened.task.fingerprint if opened.task else opened.library.about,
        # another machine has other times
        "machine": _machine(),
    }

    def method(run: Run) -> dict[str, Any]:
        found = outcomes(opened, settings, SCENARIOS[settings.scenario], run=run)
        return _result(opened, settings, found, run=run)

    return carry_out(method, verb="bench", subject=" ".join(words), identity=identity, options=options)


def _result(opened: Opened, settings: BenchSettings, found: list[Outcome], *, run: Run) -> dict[str, Any]:
    scenario = SCENARIOS[settings.scenario]
    rows = [summary(one, scenario, settings) for one in found]
    compared = ratios(found, scenario, settings)
    write_bench_sections(run.folder, opened, settings, found, rows, compared)
    if settings.log:
        loaded, folder = opened.library.num_loaded, run.folder / "mlperf"
        for place, one in enumerate(found):
            name = one.runtime if len({other.runtime for other in found}) == len(found) else f"{place}"
            write_logs(folder / name, one, scenario, settings, loaded, seed=run.seed)
    write_report(run.folder)
    if len(rows) == 1:
        return {**rows[0], "report": "report.html"}
    return {"scenario": scenario.name, "systems": rows, "ratio": compared, "report": "report.html"}


def _rounds(settings: BenchSettings, num_systems: int) -> int:
    """How often systems take turns; a search for the highest rate is made once each."""
    if settings.scenario == "server" and settings.qps is None:
        if settings.rounds not in (None, 1):
            raise SettingError(
                "the highest rate is searched once for each system: give --qps for several rounds"
            )
        return 1
    return settings.rounds or (ROUNDS if num_systems > 1 else 1)


def _content(subject: Subject) -> str:
    """What tells one state of a subject from another, where its files can be seen; "" for an address."""
    if subject.kind == "artifact":
        return file_sha256(subject.path / ARTIFACT_FILE)
    paths = [Path(word) for word in subject.words] if subject.kind == "command" else [subject.path]
    if subject.kind == "function":
        found = importlib.util.find_spec(subject.text.partition(":")[0])
        paths = [Path(found.origin)] if found is not None and found.origin else []
    return " ".join(file_sha256(path) for path in paths if path.is_file())


def _machine() -> str:
    facts: Mapping[str, str] = {"node": platform.node(), "processor": platform.machine()}
    return hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()[:12]
