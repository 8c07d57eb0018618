"""A JPEG from anybody becomes pixels, or one clean refusal."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pomona.foundation.errors import DataError
from pomona.web.live.picture import read_jpeg


def jpeg(width=48, height=32, mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def with_size(content, width, height):
    """The same JPEG, whose frame header now tells another size."""
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(48, 32), (1, 1), (1280, 1)])
def test_pixels_are_rgb_of_that_size(mode, size):
    content = jpeg(*size, mode=mode)
    image = read_jpeg(content, longest_side=1280)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


@pytest.mark.parametrize("size", [(1281, 1), (1, 1281), (65500, 65500), (65500, 1)])
def test_a_large_picture_is_refused_before_it_is_unpacked(size, monkeypatch):
    def unpack(*_):
        raise AssertionError("unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    with pytest.raises(DataError, match="1280 pixels a side"):
        read_jpeg(with_size(jpeg(), *size), longest_side=1280)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "must be a JPEG"),
        (b"GIF89a" + bytes(100), "must be a JPEG"),
        (b"\xff\xd8\xff\xe0", "must be a JPEG"),
        (jpeg(progressive=True), "progressive"),
        (jpeg()[:-300], "cut off"),
    ],
)
def test_other_content_is_refused_in_words(content, says):
    with pytest.raises(DataError, match=says):
        read_jpeg(content, longest_side=1280)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=12), st.data())
def test_damaged_content_is_read_or_refused_never_worse(changes, data):
    content = bytearray(jpeg())
    for place, value in changes:
        content[place % len(content)] = value
    cut = data.draw(st.integers(0, len(content)))
    for damaged in (bytes(content), bytes(content[:cut])):
        try:
            assert max(read_jpeg(damaged, longest_side=1280).shape) <= 1280
        except DataError:
            pass
