"""What a holistic pipeline looks for, with which models, and how."""

from dataclasses import dataclass
from typing import Literal

from pomona.foundation.errors import SettingError

PARTS = ("pose", "hands", "face")
Complexity = Literal[0, 1, 2]


@dataclass(frozen=True)
class HolisticSettings:
    """Settings of a holistic pipeline. The defaults are for one person before a camera or in a video."""

    parts: tuple[str, ...] = PARTS
    """What to report: any of pose, hands and face. The pose is always found, because it leads to the rest."""

    people: int = 1
    """The most people to follow."""

    complexity: Complexity = 1
    """The pose model: 0 lite, 1 full, 2 heavy."""

    hand_model: Literal["full", "lite"] = "full"
    """The hand model: lite takes half the time and errs more."""

    face_detector: Literal["short", "full"] = "short"
    """The face detector: full reaches faces past two metres, at three times the cost."""

    irises: bool = False
    """Refine eyes and lips and find the irises: the face has 478 points instead of 468."""

    mask: bool = False
    """Tell for every pixel whether it is of a person."""

    still: bool = False
    """Take every frame by itself: nothing is tracked, nothing is smoothed."""

    smooth: bool = True
    """Steady the landmarks over time."""

    min_detection: float = 0.5
    """The least score of a detected person, 0 to 1."""

    min_tracking: float = 0.5
    """The least score with which a person, hand or face is still said to be there, 0 to 1."""

    faithful: bool = False
    """Do exactly as MediaPipe 0.10.21 does, its faults included; only one person, and its simulated clock."""

    def __post_init__(self) -> None:
        wrong = [part for part in self.parts if part not in PARTS]
        if wrong or not self.parts:
            raise SettingError(f"parts are {', '.join(PARTS)}, got {', '.join(map(repr, wrong)) or 'none'}")
        if self.people < 1:
            raise SettingError(f"people must be at least 1, got {self.people}")
        if self.complexity not in (0, 1, 2):
            raise SettingError(f"complexity is 0 (lite), 1 (full) or 2 (heavy), got {self.complexity}")
        for name, choices in (("hand_model", ("full", "lite")), ("face_detector", ("short", "full"))):
            if getattr(self, name) not in choices:
                raise SettingError(f"{name} is {' or '.join(choices)}, got {getattr(self, name)!r}")
        for name in ("min_detection", "min_tracking"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.faithful and self.people > 1:
            raise SettingError("MediaPipe follows one person: faithful goes with people=1")
