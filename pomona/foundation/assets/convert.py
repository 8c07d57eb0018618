"""Files as their authors published them, restored from the other forms in which packages carry them.

A conversion takes the members that a source names and the file's name, and gives the file's bytes. Whether
they are the published ones is not its business: the hash decides.
"""

import io
import json
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pomona.foundation.errors import AssetError, MissingExtraError

LETTERS_ORDER = Path(__file__).parent / "letters_order.bin"


def mnist_from_pickle(parts: list[bytes], file: str) -> bytes:
    """An IDX file of MNIST from the pickle of Theano's tutorials: float32 images in [0, 255/256], 50,000 to
    train, 10,000 to validate, 10,000 to test."""
    train, valid, test = _ArrayUnpickler(io.BytesIO(parts[0]), encoding="latin1").load()
    kept = [test] if file.startswith("t10k") else [train, valid]
    if "labels" in file:
        return _idx(np.concatenate([labels for _, labels in kept]).astype(np.uint8))
    images = np.concatenate([images for images, _ in kept])
    return _idx(np.rint(images * 256).astype(np.uint8).reshape(-1, 28, 28))


def cifar10_from_png(parts: list[bytes], file: str) -> bytes:
    """A binary batch of CIFAR-10 (label, then 3 planes of 32 × 32, 10,000 times) from a picture with one
    image a row, and the JSON lists of all training and all test labels."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("pillow", "images") from error
    pixels = np.asarray(Image.open(io.BytesIO(parts[0])))
    planes = pixels.transpose(0, 2, 1).reshape(len(pixels), -1)
    train_labels, test_labels = json.loads(parts[1]), json.loads(parts[2])
    if file == "test_batch.bin":
        labels = test_labels
    else:
        number = int(file.removeprefix("data_batch_").removesuffix(".bin"))
        labels = train_labels[(number - 1) * len(pixels) : number * len(pixels)]
    return np.hstack([np.array(labels, np.uint8)[:, None], planes]).tobytes()


def letters_from_keel(parts: list[bytes], file: str) -> bytes:
    """UCI's letter-recognition.data from KEEL's copy, whose rows are shuffled and end with the class.

    `letters_order.bin` says where each of KEEL's rows belongs, as 20,000 little-endian 16-bit numbers. The
    order matters: by custom the first 16,000 rows are for training and the other 4,000 for testing.
    """
    rows = parts[0].decode("ascii", "replace").split()
    order = np.frombuffer(LETTERS_ORDER.read_bytes(), "<u2")
    if len(rows) != len(order):
        raise AssetError(f"KEEL's letters have {len(rows):,} rows where {len(order):,} are wanted")
    restored = [""] * len(rows)
    for position, row in zip(order, rows, strict=True):
        values, _, letter = row.rpartition(",")
        restored[position] = f"{letter},{values}\n"
    return "".join(restored).encode()


def recordings_from_git_archive(parts: list[bytes], file: str) -> bytes:
    """What `git archive COMMIT recordings` gives, from the archive of the whole commit: the entries of that
    folder with the leading folder taken off their names."""
    whole = parts[0]
    blocks = [whole[:1024]]  # the commit's name, in a global header of two blocks
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        for entry in archive:
            name = entry.name.partition("/")[2] + ("/" if entry.isdir() else "")
            if name.startswith("recordings/"):
                end = entry.offset_data + -(-entry.size // 512) * 512
                blocks.append(_renamed(whole[entry.offset : end], name))
    content = b"".join(blocks)
    # git ends an archive with two empty blocks or more, up to a whole record of 20
    return content.ljust(-(-(len(content) + 1024) // 10240) * 10240, b"\0")


def _renamed(blocks: bytes, name: str) -> bytes:
    header = bytearray(blocks[:512])
    header[:100] = name.encode().ljust(100, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%07o\0" % sum(header)
    return bytes(header) + blocks[512:]


def _idx(array: UInt8[np.ndarray, "..."]) -> bytes:
    """The IDX form of MNIST: two zeros, 8 for unsigned bytes, the number of axes, their sizes, the values."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


class _ArrayUnpickler(pickle.Unpickler):
    """Reads pickled NumPy arrays and refuses everything else: a pickle can name any function."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        allowed = {"_reconstruct": np.zeros(0).__reduce__()[0], "ndarray": np.ndarray, "dtype": np.dtype}
        if module_name.partition(".")[0] != "numpy" or global_name not in allowed:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
        return allowed[global_name]


CONVERSIONS: dict[str, Callable[[list[bytes], str], bytes]] = {
    "mnist-from-pickle": mnist_from_pickle,
    "cifar10-from-png": cifar10_from_png,
    "letters-from-keel": letters_from_keel,
    "recordings-from-git-archive": recordings_from_git_archive,
}
