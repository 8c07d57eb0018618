import numpy as np
import pytest
from media_samples import photo_folder
from PIL import Image
from table_samples import whole

from pomona.foundation.errors import DataError, MissingExtraError, SettingError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.readers import store
from pomona.tasks.readers.image_files import read_image, read_image_shape
from pomona.tasks.readers.read_input import read_input


@pytest.fixture
def photos(tmp_path):
    return photo_folder(tmp_path / "photos")


def notes(task):
    return " | ".join(task.notes)


def test_sub_folders_are_classes_and_deeper_folders_belong_to_them(photos):
    task = load_task(photos)
    for split in task.splits:
        check_batch(whole(task, split), {**task.inputs, **task.targets})
    assert (task.kind, task.targets["class"].classes) == ("classify", ("china", "flower"))
    assert sum(source.size for source in task.splits.values()) == 24
    channels, height, width = task.inputs["image"].shape
    assert channels == 3
    assert 8 <= min(height, width) <= max(height, width) <= 64


def test_pixels_are_standardised_by_training_images(photos):
    task = load_task(photos)
    pixels = whole(task, "train")["image"]
    np.testing.assert_allclose(pixels.mean((0, 2, 3)), 0, atol=0.02)
    np.testing.assert_allclose(pixels.std((0, 2, 3)), 1, atol=0.02)


def test_prediction_prepares_a_file_as_training_did(photos):
    task = load_task(photos)
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    raw = read_input(photos, task.preprocessing, task.inputs)
    assert list(raw.names) == [str(file.relative_to(photos)) for file in files]
    prepared = task.preprocessing.apply(raw.read(np.arange(raw.size)))["image"]
    trained = whole(task, "train")["image"]
    distance = np.abs(trained[:, None] - prepared[None]).max((2, 3, 4))
    # what is kept for training is rounded to 8 bits: half of a 255th, by the deviation of pixels
    assert distance.min(1).max() < 0.51 / 255 / min(task.preprocessing.steps[0].settings["std"])


def test_adding_files_moves_no_other_file(photos):
    before = {split: set(whole(load_task(photos), split)["id"]) for split in ("train", "valid", "test")}
    generator = stream(1, "more")
    for index in range(10):
        pixels = generator.integers(0, 256, (50, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(photos / "china" / f"more{index}.png")
    after = {split: set(whole(load_task(photos), split)["id"]) for split in ("train", "valid", "test")}
    for split, ids in before.items():
        assert ids <= after[split]


def test_unreadable_images_are_named_and_left_out(photos):
    (photos / "china" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (photos / "china" / "empty.jpg").write_bytes(b"")
    whole_file = (photos / "flower" / "0.png").read_bytes()
    (photos / "flower" / "cut.png").write_bytes(whole_file[: len(whole_file) // 2])
    (photos / "flower" / "notes.txt").write_text("no image")
    (photos / "flower" / ".hidden.png").write_bytes(b"")
    task = load_task(photos)
    assert "broken.png" in notes(task)
    assert "empty.jpg" in notes(task)
    assert "cut.png" in notes(task)
    assert sum(source.size for source in task.splits.values()) == 24


def test_too_many_unreadable_images_are_an_error(photos):
    for index in range(8):
        (photos / "china" / f"broken{index}.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"8 of 32 files are not an image that can be read.*broken0.png"):
        load_task(photos)


def test_folders_of_splits_are_the_splits(tmp_path):
    for split, num_files in (("train", 10), ("val", 4), ("test", 3)):
        photo_folder(tmp_path / "data" / split, num_files, sizes=(20, 30 + num_files))
    task = load_task(tmp_path / "data")
    assert {split: source.size for split, source in task.splits.items()} == {
        "train": 20,
        "valid": 8,
        "test": 6,
    }
    assert task.targets["class"].classes == ("china", "flower")


def test_a_missing_split_folder_is_taken_from_training(tmp_path):
    photo_folder(tmp_path / "data" / "train", 20)
    photo_folder(tmp_path / "data" / "test", 3, sizes=(20, 25))
    task = load_task(tmp_path / "data")
    assert task.splits["test"].size == 6
    assert task.splits["train"].size + task.splits["valid"].size == 40


def test_given_folders_are_the_splits(photos, tmp_path):
    other = photo_folder(tmp_path / "other", 3, sizes=(20, 25))
    (other / "tree").mkdir()
    Image.new("RGB", (9, 9)).save(other / "tree" / "0.png")
    task = load_task(photos, test=other)
    assert task.splits["test"].size == 6
    assert "1 files of classes that training lacks" in notes(task)


def test_large_folders_are_kept_in_mapped_files(photos, monkeypatch):
    expected = load_task(photos)
    monkeypatch.setattr(store, "MEMORY_BYTES", 1000)
    for _ in range(2):  # made, and then found
        task = load_task(photos)
        assert task.fingerprint == expected.fingerprint
        for name, values in whole(expected, "train").items():
            np.testing.assert_array_equal(whole(task, "train")[name], values)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda folder: None, "holds no images, recordings or Parquet files"),
        (lambda folder: (folder / "notes.txt").write_text("x"), "did you mean the file notes.txt"),
        (lambda folder: Image.new("L", (8, 8)).save(folder / "0.png"), "1 files but no sub-folders"),
        (lambda folder: photo_folder(folder, 2), "4 files are too few"),
        (
            lambda folder: [photo_folder(folder), __import__("shutil").rmtree(folder / "china")],
            "only one class",
        ),
    ],
)
def test_a_folder_that_teaches_nothing_is_refused(tmp_path, make, match):
    make(tmp_path)
    with pytest.raises(DataError, match=match) as raised:
        load_task(tmp_path)
    assert "\n" not in str(raised.value)


def test_options_of_tables_are_refused_for_folders(photos):
    with pytest.raises(SettingError, match="--target is for tables"):
        load_task(photos, target="class")
    with pytest.raises(SettingError, match="--group is for tables"):
        load_task(photos, group="who")
    with pytest.raises(SettingError, match="its kind is classify, not regress"):
        load_task(photos, kind="regress")


def test_a_single_image_is_no_task(photos):
    with pytest.raises(DataError, match="wanted a folder with a sub-folder of such files for each class"):
        load_task(photos / "china" / "0.png")


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [
        ("L", (6, 9), "uint8"),
        ("1", (6, 9), "uint8"),
        ("LA", (6, 9, 2), "uint8"),
        ("RGB", (6, 9, 3), "uint8"),
        ("RGBA", (6, 9, 4), "uint8"),
        ("P", (6, 9, 3), "uint8"),
        ("CMYK", (6, 9, 3), "uint8"),
        ("I;16", (6, 9), "uint16"),
        ("F", (6, 9), "uint16"),
    ],
)
def test_images_of_every_mode_are_read(tmp_path, mode, shape, dtype):
    path = tmp_path / ("image.tif" if mode in ("CMYK", "F", "I;16") else "image.png")
    Image.new(mode, (9, 6), 1).save(path)
    pixels = read_image(path)
    assert (pixels.shape, pixels.dtype.name) == (shape, dtype)
    channels = {2: 1, 4: 3}.get(pixels.shape[2], pixels.shape[2]) if pixels.ndim == 3 else 1
    assert read_image_shape(path) == (6, 9, channels)


def test_images_are_turned_as_exif_says(tmp_path):
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    turned = read_image(tmp_path / "turned.png")
    np.testing.assert_array_equal(turned, np.rot90(pixels, -1))
    assert read_image_shape(tmp_path / "turned.png") == (16, 8, 3)


def test_grey_images_of_sixteen_bits_keep_their_depth(tmp_path):
    generator = stream(0, "deep")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index in range(8):
            pixels = generator.integers(1000, 1016, (10, 10)).astype(
                np.uint16
            )  # less than one step of 8 bits
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.tif")
    task = load_task(tmp_path)
    assert task.inputs["image"].shape == (1, 10, 10)
    assert len(np.unique(whole(task, "train")["image"])) == 16


def test_a_machine_without_pillow_is_told_what_to_install(photos, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pomona-ml\[images\]"):
        load_task(photos)
