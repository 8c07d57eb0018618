"""All formats of landmarks by name."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pomona.foundation.errors import unknown_name
from pomona.perceive.formats.bvh import write_bvh
from pomona.perceive.formats.coco_wholebody import read_coco, write_coco
from pomona.perceive.formats.json_lines import read_json_lines, write_json_lines
from pomona.perceive.formats.openpose import read_openpose, write_openpose
from pomona.perceive.formats.parquet import read_parquet, write_parquet
from pomona.perceive.holistic.record import Observation


class Format(NamedTuple):
    """How a format is written and read; BVH holds angles of a skeleton, from which no landmarks come back."""

    write: Callable[[Iterable[Observation], str | Path], list[Path]]
    read: Callable[[str | Path], Iterator[Observation]] | None


FORMATS: dict[str, Format] = {
    "parquet": Format(write_parquet, read_parquet),
    "jsonl": Format(write_json_lines, read_json_lines),
    "coco": Format(write_coco, read_coco),
    "openpose": Format(write_openpose, read_openpose),
    "bvh": Format(write_bvh, None),
}

_ENDINGS = {
    "parquet": ".parquet",
    "jsonl": ".jsonl",
    "coco": ".coco.json",
    "openpose": "-openpose",
    "bvh": ".bvh",
}


def convert(landmarks: str | Path, to_format: str, out: str | Path | None = None) -> list[Path]:
    """Writes the observations of a landmarks.parquet in another format; returns the files.

    Without `out` they lie beside the table: landmarks.jsonl, landmarks.coco.json, landmarks.bvh, and for
    OpenPose, which has a file a frame, the folder landmarks-openpose.

    >>> convert("runs/perceive-dance/landmarks.parquet", "coco")
    [PosixPath('runs/perceive-dance/landmarks.coco.json')]
    """
    if to_format not in FORMATS:
        raise unknown_name("format", to_format, FORMATS)
    landmarks = Path(landmarks)
    place = landmarks.with_suffix("") if out is None else Path(out)
    if out is None:
        place = place.with_name(place.name + _ENDINGS[to_format])
    return FORMATS[to_format].write(read_parquet(landmarks), place)
