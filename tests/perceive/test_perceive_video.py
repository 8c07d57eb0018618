"""Videos in: every frame, its real time, upright, with the damaged ones named."""

import gc
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from pomona.foundation.errors import DataError, InputError, SettingError
from pomona.perceive.video import camera, open_frames
from pomona.perceive.video.ahead import Ahead
from pomona.perceive.video.upright import quarter_of, turn

SIZE = (64, 48)


def picture(index, size=SIZE):
    """A frame whose level tells its index, with a white corner at the top left and noise below."""
    image = np.full((size[1], size[0], 3), index * 3 % 200, np.uint8)
    image[:12, :12] = 255
    image[24:, 24:] = np.random.default_rng(index).integers(0, 255, image[24:, 24:].shape)
    return image


def write(path, *, num_frames=40, rotation=None, times=None, format=None, codec="libx264"):
    with av.open(str(path), "w", format=format, options={"movflags": "faststart"}) as container:
        options = {"g": "10", "bf": "2"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(num_frames):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path, **options):
    with open_frames(path, **options) as source:
        frames = list(source)
    return source, frames


def damage(path, start, end, name):
    content = bytearray(path.read_bytes())
    first, last = int(len(content) * start), int(len(content) * end)
    content[first:last] = np.random.default_rng(0).bytes(last - first)
    damaged = path.with_name(name)
    damaged.write_bytes(content)
    return damaged


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_frames_and_times_are_those_that_were_written(tmp_path, name):
    source, frames = read(write(tmp_path / name))
    assert [frame.index for frame in frames] == list(range(40))
    assert np.allclose([frame.time_s for frame in frames], np.arange(40) / 30, atol=2e-3)
    levels = [int(frame.image[16, 8].mean()) for frame in frames]
    assert np.allclose(levels, [index * 3 % 200 for index in range(40)], atol=12)
    assert (source.kind, source.width, source.height, source.failed) == ("video", *SIZE, [])
    assert source.remarks == []


def test_real_times_are_kept_where_the_rate_varies(tmp_path):
    times = np.cumsum([0, *np.random.default_rng(1).uniform(0.01, 0.4, 39)])
    _, frames = read(write(tmp_path / "a.mp4", times=times))
    assert np.allclose([frame.time_s for frame in frames], times, atol=2e-3)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_frames_are_upright_whatever_the_phone_noted(tmp_path, rotation):
    path = write(tmp_path / "a.mp4", num_frames=2, rotation=rotation)
    stored = next(av.open(str(path)).decode(video=0))
    assert stored.rotation % 360 == rotation
    source, frames = read(path)
    expected = np.rot90(stored.to_ndarray(format="rgb24"), rotation // 90)
    assert np.array_equal(frames[0].image, expected)
    assert (source.height, source.width) == expected.shape[:2]


@pytest.mark.parametrize(
    "matrix", [(0, -1, 1, 0), (0, 1, -1, 0), (0, 1, 1, 0), (0, -1, -1, 0), (-1, 0, 0, 1)]
)
def test_turning_moves_every_pixel_where_the_matrix_puts_it(matrix):
    """Brute force over (x, y) -> (a x + c y, b x + d y), moved so that it starts at 0."""
    a, b, c, d = matrix
    image = np.random.default_rng(0).integers(0, 255, (3, 5, 3), dtype=np.uint8)
    turned = turn(image, quarter_of(np.array([a, b, 0, c, d, 0, 0, 0, 1]) * 65536))
    y, x = np.mgrid[:3, :5]
    to_x, to_y = a * x + c * y, b * x + d * y
    expected = np.zeros_like(turned)
    expected[to_y - to_y.min(), to_x - to_x.min()] = image
    assert np.array_equal(turned, expected)


def test_time_goes_on_where_videos_were_strung_together(tmp_path):
    pieces = [write(tmp_path / "a.ts", num_frames=20), write(tmp_path / "b.ts", num_frames=10)]
    (tmp_path / "both.ts").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    _, frames = read(tmp_path / "both.ts")
    times = [frame.time_s for frame in frames]
    assert len(times) > 26
    assert np.allclose(np.diff(times), 1 / 30, atol=0.1)


def test_every_and_start_choose_frames_of_the_whole(tmp_path):
    path = write(tmp_path / "a.mp4")
    _, everything = read(path)
    source, frames = read(path, every=7, start=3)
    assert [frame.index for frame in frames] == list(range(3, 40, 7))
    assert source.total == len(frames)
    for frame in frames:
        assert frame.time_s == everything[frame.index].time_s
        assert np.array_equal(frame.image, everything[frame.index].image)


def test_frames_are_let_go_of_without_waiting_for_the_garbage_collector(tmp_path):
    path = write(tmp_path / "a.mp4", rotation=90)
    gc.collect()
    gc.disable()
    try:
        with open_frames(path) as source:
            assert len(list(source)) == 40
        kept = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert kept < 5


def test_damaged_frames_are_named_and_the_others_keep_their_places(tmp_path):
    whole = write(tmp_path / "a.mp4")
    _, expected = read(whole)
    source, frames = read(damage(whole, 0.5, 0.6, "b.mp4"))
    failed = [index for index, _ in source.failed]
    assert 0 < len(failed) < 10
    assert sorted(failed + [frame.index for frame in frames]) == list(range(40))
    assert all("b.mp4 is damaged" in reason for _, reason in source.failed)
    for frame in frames:
        assert frame.time_s == pytest.approx(expected[frame.index].time_s)
    assert np.array_equal(frames[-1].image, expected[-1].image), "the next key frame mends everything"


def test_a_cut_video_gives_what_it_had(tmp_path):
    whole = write(tmp_path / "a.mp4")
    for name, count in (("a.mp4", 20), ("a.mkv", 20)):
        whole = write(tmp_path / name)
        cut = tmp_path / f"cut-{name}"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        source, frames = read(cut)
        assert abs(len(frames) - count) < 6
        assert any("cut short" in remark for remark in source.remarks)


def test_a_video_without_its_index_says_so(tmp_path):
    content = write(tmp_path / "a.mp4").read_bytes()
    start, end = content.index(b"moov") - 4, content.index(b"mdat") - 4
    (tmp_path / "b.mp4").write_bytes(content[:start] + content[end:])
    with pytest.raises(DataError, match="cut short"):
        open_frames(tmp_path / "b.mp4")


def test_text_sound_and_nothing_are_refused_in_one_line(tmp_path):
    (tmp_path / "text.mp4").write_text("dear diary\n" * 100)
    (tmp_path / "text.txt").write_text("dear diary\n" * 100)
    (tmp_path / "empty.mp4").touch()
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    for name in ("text.mp4", "text.txt", "empty.mp4", "sound.wav", "missing.mp4"):
        with pytest.raises(DataError) as caught:
            open_frames(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["camera:7", "/dev/video7"])
def test_an_absent_camera_is_said_to_be_absent(source):
    with pytest.raises(DataError, match="there is no camera:7"):
        open_frames(source)


class Device:
    """A camera as OpenCV shows it, blue before red; it falls silent after five pictures."""

    def __init__(self, number):
        self.left, self.is_released = 5, False

    def isOpened(self):
        return True

    def read(self):
        self.left -= 1
        return (self.left >= 0, np.full((4, 6, 3), (10, 20, 30 + max(self.left, 0)), np.uint8))

    def get(self, _):
        return 6.0

    def release(self):
        self.is_released = True


def test_a_camera_gives_rgb_in_time_until_it_is_gone(monkeypatch):
    devices = []
    monkeypatch.setattr("cv2.VideoCapture", lambda number: devices.append(Device(number)) or devices[-1])
    monkeypatch.setattr(camera, "SILENCE_S", 0.05)
    monkeypatch.setattr(camera.Path, "exists", lambda path: True)
    reel = camera.camera_reel(0)
    shots = list(reel.shots)
    images, times = [shot.image() for shot in shots], [shot.time_s for shot in shots]
    assert "disconnected" in reel.remarks[0]
    assert [image[0, 0].tolist() for image in images] == [[30 + left, 20, 10] for left in (4, 3, 2, 1, 0)]
    assert times[0] == 0
    assert times == sorted(times)
    assert devices[0].is_released
    assert reel.is_live


def test_wrong_choices_are_refused(tmp_path):
    write(tmp_path / "a.mp4", num_frames=2)
    for options in ({"every": 0}, {"start": -1}):
        with pytest.raises(SettingError):
            open_frames(tmp_path / "a.mp4", **options)
    with pytest.raises(InputError, match="camera:1"):
        open_frames("camera:front")


def test_a_source_that_is_left_early_stops_reading(tmp_path):
    taken = []

    def numbers():
        try:
            for number in range(1000):
                taken.append(number)
                yield number
        finally:
            taken.append("closed")

    ahead = Ahead(numbers(), depth=3)
    assert [next(ahead) for _ in range(2)] == [0, 1]
    ahead.close()
    assert taken[-1] == "closed"
    assert len(taken) <= 2 + 3 + 1 + 1, "no further ahead than its depth"
    assert list(ahead) == []


def test_an_error_while_reading_comes_where_its_frame_would():
    def numbers():
        yield 1
        raise DataError("gone")

    ahead = Ahead(numbers(), depth=3)
    assert next(ahead) == 1
    with pytest.raises(DataError, match="gone"):
        next(ahead)
    assert list(ahead) == []


def test_of_a_live_source_only_the_newest_waits():
    ahead = Ahead((number for number in range(100)), depth=1, newest=True)
    while not ahead._is_over:
        time.sleep(0.001)
    assert list(ahead) == [99]
    assert ahead.dropped == 99
