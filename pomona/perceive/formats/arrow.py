"""Records as Arrow tables: fixed-size lists of float32, null where a part is absent."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from pomona.foundation.errors import DataError
from pomona.perceive.formats.arrays import ARRAYS, PART_ARRAYS, WORLD_ARRAYS, LandmarkArray
from pomona.perceive.holistic.record import HolisticRecord
from pomona.perceive.region import Region

_REGION_FIELDS = ("x", "y", "width", "height", "rotation")


def _column(array: LandmarkArray) -> pa.Field:
    return pa.field(array.name, pa.list_(pa.list_(pa.float32(), array.shape[1]), array.shape[0]))


SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("time_s", pa.float64(), nullable=False),
        pa.field("person", pa.int32(), nullable=False),
        *map(_column, PART_ARRAYS),
        *map(_column, WORLD_ARRAYS),
        pa.field("score", pa.float64()),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field(
            "regions",
            pa.list_(pa.struct([("part", pa.string()), *((name, pa.float64()) for name in _REGION_FIELDS)])),
        ),
    ]
)


def to_batch(rows: list[HolisticRecord]) -> pa.RecordBatch:
    """The rows as one batch with the columns of SCHEMA."""
    columns: dict[str, pa.Array] = {
        name: pa.array([getattr(row, name) for row in rows], SCHEMA.field(name).type)
        for name in ("frame", "time_s", "person", "score", "width", "height")
    }
    columns["regions"] = pa.array([_region_rows(row) for row in rows], SCHEMA.field("regions").type)
    for array in ARRAYS:
        columns[array.name] = _nested([getattr(row, array.name) for row in rows], array)
    return pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def from_table(table: pa.Table) -> Iterator[HolisticRecord]:
    """The records in the rows of a table; an error of Arrow's where its columns differ."""
    table = table.select(SCHEMA.names).cast(SCHEMA)
    landmarks = {array.name: _arrays(table, array) for array in ARRAYS}
    plain = table.select(["frame", "time_s", "person", "score", "width", "height"]).to_pylist()
    regions = table["regions"].to_pylist()
    for index, row in enumerate(plain):
        fields: dict[str, Any] = {name: arrays[index] for name, arrays in landmarks.items()}
        fields["regions"] = {
            region["part"]: Region(*(region[name] for name in _REGION_FIELDS))
            for region in regions[index] or ()
        }
        yield HolisticRecord(**row, **fields)


def _nested(arrays: list[np.ndarray | None], array: LandmarkArray) -> pa.Array:
    """A column of fixed-size lists, null where there is no array; the slots of nulls hold zeros."""
    values = np.zeros((len(arrays), *array.shape), np.float32)
    absent = np.array([given is None for given in arrays])
    for index, given in enumerate(arrays):
        if given is not None:
            if given.shape != array.shape:
                raise DataError(f"{array.name} has the shape {array.shape}, got {given.shape}")
            values[index] = given
    flat = pa.array(values.reshape(-1))
    points = pa.FixedSizeListArray.from_arrays(flat, type=SCHEMA.field(array.name).type.value_type)
    return pa.FixedSizeListArray.from_arrays(
        points, type=SCHEMA.field(array.name).type, mask=pa.array(absent)
    )


def _region_rows(row: HolisticRecord) -> list[dict[str, Any]]:
    return [
        {"part": part, **{name: getattr(region, name) for name in _REGION_FIELDS}}
        for part, region in row.regions.items()
    ]


def _arrays(table: pa.Table, array: LandmarkArray) -> list[np.ndarray | None]:
    column = table[array.name].combine_chunks()
    present = column.is_valid().to_numpy(zero_copy_only=False)
    values = column.flatten().flatten().to_numpy(zero_copy_only=False).reshape(-1, *array.shape)
    filled = iter(values.copy())
    return [next(filled) if there else None for there in present]
