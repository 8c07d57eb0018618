"""Landmarks as JSON lines: a line a person a frame, with the names of the Parquet table's columns."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError
from pomona.perceive.formats.arrays import ARRAYS, LandmarkArray
from pomona.perceive.formats.new_file import new_file
from pomona.perceive.holistic.record import HolisticRecord, Observation
from pomona.perceive.region import Region


def write_json_lines(observations: Iterable[Observation], path: str | Path) -> list[Path]:
    """Writes a line for each person in each frame; returns what it wrote.

    A frame with nobody in it is a line whose `person` is null. Numbers have the digits that float32 needs;
    those that are not known (irises, say) are null.
    """
    with new_file(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for observation in observations:
            for person in observation:
                file.write(_line(person) + "\n")
            if not observation.people:
                file.write(json.dumps(_frame(observation) | {"person": None}) + "\n")
    return [Path(path)]


def read_json_lines(path: str | Path) -> Iterator[Observation]:
    """The observations in a file of `write_json_lines`; DataError names the first line that is none."""
    if not Path(path).is_file():
        raise DataError(f"there is no file {path}")
    return _observations(Path(path))


def _observations(path: Path) -> Iterator[Observation]:
    with open(path, encoding="utf-8") as file:
        lines = ((number, _row(path, number, line)) for number, line in enumerate(file, 1) if line.strip())
        for (frame, time_s), group in itertools.groupby(
            lines, key=lambda line: (line[1]["frame"], line[1]["time_s"])
        ):
            rows = list(group)
            people = tuple(_record(path, *row) for row in rows if row[1]["person"] is not None)
            first = rows[0][1]
            yield Observation(frame, time_s, first["width"], first["height"], people)


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"line {number} of {path} is not JSON: {error}") from error
    wanted = ("frame", "time_s", "person", "width", "height")
    missing = [name for name in wanted if not isinstance(row, dict) or name not in row]
    if missing:
        raise DataError(f"line {number} of {path} has no {', '.join(missing)}")
    return row


def _record(path: Path, number: int, row: dict[str, Any]) -> HolisticRecord:
    fields: dict[str, Any] = {
        name: row[name] for name in ("person", "frame", "time_s", "width", "height", "score") if name in row
    }
    for array in ARRAYS:
        if row.get(array.name) is not None:
            fields[array.name] = _array(path, number, array, row[array.name])
    fields["regions"] = {part: Region(**region) for part, region in row.get("regions", {}).items()}
    return HolisticRecord(**fields)


def _array(path: Path, number: int, array: LandmarkArray, values: Any) -> np.ndarray:
    try:
        return np.array(values, np.float32).reshape(array.shape)  # null becomes NaN
    except (TypeError, ValueError):
        shape = " by ".join(map(str, array.shape))
        raise DataError(f"line {number} of {path}: {array.name} must be {shape} numbers") from None


def _line(person: HolisticRecord) -> str:
    row = _frame(person) | {"person": person.person, "score": float(person.score)}
    regions = {part: asdict(region) for part, region in person.regions.items()}
    parts = [f'"{array.name}":{_numbers(getattr(person, array.name))}' for array in ARRAYS]
    return f"{json.dumps(row)[:-1]}, {', '.join(parts)}, " + f'"regions": {json.dumps(regions)}}}'


def _frame(of: HolisticRecord | Observation) -> dict[str, Any]:
    return {"frame": of.frame, "time_s": of.time_s, "width": of.width, "height": of.height}


def _numbers(array: np.ndarray | None) -> str:
    """The array as nested JSON lists, with the shortest digits that are the same float32 again."""
    if array is None:
        return "null"
    finite = np.isfinite(array)
    text = np.where(finite, np.asarray(array, np.float32).astype(str), "null")
    return "[" + ",".join(f"[{','.join(point)}]" for point in text) + "]"
