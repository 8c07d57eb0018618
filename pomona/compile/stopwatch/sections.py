"""What the report shows of a measurement: verdict, percentiles, histogram, time line, comparison."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.stopwatch.claims import claims
from pomona.compile.stopwatch.outcome import Outcome
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.open import Opened
from pomona.compile.stopwatch.timings import NS_IN_MS, Timings
from pomona.foundation.report import bars, line, number, numbers, series, table, text, write_section
from pomona.foundation.run import available_threads

SHARES = (0.5, 0.9, 0.95, 0.97, 0.99, 0.999)
NUM_BINS = 60
NUM_SLICES = 60

Row = Mapping[str, Any]


def write_bench_sections(
    folder: Path,
    opened: Opened,
    settings: BenchSettings,
    found: Sequence[Outcome],
    rows: Sequence[Row],
    ratios: Mapping[str, Row],
) -> None:
    """Writes all sections into the run's folder."""
    scenario = SCENARIOS[settings.scenario]
    verdict = [figure for row in rows for figure in _figures(row, several=len(rows) > 1)]
    told = [text("\n\n".join(claims(row, scenario, settings, opened))) for row in rows]
    write_section(
        folder,
        10,
        "verdict",
        "How fast it answers",
        [numbers(*verdict), *told],
        f"{scenario.title}: {scenario.means}.",
    )
    if ratios:
        write_section(folder, 20, "systems", "Side by side", _side_by_side(rows, ratios))
    write_section(
        folder, 30, "percentiles", "Percentiles", [_percentiles(found)], _what_is_timed(scenario.name)
    )
    write_section(folder, 40, "histogram", "How latencies spread", [_histogram(found)])
    write_section(folder, 50, "time-line", "Over time", _time_line(found))
    write_section(folder, 60, "how", "How it was measured", [_how(opened, settings, found)])


def _figures(row: Row, *, several: bool) -> list[dict[str, Any]]:
    name = f"{row['system']}: " if several else ""
    share = f"{row['percentile']:.4g}"
    return [
        number(f"{name}valid", row["valid"], note="; ".join(row["reasons"])),
        number(f"{name}samples a second", row["qps"]),
        number(
            f"{name}latency, share {share}", row["early_stopping_ms"], unit="ms", note="claimed with 99 %"
        ),
        number(f"{name}median", row["p50_ms"], unit="ms"),
    ]


def _side_by_side(rows: Sequence[Row], ratios: Mapping[str, Row]) -> list[dict[str, Any]]:
    columns = ["system", "p50", "p90", "p99", "claimed", "samples a second", "times as fast", "low", "high"]
    cells = [
        [
            row["system"],
            *(row[key] for key in ("p50_ms", "p90_ms", "p99_ms", "early_stopping_ms", "qps")),
            *(ratios.get(row["system"], {}).get(key) for key in ("ratio", "low", "high")),
        ]
        for row in rows
    ]
    against = next(iter(ratios.values()))["against"]
    values = {
        name: (one["ratio"], one["low"], one["high"]) if one["low"] is not None else one["ratio"]
        for name, one in ratios.items()
    }
    caption = f"against {against}; systems took turns, intervals of 95 % are over rounds"
    return [table(columns, cells, caption="latencies in ms"), bars(values, "times as fast", caption=caption)]


def _percentiles(found: Sequence[Outcome]) -> dict[str, Any]:
    columns = ["share of queries", *(one.name for one in found)]
    shares = [[f"{share:.1%}", *(one.timings.percentile_ms(share) for one in found)] for share in SHARES]
    ends = [
        ["mean", *(_finite(one.timings.latency_ns.mean()) for one in found)],
        ["fastest", *(_finite(one.timings.latency_ns.min()) for one in found)],
        ["slowest", *(_finite(one.timings.latency_ns.max()) for one in found)],
        [
            "sent late, share 99 %",
            *(float(np.quantile(one.timings.late_ns, 0.99)) / NS_IN_MS for one in found),
        ],
    ]
    return table(columns, [*shares, *ends], caption="milliseconds")


def _histogram(found: Sequence[Outcome]) -> dict[str, Any]:
    finite = [_latencies_ms(one.timings) for one in found]
    known = np.concatenate(finite)
    if not len(known):
        return text("No query was answered.")
    # a few slow queries would push all others into one bin
    low, high = max(known.min(), 1e-6), float(np.quantile(known, 0.999))
    edges = np.geomspace(low * 0.999, max(high, low * 1.001) * 1.001, NUM_BINS + 1)
    centres = np.sqrt(edges[1:] * edges[:-1])
    lines = [
        series(one.name, centres, np.histogram(values, edges)[0] / max(len(values), 1), step=True)
        for one, values in zip(found, finite, strict=True)
    ]
    return line(lines, "latency in ms", "share of queries", x_log=True, y_format="percent")


def _time_line(found: Sequence[Outcome]) -> list[dict[str, Any]]:
    lines = []
    for one in found:
        timings = one.timings
        answered = ~timings.failed
        places = np.minimum(
            (timings.done / max(timings.done.max(initial=1), 1) * NUM_SLICES).astype(int), NUM_SLICES - 1
        )
        moments = (np.arange(NUM_SLICES) + 0.5) / NUM_SLICES * timings.seconds
        for share, label in ((0.5, "median"), (0.99, "share 99 %")):
            values = [
                _quantile(timings.latency_ns[(places == place) & answered], share)
                for place in range(NUM_SLICES)
            ]
            lines.append(series(f"{one.name}: {label}", moments, values))
    return [line(lines, "seconds", "latency in ms", caption="rounds one after the other")]


def _how(opened: Opened, settings: BenchSettings, found: Sequence[Outcome]) -> dict[str, Any]:
    rows = [
        ["samples", opened.library.about],
        ["of which queries are drawn", str(opened.library.num_loaded)],
        ["threads of a runtime", str(settings.threads)],
        ["queries at the same time", str(settings.concurrency)],
        ["rounds", str(len(found[0].rounds))],
        ["warm-up, in none of the numbers", f"{sum(one.warm_up_s for one in found):.1f} s"],
        ["garbage collection", "off while the clock ran"],
        [
            "machine",
            f"{platform.machine()}, {available_threads()} cores for this process, {platform.system()}",
        ],
        ["Python", platform.python_version()],
    ]
    return table(["what", "value"], rows)


def _what_is_timed(scenario: str) -> str:
    return {
        "server": "From the moment at which a query should have been sent to its answer.",
        "offline": "Of calls, each with as many samples as --batch says: offline has no latency of its own.",
    }.get(scenario, "From sending a query to its answer.")


def _latencies_ms(timings: Timings) -> np.ndarray:
    return timings.latency_ns[~timings.failed] / NS_IN_MS


def _quantile(values: np.ndarray, share: float) -> float | None:
    return float(np.quantile(values, share)) / NS_IN_MS if len(values) else None


def _finite(value: float) -> float | None:
    return float(value) / NS_IN_MS if np.isfinite(value) else None
