"""Pictures, folders, animations, arrays and pipes as sources of frames."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as pillow

from pomona.foundation.errors import DataError
from pomona.perceive.video import open_frames, read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
PICTURE = pillow.fromarray(PIXELS)


def only(path):
    with open_frames(path) as source:
        frames = list(source)
    assert (len(frames), source.kind, source.total) == (1, "image", 1)
    assert (source.height, source.width) == frames[0].image.shape[:2]
    assert frames[0].image.dtype == np.uint8
    return frames[0].image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_makes_a_picture_upright(tmp_path, orientation):
    """The eight orientations as the EXIF standard defines them."""
    exif = pillow.Exif()
    exif[0x112] = orientation
    PICTURE.save(tmp_path / "a.png", exif=exif)
    swapped = PIXELS.transpose(1, 0, 2)
    expected = {
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: swapped,
        6: swapped[:, ::-1],
        7: swapped[::-1, ::-1],
        8: swapped[::-1],
    }
    assert np.array_equal(only(tmp_path / "a.png"), expected[orientation])


def test_a_picture_of_one_pixel_is_a_picture(tmp_path):
    PICTURE.crop((0, 0, 1, 1)).save(tmp_path / "a.png")
    assert np.array_equal(only(tmp_path / "a.png"), PIXELS[:1, :1])


def test_grey_and_deep_pictures_keep_their_levels(tmp_path):
    levels = np.arange(0, 65536, 256, dtype=np.uint16).reshape(16, 16)
    pillow.fromarray(levels).save(tmp_path / "deep.png")
    pillow.fromarray((levels // 256).astype(np.uint8)).save(tmp_path / "grey.png")
    pillow.fromarray((levels / 65536).astype(np.float32)).save(tmp_path / "real.tiff")
    for name in ("deep.png", "grey.png"):
        assert np.array_equal(only(tmp_path / name), np.repeat((levels // 256)[:, :, None], 3, axis=2))
    assert np.abs(only(tmp_path / "real.tiff")[:, :, 1].astype(int) - levels // 256).max() <= 1


def test_transparent_pictures_lie_on_white(tmp_path):
    alpha = np.zeros((30, 40), np.uint8)
    alpha[:, 20:] = 255
    transparent = PICTURE.copy()
    transparent.putalpha(pillow.fromarray(alpha))
    transparent.save(tmp_path / "a.png")
    image = only(tmp_path / "a.png")
    assert (image[:, :20] == 255).all()
    assert np.array_equal(image[:, 20:], PIXELS[:, 20:])


@pytest.mark.parametrize("mode", ["CMYK", "P", "1", "LA", "YCbCr"])
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png")
    PICTURE.convert("L").convert(mode).save(path)
    image = only(path)
    assert image.shape == PIXELS.shape
    if mode != "1":
        assert np.abs(image.astype(int) - np.asarray(PICTURE.convert("L"))[:, :, None]).mean() < 12


def test_an_animation_has_the_times_of_its_frames(tmp_path):
    frames = [PICTURE.rotate(angle) for angle in (90, 180, 270)]
    PICTURE.save(tmp_path / "a.png", save_all=True, append_images=frames, duration=[100, 50, 0, 30])
    with open_frames(tmp_path / "a.png") as source:
        given = list(source)
    assert source.kind == "video"
    assert np.allclose([frame.time_s for frame in given], [0, 0.1, 0.15, 0.25])
    for frame, angle in zip(given, (0, 90, 180, 270), strict=True):
        assert np.array_equal(frame.image, np.asarray(PICTURE.rotate(angle)))


def test_a_folder_is_read_in_the_order_of_its_numbers_without_the_broken(tmp_path):
    for number in (1, 2, 10, 33):
        pillow.fromarray(PIXELS // number).save(tmp_path / f"Photo {number}.png")
    (tmp_path / "photo 3.jpg").write_bytes(b"no picture" * 30)
    (tmp_path / "notes.txt").write_text("no picture either")
    (tmp_path / ".hidden.png").write_bytes(b"hidden")
    (tmp_path / "sub.png").mkdir()
    with open_frames(tmp_path) as source:
        frames = list(source)
    assert [frame.name for frame in frames] == [f"Photo {number}.png" for number in (1, 2, 10, 33)]
    assert [frame.index for frame in frames] == [0, 1, 3, 4]
    assert np.array_equal(frames[2].image, PIXELS // 10)
    assert [index for index, _ in source.failed] == [2]
    assert "photo 3.jpg" in source.failed[0][1]
    assert source.total == 5


def test_broken_pictures_and_empty_folders_are_refused(tmp_path):
    PICTURE.save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.jpg").write_text("dear diary")
    (tmp_path / "phone.heic").write_text("....ftypheic")
    (tmp_path / "empty").mkdir()
    for name in ("cut.jpg", "text.jpg", "phone.heic", "empty"):
        with pytest.raises(DataError, match=name):
            open_frames(tmp_path / name)
    with pytest.raises(DataError, match=r"cut\.jpg"):
        read_picture(tmp_path / "cut.jpg")


def test_arrays_are_frames(tmp_path):
    frames = np.stack([PIXELS, PIXELS // 2])
    np.save(tmp_path / "a.npy", frames)
    np.savez(tmp_path / "a.npz", frames=frames)
    for name in ("a.npy", "a.npz"):
        with open_frames(tmp_path / name) as source:
            assert np.array_equal([frame.image for frame in source], frames)
    np.save(tmp_path / "b.npy", PIXELS.astype(float))
    np.savez(tmp_path / "b.npz", one=frames, two=frames)
    (tmp_path / "c.npy").write_bytes(b"no array")
    for name in ("b.npy", "b.npz", "c.npy"):
        with pytest.raises(DataError, match=name):
            open_frames(tmp_path / name)


COUNT = """
from pomona.perceive.video import open_frames
with open_frames("-") as source:
    print(source.kind, len(list(source)))
"""


def piped(content):
    done = subprocess.run([sys.executable, "-c", COUNT], input=content, capture_output=True)
    return done.stdout.decode().strip() or done.stderr.decode().strip().splitlines()[-1]


def test_pictures_and_videos_come_through_a_pipe(tmp_path):
    from pomona.perceive.video import VideoWriter

    PICTURE.save(tmp_path / "a.jpg")
    with VideoWriter(tmp_path / "a.mp4", 30, (40, 30)) as writer:
        for index in range(5):
            writer.write(PIXELS, index / 30)
    frames = [PICTURE.rotate(angle) for angle in (90, 180)]
    PICTURE.save(tmp_path / "a.gif", save_all=True, append_images=frames, duration=100)
    assert piped((tmp_path / "a.jpg").read_bytes()) == "image 1"
    assert piped((tmp_path / "a.mp4").read_bytes()) == "video 5"
    assert piped((tmp_path / "a.gif").read_bytes()) == "video 3"
    assert "standard input is empty" in piped(b"")
    assert "cannot be read" in piped(b"dear diary" * 100)
