"""The text of Jane Austen's six novels, chapter by chapter, from R's data package janeaustenr.

The file holds a compressed block for each novel: a vector of lines as R writes it (big-endian, version 3).
"""

import re
import struct
import zlib
from functools import lru_cache

from pomona.foundation.assets import fetch
from pomona.foundation.errors import DataError

NOVELS = (
    "Emma",
    "Mansfield Park",
    "Northanger Abbey",
    "Persuasion",
    "Pride and Prejudice",
    "Sense and Sensibility",
)
"""In the order of the file."""

_HEADING = re.compile(r"^\s*chapter\s+[ivxlc\d]+\.?\s*$", re.IGNORECASE)
_STRING_VECTOR, _NO_STRING = 16, 0xFFFFFFFF


@lru_cache(maxsize=1)
def read_chapters() -> dict[str, tuple[str, ...]]:
    """Novel → its chapters in order, lines joined by single spaces. Fetches the file at the first use."""
    found = {}
    for novel, lines in zip(NOVELS, _novels(fetch("novels/Rdata.rdb").read_bytes()), strict=True):
        starts = [number for number, line in enumerate(lines) if _HEADING.match(line)]
        ends = [*starts[1:], len(lines)]
        chapters = [" ".join(" ".join(lines[a + 1 : b]).split()) for a, b in zip(starts, ends, strict=True)]
        # a table of contents has headings without text
        found[novel] = tuple(chapter for chapter in chapters if chapter)
    return found


def _novels(content: bytes) -> list[list[str]]:
    found, start = [], 0
    while start < len(content):
        (size,) = struct.unpack_from(">I", content, start)
        decompress = zlib.decompressobj()
        plain = decompress.decompress(content[start + 4 :])
        if len(plain) != size:
            raise DataError(f"novels/Rdata.rdb: a block has {len(plain)} bytes instead of {size}")
        found.append(_lines(plain))
        start = len(content) - len(decompress.unused_data)
    return found


def _lines(plain: bytes) -> list[str]:
    """The strings of a serialised vector: a header that ends with the name of an encoding, then the items."""
    (name_length,) = struct.unpack_from(">I", plain, 14)
    place = 18 + name_length
    flags, count = struct.unpack_from(">II", plain, place)
    if plain[:2] != b"X\n" or flags & 0xFF != _STRING_VECTOR:
        raise DataError("novels/Rdata.rdb holds something else than lines of text")
    place += 8
    lines = []
    for _ in range(count):
        _, length = struct.unpack_from(">II", plain, place)
        length = 0 if length == _NO_STRING else length
        lines.append(plain[place + 8 : place + 8 + length].decode("utf-8", "replace"))
        place += 8 + length
    return lines
