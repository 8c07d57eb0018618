"""Settings of a measurement. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pomona.foundation.errors import SettingError

FULL_SECONDS = 600.0
"""How long the rules want every scenario to run (MLPerf inference policies, 2026-07)."""

QUICK_SECONDS = 10.0


@dataclass(frozen=True)
class BenchSettings:
    """What load is made, of whom it is asked, and for how long."""

    scenario: Literal["single", "multi", "server", "offline"] = "single"
    """One query after the other; several samples a query; queries at random times; all at once."""

    runtime: str = "auto"
    """What runs an artifact or a model's file: torch, onnx, sparse or litert; several with commas between."""

    quick: bool = False
    """Ten seconds instead of ten minutes; such a result is never called valid."""

    seconds: float | None = None
    """How long a system is measured; the rules want 600, less is not called valid."""

    qps: float | None = None
    """Queries a second of the scenario server; otherwise the highest rate that is valid is searched."""

    latency_ms: float = 15.0
    """Bound of the scenario server: at most one query in a hundred may take longer."""

    percentile: float | None = None
    """Share of queries, in (0, 1), that the result speaks of; otherwise that of the scenario."""

    samples: int = 8
    """Samples in a query of the scenario multi."""

    batch: int = 32
    """Samples that a system gets at once in the scenario offline."""

    concurrency: int = 1
    """Queries that are sent at the same time in the scenarios server and offline."""

    threads: int = 1
    """Threads of a runtime for one query."""

    rounds: int | None = None
    """Rounds in which systems take turns: 5 for several systems, 1 for one."""

    quality: float = 0.99
    """Share of the reference's quality that a system must reach."""

    task: str | None = None
    """Task or labelled data from which queries are taken, and on which quality is measured."""

    inputs: Path | None = None
    """An npz file of inputs, one example a row, for models and endpoints without a task."""

    reference: Path | None = None
    """Artifact or ONNX file whose quality is the yardstick; otherwise the artifact itself in torch."""

    send: Literal["json", "npy"] = "json"
    """How inputs are sent to an address."""

    lines: bool = False
    """Start a command once, give it a line a query and read a line for each."""

    timeout_s: float = 30.0
    """How long an address or a command may take for one query."""

    blocks: Path | None = None
    """The file of your own blocks that an artifact's network was made with."""

    log: bool = False
    """Write the files of MLPerf's log too."""

    def __post_init__(self) -> None:
        for name in ("samples", "batch", "concurrency", "threads", "rounds"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}")
        for name in ("seconds", "qps", "latency_ms", "timeout_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SettingError(f"{name} must be above 0, got {value:g}")
        for name in ("percentile", "quality"):
            value = getattr(self, name)
            if value is not None and not 0 < value < (1 if name == "percentile" else 2):
                raise SettingError(f"{name} is a share such as 0.99, got {value:g}")
        if self.qps is not None and self.scenario != "server":
            raise SettingError(f"qps is for the scenario server, {self.scenario} sends as fast as it can")

    @property
    def duration_s(self) -> float:
        """Seconds that each system is measured."""
        return self.seconds or (QUICK_SECONDS if self.quick else FULL_SECONDS)
