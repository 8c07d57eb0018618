"""`pomona report`: make report.html again."""

from pathlib import Path

from pomona.cli.options import Json
from pomona.cli.output import answer


def report(folder: Path, /, *, json: Json = False) -> None:
    """Make report.html of a run or an artifact again, from its sections.

    Parameters
    ----------
    folder
        A run's folder or an artifact's.
    """
    with answer(as_json=json) as reply:
        from pomona.foundation.report import write_report

        path = write_report(folder)
        reply.give({"report": str(path)}, [str(path)])
