"""What a measurement shows and what it does not, in sentences."""

from collections.abc import Mapping
from typing import Any

from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import FULL_SECONDS, BenchSettings
from pomona.compile.stopwatch.systems.open import Opened


def claims(row: Mapping[str, Any], scenario: Scenario, settings: BenchSettings, opened: Opened) -> list[str]:
    """Of a system's numbers: the verdict, what may be said, and what may not."""
    said = [
        f"{row['system']} is {'VALID' if row['valid'] else 'not valid'} by the rules of {scenario.title}."
    ]
    said += [f"Not valid: {reason}." for reason in row["reasons"]]
    share, bound = row["percentile"], row["early_stopping_ms"]
    if bound is not None:
        said.append(
            f"With 99 % confidence {share:.4g} of queries are answered within {bound:.4g} ms, as long as the "
            f"machine and the load stay as they were in these {row['seconds']:.1f} s."
        )
    if settings.quick:
        said.append(
            f"Quick: it cannot tell what {FULL_SECONDS:g} s of load do to the machine (heat, clock rates, "
            "memory, neighbours), and nothing of it may be called a result of MLPerf."
        )
    if row["quality"] is None:
        said.append("Quality was not measured: there are no labelled examples. Give --task.")
    elif row["quality"]["reference"] is None:
        said.append("There is nothing to compare its quality with. Give --reference.")
    if opened.library.about.startswith("16 made-up"):
        said.append(
            "Inputs were made up: where time depends on what is asked, this is not the time of real queries."
        )
    return said
