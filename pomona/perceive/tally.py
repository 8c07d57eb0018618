"""What was counted on the way: plain data, so that an interrupted run goes on counting."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pomona.perceive.holistic.record import PART_NAMES, Observation


@dataclass
class Tally:
    """Frames seen and failed, who was in them, and how long that took."""

    frames: int = 0
    seconds: float = 0.0
    people: list[int] = field(default_factory=list)  # the numbers of all persons seen
    present: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PART_NAMES, 0))
    failed: list[tuple[int, str]] = field(default_factory=list)  # the index of a frame and what is wrong

    def add(self, observation: Observation) -> None:
        """Counts one frame."""
        self.frames += 1
        for name in PART_NAMES:
            self.present[name] += any(getattr(person, name) is not None for person in observation)
        self.people = sorted({*self.people, *(person.person for person in observation)})

    def summary(self) -> dict[str, Any]:
        """The counts as `--json` names them."""
        return {
            "frames": self.frames,
            "failed_frames": len(self.failed),
            "people": len(self.people),
            "parts": {name: {"frames_present": count} for name, count in self.present.items()},
            "seconds": self.seconds,
            "frames_per_second": self.frames / self.seconds if self.seconds > 0 else None,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain data from which `from_json` makes the same tally."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Tally":
        """The tally that `to_json` described."""
        return cls(**{**data, "failed": [(index, reason) for index, reason in data["failed"]]})
