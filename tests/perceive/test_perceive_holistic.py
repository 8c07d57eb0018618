"""What the default mends in MediaPipe, on real pictures and on frames made from them."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.perceive.holistic import Holistic, HolisticSettings, hands
from pomona.perceive.video import VideoFrame, open_frames

sys.path.insert(0, str(Path(__file__).parents[1] / "oracles"))
import holistic_frames as frames

MESSI, BASKETBALL = "opencv-samples/messi5.jpg", "opencv-samples/basketball2.png"
ASTRONAUT = "scikit-image-samples/astronaut.png"
PARTS = ("pose", "left_hand", "right_hand", "face")
TWINS = {1: 4, 2: 5, 3: 6, 7: 8, 9: 10, **{left: left + 1 for left in range(11, 33, 2)}}


@pytest.fixture(scope="module")
def still_mode():
    with Holistic(still=True, people=4) as holistic:
        yield holistic


def same(first, second):
    """Whether two records hold exactly the same arrays."""
    return all(
        (a is None and b is None)
        or (a is not None and b is not None and np.array_equal(a, b, equal_nan=True))
        for a, b in ((getattr(first, part), getattr(second, part)) for part in PARTS)
    )


def test_all_parts_of_a_footballer_are_found(still_mode, photo):
    (messi,) = still_mode.process(photo(MESSI)).people
    assert messi.pose.shape == (33, 5)
    assert messi.left_hand.shape == messi.right_hand.shape == (21, 4)
    assert messi.face.shape == (478, 4)
    assert np.isnan(messi.face[468:]).all()
    assert not np.isnan(messi.face[:468]).any()
    assert messi.pose_world.shape == (33, 3)
    assert 0.2 < np.linalg.norm(messi.pose_world[11] - messi.pose_world[12]) < 0.6  # shoulders, metres


def test_a_photograph_does_not_depend_on_the_one_before(photo):
    alone = []
    for name in (BASKETBALL, MESSI):
        with Holistic(still=True) as holistic:
            alone.append(holistic.process(photo(name)).people[0])
    with Holistic(still=True) as holistic:
        for _ in range(2):
            for record, name in zip(alone, (BASKETBALL, MESSI), strict=True):
                assert same(holistic.process(photo(name)).people[0], record)


def test_two_players_are_two_people(still_mode, photo):
    first, second = still_mode.process(photo(BASKETBALL)).people
    assert {first.person, second.person} == {0, 1}
    assert sorted([first.pose[0, 0], second.pose[0, 0]]) == pytest.approx([96, 529], abs=12)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_nobody_is_in_an_empty_frame(still_mode, shade):
    assert len(still_mode.process(np.full((90, 120, 3), shade, np.uint8))) == 0


def test_two_men_cut_off_at_the_waist_are_found(still_mode, photo):
    """MediaPipe finds nobody where bodies are cut off: here is one, twice."""
    bust = photo(ASTRONAUT)[:360]
    image = np.concatenate([bust, bust[:, ::-1]], axis=1)
    people = still_mode.process(image).people
    assert len(people) == 2
    assert all(person.face is not None for person in people)


def test_people_far_away_are_found(still_mode, asset):
    """A street from above: three walk there, each an eighth of the frame high."""
    with open_frames(asset("opencv-samples/vtest.avi")) as video:
        street = next(iter(video)).image
    people = still_mode.process(street).people
    noses = np.array([person.pose[0, :2] for person in people])
    for walker in ((269, 229), (513, 165), (655, 252)):
        assert np.hypot(*(noses - walker).T).min() < 15


def test_mirroring_swaps_left_and_right(still_mode, photo):
    for name in (MESSI, BASKETBALL, ASTRONAUT):
        image = photo(name)
        width = image.shape[1]
        plain = still_mode.process(image).people[0]
        mirrored = min(
            still_mode.process(np.ascontiguousarray(image[:, ::-1])).people,
            key=lambda person: abs(width - person.pose[0, 0] - plain.pose[0, 0]),
        )
        back = mirrored.pose[:, :2] * (-1, 1) + (width, 0)
        for left, right in TWINS.items():
            apart = np.hypot(*(plain.pose[left, :2] - plain.pose[right, :2]))
            if apart < 0.1 * plain.regions["pose"].width or plain.pose[[left, right], 3].min() < 0.5:
                continue
            crossed = np.hypot(*(back[right] - plain.pose[left, :2]))
            straight = np.hypot(*(back[left] - plain.pose[left, :2]))
            assert crossed < straight, (name, left)
        assert (plain.left_hand is None) == (mirrored.right_hand is None), name


def test_hands_out_of_the_frame_are_not_looked_for(photo, monkeypatch):
    picture = photo(ASTRONAUT)
    with Holistic(parts=("hands",)) as holistic:
        for number in range(8):
            if number == 2:
                monkeypatch.setattr(hands, "read_hand", lambda *given: pytest.fail("a hand was looked for"))
            (record,) = holistic.process(picture, number / 30).people
            assert record.left_hand is None
            assert record.right_hand is None


def test_absent_hands_are_looked_for_in_every_third_frame(photo, monkeypatch):
    looks = []

    def nothing(model, image, region):
        looks.append(region)
        return replace(real(model, image, region), score=0.0)

    real = hands.read_hand
    monkeypatch.setattr(hands, "read_hand", nothing)
    monkeypatch.setattr(hands, "find_palms", lambda *given: [])
    picture = photo(MESSI)
    with Holistic(parts=("hands",)) as holistic:
        for number in range(4):
            holistic.process(picture, number / 30)
        looks.clear()
        for number in range(4, 34):
            holistic.process(picture, number / 30)
    assert len(looks) == 20  # two hands, thirty frames


def test_points_out_of_the_frame_are_marked(still_mode, photo):
    cut = photo(MESSI)[:230]
    (record,) = still_mode.process(cut).people
    outside = record.pose[:, 1] > 230 + 0.03 * 548
    assert outside.any()
    assert (record.pose[outside, 3:] == 0).all()
    assert (record.pose[~outside, 3] > 0).any()


def test_the_far_side_of_a_face_is_marked(still_mode, photo):
    (record,) = still_mode.process(photo(MESSI)).people
    confidence = record.face[:468, 3]
    assert confidence.min() < 0.2
    assert np.median(confidence) > 0.9
    assert 0 < record.left_hand[:, 3].min() <= record.left_hand[:, 3].max() <= 1


def test_all_parts_have_one_scale_of_depth(still_mode, photo):
    """Every part is as many pixels a metre deep as it has across."""
    (record,) = still_mode.process(photo(MESSI)).people
    assert record.left_hand[0, 2] == pytest.approx(record.pose[15, 2], abs=1e-3)
    assert record.right_hand[0, 2] == pytest.approx(record.pose[16, 2], abs=1e-3)
    assert record.face[1, 2] == pytest.approx(record.pose[0, 2], abs=1e-3)
    np.testing.assert_allclose(record.left_hand_world[0], record.pose_world[15], atol=1e-5)
    for points, world in (
        (record.pose[:, :3], record.pose_world),
        (record.left_hand[:, :3], record.left_hand_world),
        (record.right_hand[:, :3], record.right_hand_world),
    ):
        across = np.linalg.norm((points - points.mean(0))[:, :2]) / np.linalg.norm(
            (world - world.mean(0))[:, :2]
        )
        deep = np.ptp(points[:, 2]) / np.ptp(world[:, 2])
        assert deep == pytest.approx(across, rel=0.1)


@pytest.fixture(scope="module")
def clip(photo):
    picture = photo(frames.CLIP_ASSET)
    return [VideoFrame(number, number / 30, frames.pan_and_zoom(picture, number)) for number in range(24)]


def test_many_frames_at_once_are_the_same_as_one_by_one(clip):
    with Holistic(threads=2, mask=True) as holistic:
        together = list(holistic.run(clip))
        holistic.reset()
        for frame, seen in zip(clip, together, strict=True):
            alone = holistic.process(frame.image, frame.time_s)
            assert same(alone[0], seen[0])
            np.testing.assert_array_equal(alone[0].mask, seen[0].mask)
            assert (seen.frame, seen.time_s) == (frame.index, frame.time_s)


def test_followed_parts_cost_no_detector(clip):
    with Holistic(threads=1) as holistic:
        for frame in clip:
            seen = holistic.process(frame.image, frame.time_s)
            assert all(getattr(seen[0], part) is not None for part in PARTS)
            assert set(seen.stage_ms) == {"pose", "left_hand", "right_hand", "face", "records"}


def test_a_hand_that_comes_back_is_found_within_three_frames(photo):
    whole = frames.pan_and_zoom(photo(frames.CLIP_ASSET), 0)
    with Holistic(parts=("pose", "hands")) as holistic:
        (record,) = holistic.process(whole, 0.0).people
        x, y = record.left_hand[:, :2].mean(axis=0).astype(int)
        hidden = whole.copy()
        hidden[y - 60 : y + 60, x - 60 : x + 60] = (60, 90, 60)
        for number in range(1, 11):
            seen = holistic.process(hidden, number / 30)
        assert seen[0].left_hand is None
        back = [holistic.process(whole, (11 + n) / 30)[0].left_hand is not None for n in range(3)]
        assert back[-1]


def test_a_cut_to_another_scene_is_followed_at_once(photo):
    scenes = [photo(MESSI), photo(ASTRONAUT), np.ascontiguousarray(photo(MESSI)[:, ::-1])]
    with Holistic(parts=("pose", "face")) as holistic, Holistic(parts=("pose", "face")) as fresh:
        number = 0
        for scene in scenes:
            for step in range(6):
                (record,) = holistic.process(scene, number / 30).people
                number += 1
                if step == 2:
                    fresh.reset()
                    (wanted,) = fresh.process(scene, 0.0).people
                    apart = np.hypot(*(record.face[:468, :2] - wanted.face[:468, :2]).T)
                    assert np.median(apart) < 0.02 * wanted.regions["pose"].width


def test_people_keep_their_numbers_when_one_is_away_for_a_moment(photo):
    image = photo(BASKETBALL)
    alone = image.copy()
    alone[:, 300:] = 128
    with Holistic(people=2, parts=("pose",)) as holistic:
        first = {r.person: r.pose[0, 0] for r in holistic.process(image, 0.0)}
        assert len(first) == 2
        for number in range(1, 6):
            (left,) = holistic.process(alone, number / 30).people
            assert first[left.person] == pytest.approx(left.pose[0, 0], abs=30)
        for number in range(6, 18):
            back = holistic.process(image, number / 30)
        assert {r.person: round(float(r.pose[0, 0]), -2) for r in back} == {
            person: round(float(x), -2) for person, x in first.items()
        }


def test_smoothing_follows_real_time(clip):
    still = clip[0].image
    with Holistic(parts=("pose",)) as holistic:
        answers = []
        for rate in (30, 5):
            holistic.reset()
            for number in range(4):
                seen = holistic.process(still if number < 2 else clip[12].image, number / rate)
            answers.append(seen[0].pose)
    assert not np.allclose(answers[0], answers[1])


def test_parts_that_are_off_are_none_and_hands_alone_still_know_left_from_right(photo):
    with Holistic(still=True, parts=("hands",)) as holistic:
        (record,) = holistic.process(photo(MESSI)).people
    assert record.pose is None
    assert record.face is None
    assert record.left_hand[:, 0].mean() > record.right_hand[:, 0].mean()


@pytest.mark.parametrize(
    "fields",
    [
        {"hand_model": "lite"},
        {"face_detector": "full"},
        {"complexity": 0},
        {"irises": True},
        {"smooth": False},
    ],
)
def test_every_model_can_be_swapped(fields, photo):
    with Holistic(**fields) as holistic:
        (record,) = holistic.process(photo(MESSI), 0.0).people
    assert all(getattr(record, part) is not None for part in PARTS)
    assert np.isnan(record.face).any() != fields.get("irises", False)


@pytest.mark.parametrize(
    "fields",
    [
        {"parts": ("feet",)},
        {"parts": ()},
        {"people": 0},
        {"complexity": 3},
        {"hand_model": "heavy"},
        {"face_detector": "long"},
        {"min_detection": 1.5},
        {"faithful": True, "people": 2},
        {"nonsense": 1},
    ],
)
def test_wrong_settings_are_refused_in_one_line(fields):
    with pytest.raises(SettingError) as error:
        Holistic(**fields)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        [[0]],
    ],
)
def test_frames_that_are_no_pictures_are_refused(still_mode, image):
    with pytest.raises(DataError, match="a frame"):
        still_mode.process(image)


def test_tiny_wide_and_sliced_frames_are_fine(still_mode, photo):
    still_mode.process(np.zeros((1, 1, 3), np.uint8))
    still_mode.process(np.zeros((2, 900, 3), np.uint8))
    image = photo(MESSI)
    flipped = still_mode.process(image[:, ::-1])
    assert same(flipped[0], still_mode.process(np.ascontiguousarray(image[:, ::-1]))[0])


def test_settings_are_checked_when_replaced():
    with pytest.raises(SettingError):
        replace(HolisticSettings(), complexity=7)
