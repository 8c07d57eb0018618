"""Published files restored from repackaged ones, against independent writers of the same forms."""

import functools
import io
import os
import pickle
import subprocess

import numpy as np
import pytest

from pomona.foundation.assets import convert
from pomona.foundation.assets.entries import Asset, Source
from pomona.foundation.assets.extract import make_file
from pomona.foundation.errors import AssetError


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + bytes(array.ravel().tolist())


def test_mnist_pickle_becomes_idx(generator):
    images = generator.integers(0, 256, (9, 28, 28), dtype=np.uint8)
    labels = generator.integers(0, 10, 9, dtype=np.uint8)
    rows, classes = images.reshape(9, 784).astype(np.float32) / 256, labels.astype(np.int64)
    parts = [
        pickle.dumps(tuple((rows[cut], classes[cut]) for cut in (slice(5), slice(5, 7), slice(7, 9))), 3)
    ]
    made = functools.partial(convert.mnist_from_pickle, parts)
    assert made("train-images-idx3-ubyte") == idx(images[:7])
    assert made("train-labels-idx1-ubyte") == idx(labels[:7])
    assert made("t10k-images-idx3-ubyte") == idx(images[7:])
    assert made("t10k-labels-idx1-ubyte") == idx(labels[7:])


class Trap:
    def __reduce__(self):
        return os.system, ("exit 7",)


@pytest.mark.parametrize("content", [pickle.dumps(Trap()), pickle.dumps(3), b"no pickle", b""])
def test_a_pickle_runs_nothing_and_a_strange_one_is_refused(content, tmp_path):
    (tmp_path / "download").write_bytes(content)
    source = Source("https", url="/download", convert="mnist-from-pickle")
    asset = Asset("mnist/train-images-idx3-ubyte", "", "", "", 1, "", "", (source,))
    with pytest.raises(AssetError, match="another form than mnist-from-pickle expects"):
        make_file(asset, source, tmp_path / "download")


def test_cifar_pictures_become_planar_records(generator):
    image = pytest.importorskip("PIL.Image")
    pictures = generator.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    image.fromarray(pictures.reshape(4, 1024, 3)).save(buffer, "png")
    train_labels, test_labels = list(range(8)), [9, 8, 7, 6]
    parts = [buffer.getvalue(), str(train_labels).encode(), str(test_labels).encode()]
    for file, labels in {"data_batch_2.bin": [4, 5, 6, 7], "test_batch.bin": test_labels}.items():
        records = np.frombuffer(convert.cifar10_from_png(parts, file), np.uint8).reshape(4, 3073)
        assert records[:, 0].tolist() == labels
        for index, channel, row, column in np.ndindex(4, 3, 32, 32):
            place = 1 + channel * 1024 + row * 32 + column
            assert records[index, place] == pictures[index, row, column, channel]


def test_letters_come_back_in_their_order(generator):
    order = np.frombuffer(convert.LETTERS_ORDER.read_bytes(), "<u2")
    assert sorted(order.tolist()) == list(range(20_000))
    published = [f"{chr(65 + index % 26)},{index},{index % 7}" for index in range(20_000)]
    shuffled = [published[position] for position in order]
    keel = "".join(f"{row[2:]},{row[0]}\n" for row in shuffled).encode()
    assert convert.letters_from_keel([keel], "") == "".join(f"{row}\n" for row in published).encode()
    with pytest.raises(AssetError, match="19,999 rows"):
        convert.letters_from_keel([keel[keel.index(b"\n") + 1 :]], "")


def test_a_folder_of_a_git_archive_is_what_git_makes_of_that_folder(tmp_path):
    repository = tmp_path / "repository"
    (repository / "recordings").mkdir(parents=True)
    (repository / "README.md").write_text("not wanted")
    for index, size in enumerate([0, 1, 511, 512, 513, 20_000]):
        (repository / "recordings" / f"{index}_someone_0.wav").write_bytes(os.urandom(size))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    run = functools.partial(subprocess.run, cwd=repository, check=True, capture_output=True)
    try:
        run([*git, "init", "-q"])
    except FileNotFoundError:
        pytest.skip("git is not installed")
    run([*git, "add", "."])
    run([*git, "commit", "-q", "-m", "All"])
    whole = run([*git, "archive", "--format=tar", "--prefix=project-1234/", "HEAD"]).stdout
    folder = run([*git, "archive", "--format=tar", "HEAD", "recordings"]).stdout
    assert convert.recordings_from_git_archive([whole], "recordings.tar") == folder
