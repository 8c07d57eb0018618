"""Tensors with many zeros take few bytes and come back to the bit; damaged ones are refused in one line."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.foundation.artifact.compressed import KEY, compress, decompress
from pomona.foundation.errors import ArtifactError

TYPES = ("float16", "float32", "float64")


def drawn(seed: int, size: int, share: float, dtype: str, is_half: bool) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(size)
    values[generator.random(size) < 0.1] = generator.choice([-0.0, np.inf, np.nan, 1e-7], 1)
    array = np.where(generator.random(size) < share, 0.0, values)
    return array.astype(np.float16).astype(dtype) if is_half else array.astype(dtype)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 60),
    columns=st.integers(0, 90),
    share=st.sampled_from([0.0, 0.3, 0.8, 0.97, 0.9995, 1.0]),
    dtype=st.sampled_from(TYPES),
    is_half=st.booleans(),
)
def test_whatever_is_compressed_comes_back_to_the_bit(seed, rows, columns, share, dtype, is_half):
    tensor = drawn(seed, rows * columns, share, dtype, is_half).reshape(rows, columns)
    others = {
        "bias": np.zeros(3, np.float32),
        "count": np.arange(500),
        "next": drawn(seed + 1, 900, 0.8, "float32", False),
        "half": drawn(seed + 2, 900, 0.99, "float16", True),
    }
    stored, metadata = compress({"weight": tensor, **others})
    found = decompress(stored, metadata)
    assert found.keys() == {"weight", *others}
    assert all(same_bits(found[name], one) for name, one in {"weight": tensor, **others}.items())
    assert sum(a.nbytes for a in stored.values()) <= sum(a.nbytes for a in (tensor, *others.values()))


@pytest.mark.parametrize(
    ("zeros", "dtype", "index", "most"),
    [
        (0.8, "float32", "mask", 0.2 + 1 / 32),
        (0.97, "float32", "gaps", 0.03 + 0.03 / 4),
        (1.0, "float32", "gaps", 0.0),
    ],
)
def test_the_smallest_way_is_taken(zeros, dtype, index, most):
    tensor = np.zeros(100_000, dtype)
    generator = np.random.default_rng(0)
    places = generator.permutation(tensor.size)[: round((1 - zeros) * tensor.size)]
    tensor[places] = generator.standard_normal(len(places))
    stored, metadata = compress({"w": tensor})
    assert json.loads(metadata[KEY])[0][3] == index
    assert sum(a.nbytes for a in stored.values()) <= most * tensor.nbytes + 16


def test_values_of_half_precision_take_half_the_bytes():
    tensor = np.random.default_rng(0).standard_normal(4000).astype(np.float16).astype(np.float32)
    stored, metadata = compress({"w": tensor})
    assert stored[":float16"].nbytes == tensor.nbytes // 2
    assert same_bits(decompress(stored, metadata)["w"], tensor)


def test_dense_tensors_are_stored_as_they_always_were():
    tensor = np.random.default_rng(0).standard_normal((50, 50)).astype(np.float32)
    stored, metadata = compress({"w": tensor})
    assert stored["w"] is tensor
    assert metadata == {}


def break_mask(stored, metadata):
    stored[":places"] = stored[":places"][:-1]


def break_values(stored, metadata):
    stored[":float32"] = stored[":float32"][:-1]


def break_more(stored, metadata):
    stored[":float32"] = np.append(stored[":float32"], np.float32(1))


def break_name(stored, metadata):
    del stored[":float32"]


def break_json(stored, metadata):
    metadata[KEY] = metadata[KEY][:-3]


def break_shape(stored, metadata):
    metadata[KEY] = metadata[KEY].replace("[64,64]", "[64,640]")


def break_axes(stored, metadata):
    metadata[KEY] = metadata[KEY].replace("[64,64]", "[-64,-64]")


def break_kind(stored, metadata):
    metadata[KEY] = metadata[KEY].replace('"mask"', '"tree"')


def break_type(stored, metadata):
    metadata[KEY] = metadata[KEY].replace("float32", "object", 1)


def break_count(stored, metadata):
    metadata[KEY] = metadata[KEY].replace(f",{len(stored[':places'])}]", ",true]")


def break_entry(stored, metadata):
    metadata[KEY] = "[3]"


def break_table(stored, metadata):
    metadata[KEY] = '{"w":1}'


BREAKS = (
    break_mask, break_values, break_more, break_name, break_json, break_shape, break_axes,
    break_kind, break_type, break_count, break_entry, break_table,
)  # fmt: skip


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_damaged_parts_are_refused_in_one_line(damage):
    tensor = drawn(1, 4096, 0.8, "float32", False).reshape(64, 64)
    stored, metadata = compress({"w": tensor})
    damage(stored, metadata)
    with pytest.raises(ArtifactError) as caught:
        decompress(stored, metadata)
    assert "\n" not in str(caught.value)


def test_gaps_that_lead_outside_are_refused():
    tensor = np.zeros(5000, np.float32)
    tensor[[3, 4000]] = 1.5, 1e-30
    stored, metadata = compress({"w": tensor})
    stored[":places"] = np.concatenate([np.full(20, 255, np.uint8), stored[":places"]])
    row = json.loads(metadata[KEY])[0]
    metadata[KEY] = json.dumps([[*row[:-1], row[-1] + 20]])
    with pytest.raises(ArtifactError, match="place"):
        decompress(stored, metadata)
