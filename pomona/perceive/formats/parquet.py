"""Landmarks as a Parquet table: a row a person a frame, read piece by piece however long the video."""

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from pomona.foundation.errors import DataError, RunError
from pomona.perceive.formats.arrays import ARRAYS
from pomona.perceive.formats.arrow import SCHEMA, from_table, to_batch
from pomona.perceive.formats.new_file import new_file
from pomona.perceive.holistic.record import HolisticRecord, Observation

ROWS_AT_ONCE = 256  # 2.5 MB of landmarks with everything visible
_NOBODY = b"pomona.frames_without_people"


class ParquetWriter:
    """Writes observations to a Parquet file as they come, in row groups.

    The file appears under its name when the writer is closed, with all that was written until then; a block
    that ends in an error, or an interrupt, closes it too. `discard` leaves nothing. Frames in which there is
    nobody have no row: they are noted in the file's metadata, so that `read_parquet` gives them back. Masks,
    images and stage times are not kept.

    >>> with ParquetWriter("landmarks.parquet") as writer:
    ...     for observation in holistic.stream("dance.mp4"):
    ...         writer.write(observation)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._rows: list[HolisticRecord] = []
        self._nobody: list[tuple[int, float, int, int]] = []
        self._place = new_file(self.path)
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            self._place.__enter__(),
            SCHEMA,
            compression="zstd",
            use_dictionary=False,
            # floats compress better by byte; the type stub knows only the switch for all columns
            use_byte_stream_split=[f"{array.name}.list.element.list.element" for array in ARRAYS],  # pyright: ignore[reportArgumentType]
        )

    def write(self, observation: Observation) -> None:
        """Adds the people of one frame."""
        if self._writer is None:
            raise RunError(f"{self.path} is closed: open a new ParquetWriter")
        # a mask or an image that waits with its row would hold a gigabyte
        self._rows += [replace(person, mask=None) for person in observation]
        if not observation.people:
            self._nobody.append(
                (observation.frame, observation.time_s, observation.width, observation.height)
            )
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Finishes the file; does nothing when that was done."""
        if self._writer is None:
            return
        if self._rows:
            self._flush()
        self._writer.add_key_value_metadata({_NOBODY: json.dumps(self._nobody).encode()})
        self._writer.close()
        self._writer = None
        self._place.__exit__(None, None, None)

    def discard(self) -> None:
        """Drops what was written; a file that was there before stays as it was."""
        if self._writer is None:
            return
        with contextlib.suppress(OSError):
            self._writer.close()
        self._writer = None
        self._place.__exit__(RunError, RunError("discarded"), None)

    def _flush(self) -> None:
        assert self._writer is not None
        try:
            self._writer.write_batch(to_batch(self._rows))
        except OSError as error:
            self.discard()
            raise RunError(f"cannot write {self.path}: {error}; nothing half-written is left") from error
        self._rows = []

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def write_parquet(observations: Iterable[Observation], path: str | Path) -> list[Path]:
    """Writes all observations to one Parquet file; an error on the way leaves none. Returns what it wrote."""
    writer = ParquetWriter(path)
    try:
        for observation in observations:
            writer.write(observation)
    except BaseException:
        writer.discard()
        raise
    writer.close()
    return [Path(path)]


def read_parquet(path: str | Path) -> Iterator[Observation]:
    """The observations in a Parquet file that `ParquetWriter` made, in the order of their frames.

    One row group is in memory at a time. Tables that other libraries have rewritten are read too, as long as
    their columns keep names and sizes. Raises DataError for any other file.
    """
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} is not a whole Parquet file: {str(error).splitlines()[0]}") from error
    missing = [name for name in SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        raise DataError(f"{path} is no table of landmarks: it has no column {', '.join(missing)}")
    return _observations(file, Path(path))


def _observations(file: pq.ParquetFile, path: Path) -> Iterator[Observation]:
    metadata = file.metadata.metadata or {}
    nobody = json.loads(metadata.get(_NOBODY) or b"[]")
    empty = iter([Observation(frame, time_s, width, height) for frame, time_s, width, height in nobody])
    waiting = next(empty, None)
    with file:
        for (frame, time_s), people in itertools.groupby(
            _records(file, path), key=lambda record: (record.frame, record.time_s)
        ):
            while waiting is not None and waiting.frame < frame:
                yield waiting
                waiting = next(empty, None)
            found = tuple(people)
            yield Observation(frame, time_s, found[0].width, found[0].height, found)
    while waiting is not None:
        yield waiting
        waiting = next(empty, None)


def _records(file: pq.ParquetFile, path: Path) -> Iterator[HolisticRecord]:
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=SCHEMA.names):
        try:
            yield from from_table(pa.Table.from_batches([batch]))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            raise DataError(f"{path} is no table of landmarks: {str(error).splitlines()[0]}") from error
