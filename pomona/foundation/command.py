"""What every verb does around its method: the folder, the resume, the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomona.foundation.console import Console
from pomona.foundation.run import Run, open_run
from pomona.foundation.run_folder import default_folder

PATHS = ("artifact", "report", "forecast", "plan")
"""Entries of a result that name files of the run: stored relative to its folder, so that it can be moved."""


@dataclass(frozen=True)
class CommandOptions:
    """What every verb takes, whatever it does."""

    out: Path | None = None
    """Folder of the run; otherwise runs/VERB-SUBJECT-HASH below the current folder."""

    seed: int = 0
    """Everything random follows from it."""

    quiet: bool = False
    """No progress and no remarks."""

    device: str = "auto"
    """cpu, cuda, or auto: an accelerator when there is one."""


def carry_out(
    method: Callable[[Run], Mapping[str, Any]],
    *,
    verb: str,
    subject: str,
    identity: Mapping[str, Any],
    options: CommandOptions,
    seconds: float | None = None,
) -> dict[str, Any]:
    """The result of `method` in its run folder: new, gone on with, or, when it is finished, read from there.

    `identity` is what makes two commands the same work. Raises Interrupted when the user stops it: the same
    command goes on from the saved state.
    """
    folder = Path(options.out or default_folder(verb, subject, options.seed, identity))
    console = Console(quiet=options.quiet)
    with open_run(
        folder,
        verb=verb,
        subject=subject,
        identity=identity,
        seed=options.seed,
        seconds=seconds,
        device=options.device,
        console=console,
    ) as run:
        result = run.result
        if result is None:
            result = method(run)
            run.check_interrupt()
            run.finish(result)
            result = run.result or {}
        else:
            console.line(f"finished before; this is its result ({run.folder})")
    return {k: str(folder / v) if k in PATHS and v else v for k, v in result.items()}
