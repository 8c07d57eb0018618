"""Tables in text (CSV): read block by block, every cell as text, so that no block is read unlike another."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.readers.dialect import Dialect

BLOCK_BYTES = 16 << 20


def text_blocks(path: Path, dialect: Dialect, columns: Sequence[str]) -> Iterator[Batch]:
    """Raw batches of the columns, object arrays of str. Raises DataError, naming the row, for uneven rows."""
    import pyarrow
    import pyarrow.csv

    wanted = set(columns)
    names = [name if name in wanted else f"\x00{index}" for index, name in enumerate(dialect.names)]
    read = pyarrow.csv.ReadOptions(
        use_threads=False,
        block_size=BLOCK_BYTES,
        column_names=names,
        skip_rows=dialect.num_blank_lines,
        skip_rows_after_names=int(dialect.has_header),
    )
    parse = pyarrow.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pyarrow.string()),
        include_columns=list(columns),
        strings_can_be_null=False,
        check_utf8=False,
    )
    try:
        with pyarrow.csv.open_csv(path, read, parse, convert) as reader:
            for block in reader:
                if block.num_rows:
                    yield {name: block.column(name).to_numpy(zero_copy_only=False) for name in columns}
    except pyarrow.ArrowInvalid as error:
        raise _clear(path, str(error)) from error


def check_utf8(path: Path) -> None:
    """Raises DataError with the line of the first byte that is not UTF-8, or that is zero."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            kept = decoder.getstate()[0]
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                # the decoder saw what it had kept of the last chunk, and then this one
                line += (kept + chunk)[: error.start].count(b"\n")
                byte = (kept + chunk)[error.start]
                raise DataError(
                    f"{path} is not UTF-8: byte 0x{byte:02x} in line {line}; if it is Latin-1, convert it: "
                    f"iconv -f ISO-8859-1 -t UTF-8 {path.name} > utf8-{path.name}"
                ) from error
            if b"\x00" in chunk:
                line += chunk[: chunk.index(b"\x00")].count(b"\n")
                raise DataError(f"{path} holds a zero byte in line {line}; it is damaged or not text")
            line += chunk.count(b"\n")
        if decoder.getstate()[0]:
            raise DataError(f"{path} ends within a character (line {line}): it was cut off; copy it again")


def _clear(path: Path, message: str) -> DataError:
    if "straddl" in message:
        return DataError(f"{path} has a row of more than {BLOCK_BYTES >> 20} MB: is a quote not closed?")
    detail = message.removeprefix("CSV parse error: ").splitlines()[0][:160]
    return DataError(f"{path} is not an even table: {detail}; give every row the same number of cells")
