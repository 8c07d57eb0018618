"""Energy that the processor used, where the machine lets it be read (RAPL: Intel's and AMD's counters)."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Counter:
    """A package's counter of microjoules, which starts again from 0 at its range."""

    path: Path
    range_uj: int


def counters(folder: Path = FOLDER) -> list[Counter]:
    """The packages' counters that can be read; none in most virtual machines and without permission."""
    found = []
    for path in sorted(folder.glob("intel-rapl:*")):
        # deeper domains such as intel-rapl:0:1 are parts of a package's
        if path.name.count(":") > 1:
            continue
        try:
            int((path / "energy_uj").read_text())
            found.append(Counter(path / "energy_uj", int((path / "max_energy_range_uj").read_text())))
        except (OSError, ValueError):
            continue
    return found


def read_uj(found: list[Counter]) -> list[int]:
    """What the counters show now."""
    return [int(counter.path.read_text()) for counter in found]


def joules(found: list[Counter], before: list[int], after: list[int]) -> float | None:
    """The energy between two readings, None without counters. Counters may have wrapped once."""
    if not found:
        return None
    used = [
        (end - start) % counter.range_uj for counter, start, end in zip(found, before, after, strict=True)
    ]
    return sum(used) / 1e6
