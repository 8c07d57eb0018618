"""What `pomona perceive` reads of its source and what it writes."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError, unknown_name

OTHER_FORMATS = ("jsonl", "coco", "openpose", "bvh")
"""What landmarks can be written as besides Parquet."""


@dataclass(frozen=True)
class PerceiveSettings:
    """Which frames are looked at, and whether they are drawn."""

    draw: bool = False
    """Write the pictures or the video with what was found drawn over it."""

    every: int = 1
    """Look at every n-th frame only."""

    sequence: bool = False
    """The pictures of a folder are the frames of one video: follow people from one to the next."""

    formats: tuple[str, ...] = ()
    """Write the landmarks in further formats too: any of jsonl, coco (WholeBody), openpose and bvh."""

    seconds: float | None = None
    """Stop after this long; a camera has no end of its own."""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SettingError(f"every must be at least 1, got {self.every}")
        for name in self.formats:
            if name not in OTHER_FORMATS:
                raise unknown_name("format", name, OTHER_FORMATS)
        if self.seconds is not None and not self.seconds > 0:
            raise SettingError(f"seconds must be positive, got {self.seconds}")
