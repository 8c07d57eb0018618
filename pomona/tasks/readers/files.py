"""What a file really is: told from its first bytes, and compared with what its name promises."""

import zipfile
from pathlib import Path
from typing import Literal

from pomona.foundation.errors import DataError

Form = Literal["csv", "parquet", "npz", "image", "audio"]

SUFFIXES: dict[str, Form] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".dat", ".data"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".npz": "npz",
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"), "image"
    ),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"), "audio"),
}
NAMES: dict[Form, str] = {
    "csv": "a table in text (CSV)",
    "parquet": "a Parquet table",
    "npz": "an npz archive of arrays",
    "image": "an image",
    "audio": "a recording",
}
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"P5", "image"),
    (b"P6", "image"),
    (b"fLaC", "audio"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"\xff\xfb", "audio"),
    (b"FORM", "audio"),
    (b"\x93NUMPY", "a single NumPy array: save it with numpy.savez under a name"),
    (b"ARROW1", "an Arrow file: write it as Parquet"),
    (b"\x1f\x8b", "compressed with gzip: unpack it"),
    (b"BZh", "compressed with bzip2: unpack it"),
    (b"\xfd7zXZ", "compressed with xz: unpack it"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file: save it as CSV"),
    (b"SQLite format 3", "an SQLite database: export a table as CSV"),
    (b"\x89HDF", "an HDF5 file: save its arrays with numpy.savez"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "text in UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
)


def file_form(path: Path) -> Form:
    """The form of a file, by its content.

    Raises DataError when it is missing, empty, of a form that is not read, or named like another form.
    """
    if not path.exists():
        raise DataError(f"no such file or folder: {path}")
    if not path.is_file():
        raise DataError(f"{path} is a folder; wanted a file")
    told = content_form(path)
    form: Form | None = next((form for form in NAMES if form == told), None)
    promised = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise DataError(f"{path} is {told}; wanted CSV, Parquet, npz, images or recordings")
    if promised and promised != form:
        raise DataError(
            f"{path} is named like {NAMES[promised]} but is {NAMES[form]}; rename it or give the right file"
        )
    return form


def content_form(path: Path) -> str:
    """A Form, or words that say what else the file is."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(f"{path} is empty; wanted a table, arrays, an image or a recording")
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio", b"WEBP": "image"}.get(head[8:12], "a RIFF file of an unknown kind")
    if head[:4] == b"PK\x03\x04":
        return _zip_form(path)
    for beginning, form in _BEGINNINGS:
        if head.startswith(beginning) and not (beginning in (b"BM", b"P5", b"P6") and _is_text(head)):
            return form
    return "csv" if _is_text(head) else "a binary file of an unknown kind"


def _is_text(head: bytes) -> bool:
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)
    return b"\x00" not in head and controls <= len(head) // 100


def _zip_form(path: Path) -> str:
    try:
        names = zipfile.ZipFile(path).namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return "a truncated zip or npz archive: copy it again"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if "[Content_Types].xml" in names:
        return "an Excel or Word file: save it as CSV"
    return "a zip archive: unpack it"
