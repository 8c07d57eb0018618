"""Videos out: real times, even sides, whole or absent, joined without loss."""

from itertools import pairwise

import av
import numpy as np
import pytest

from pomona.perceive.video import VideoWriter, join_videos, open_frames


def picture(index, height=48, width=64):
    image = np.full((height, width, 3), index * 5 % 250, np.uint8)
    image[: height // 2] = (index * 7 % 250, 80, 160)
    return image


def read(path):
    with open_frames(path) as source:
        return list(source)


def test_pictures_and_real_times_come_back(tmp_path):
    times = np.cumsum([0.25, *np.random.default_rng(0).uniform(0.01, 0.3, 29)])
    with VideoWriter(tmp_path / "a.mp4", 30, (64, 48)) as writer:
        for index, time_s in enumerate(times):
            writer.write(picture(index), time_s)
    frames = read(tmp_path / "a.mp4")
    assert np.allclose([frame.time_s for frame in frames], times - times[0], atol=1e-3)
    for index, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - picture(index)).mean() < 6


def test_players_find_h264_in_yuv420p_of_even_size(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 29.97, (63, 47)) as writer:
        writer.write(picture(0, 47, 63), 0)
    stream = av.open(str(tmp_path / "a.mp4")).streams.video[0]
    context = stream.codec_context
    assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", 64, 48)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (7, 5)])
def test_tiny_and_narrow_frames_can_be_written(tmp_path, size):
    with VideoWriter(tmp_path / "a.mp4", None, size) as writer:
        writer.write(picture(3, size[1], size[0]), 0)
    assert len(read(tmp_path / "a.mp4")) == 1


def test_a_frame_of_another_size_is_fitted_in(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 30, (64, 48)) as writer:
        writer.write(picture(0), 0)
        writer.write(np.full((100, 50, 3), 200, np.uint8), 0.1)
    image = read(tmp_path / "a.mp4")[1].image
    assert image[24, 32].min() > 180
    assert image[24, :16].max() < 30


def test_times_that_stand_still_still_give_every_frame(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 30, (64, 48)) as writer:
        for time_s in (0, 0.1, 0.1, 0.05, 0.2):
            writer.write(picture(1), time_s)
    assert len(read(tmp_path / "a.mp4")) == 5


def test_what_fails_leaves_nothing(tmp_path):
    def fail():
        with VideoWriter(tmp_path / "a.mp4", 30, (64, 48)) as writer:
            writer.write(picture(0), 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_joined_parts_are_the_whole(tmp_path):
    """Times are those of the whole video; pictures are the same bytes, since nothing is encoded again."""
    times = np.cumsum([0, *np.random.default_rng(0).uniform(0.02, 0.3, 29)])
    bounds = [0, 11, 12, 30]
    parts = []
    for number, (first, last) in enumerate(pairwise(bounds)):
        parts.append(tmp_path / f"{number}.mp4")
        with VideoWriter(parts[-1], 30, (64, 48)) as writer:
            for index in range(first, last):
                writer.write(picture(index), times[index])
    join_videos(parts, tmp_path / "whole.mp4")
    frames = read(tmp_path / "whole.mp4")
    assert np.allclose([frame.time_s for frame in frames], times, atol=1e-3)
    expected = [frame.image for part in parts for frame in read(part)]
    assert np.array_equal([frame.image for frame in frames], expected)
