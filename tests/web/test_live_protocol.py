"""Messages are as the protocol says, read here without the code that writes them."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.foundation.errors import SettingError
from pomona.perceive.holistic.record import HolisticRecord, Observation
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.protocol import Record, read_command, read_frame, write_notice, write_result
from pomona.web.live.settings import Limits


def unpack(message):
    kind, version, zero, size = struct.unpack("<BBHI", message[:8])
    assert (kind, version, zero) == (2, 1, 0)
    assert size % 4 == 0
    facts = json.loads(message[8 : 8 + size])
    body = message[8 + size :]
    for person in facts["people"]:
        for name in set(person) - {"person", "score"}:
            offset, rows, columns = person[name]
            kind, width = (np.uint8, 1) if name == "mask" else (np.float32, 4)
            assert offset % width == 0
            person[name] = np.frombuffer(body, kind, rows * columns, offset).reshape(rows, columns)
    return facts, body


def people(rng, masks):
    def one(number):
        return HolisticRecord(
            number,
            7,
            0.5,
            640,
            361,
            pose=rng.normal(size=(33, 5)).astype(np.float32),
            left_hand=None if number else rng.normal(size=(21, 4)).astype(np.float32),
            face=np.full((478, 4), np.nan, np.float32),
            score=0.5,
            mask=rng.integers(0, 256, (361, 640), np.uint8) if masks else None,
        )

    return tuple(one(number) for number in range(3))


@pytest.mark.parametrize("masks", [False, True])
def test_a_result_carries_every_array_of_every_person(masks):
    found = people(np.random.default_rng(0), masks)
    observation = Observation(7, 0.5, 640, 361, found, None, {"pose": 3.25})
    facts, body = unpack(write_result(observation, 99, {"drops": 4}))
    assert {key: facts[key] for key in ("frame", "width", "height", "drops", "stage_ms")} == {
        "frame": 99,
        "width": 640,
        "height": 361,
        "drops": 4,
        "stage_ms": {"pose": 3.25},
    }
    used = 0
    for person, told in zip(found, facts["people"], strict=True):
        assert (told["person"], told["score"]) == (person.person, 0.5)
        for name in ("pose", "left_hand", "right_hand", "face"):
            array = getattr(person, name)
            assert (name in told) == (array is not None)
            if array is not None:
                np.testing.assert_array_equal(told[name], array)
        assert ("mask" in told) == masks
        used += sum(told[name].nbytes for name in set(told) - {"person", "score"})
    assert used == len(body)


def test_a_mask_is_thinned_to_at_most_192_a_side():
    mask = np.zeros((480, 640), np.uint8)
    mask[:, 320:] = 255
    record = HolisticRecord(0, 0, 0.0, 640, 480, mask=mask)
    facts, _ = unpack(write_result(Observation(0, 0.0, 640, 480, (record,)), 1, {}))
    small = facts["people"][0]["mask"]
    assert small.shape == (120, 160)
    assert (small[:, :80] == 0).all()
    assert (small[:, 80:] == 255).all()


def test_an_empty_frame_has_an_empty_body():
    facts, body = unpack(write_result(Observation(0, 0.0, 4, 3), 1, {}))
    assert facts["people"] == []
    assert body == b""


@given(st.integers(0, 2**32 - 1), st.floats(-1e9, 1e9), st.binary(max_size=40))
def test_a_frame_is_read_as_it_was_written(number, time_s, jpeg):
    frame = read_frame(struct.pack("<BBHId", 1, 1, 0, number, time_s) + jpeg)
    assert (frame.number, frame.time_s, frame.jpeg) == (number, time_s, jpeg)


@given(st.binary(max_size=15) | st.binary(min_size=16).filter(lambda content: content[:2] != b"\1\1"))
def test_other_bytes_are_no_frame(content):
    with pytest.raises(SettingError):
        read_frame(content)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf")])
def test_a_frame_has_a_time(time_s):
    with pytest.raises(SettingError, match="finite"):
        read_frame(struct.pack("<BBHId", 1, 1, 0, 1, time_s))


def test_commands_are_understood():
    assert read_command('{"type": "record", "on": true}', Limits()) == Record(True)
    wish = {"parts": ["pose", "face"], "complexity": 2, "people": 3, "mask": True}
    assert read_command(json.dumps({"type": "settings", "settings": wish}), Limits()) == HolisticSettings(
        parts=("pose", "face"), complexity=2, people=3, mask=True
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON"),
        ("[" * 4000, "JSON"),
        ("x" * 5000, "4096"),
        ("[]", "settings or record"),
        ('{"type": "record"}', "settings or record"),
        ('{"type": "record", "on": 1}', "settings or record"),
        ('{"type": "settings", "settings": []}', "settings or record"),
        ('{"type": "settings", "settings": {"colour": 1}}', "no setting 'colour'"),
        ('{"type": "settings", "settings": {"parts": ["feet"]}}', "feet"),
        ('{"type": "settings", "settings": {"parts": []}}', "parts"),
        ('{"type": "settings", "settings": {"parts": 3}}', "parts"),
        ('{"type": "settings", "settings": {"complexity": 3}}', "complexity"),
        ('{"type": "settings", "settings": {"people": 0}}', "people"),
        ('{"type": "settings", "settings": {"people": 7}}', "at most 6"),
        ('{"type": "settings", "settings": {"people": 1e400}}', "people"),
        ('{"type": "settings", "settings": {"min_tracking": NaN}}', "min_tracking"),
    ],
)
def test_other_texts_are_refused_in_words(text, says):
    with pytest.raises(SettingError, match=says) as caught:
        read_command(text, Limits())
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60) | st.recursive(st.none() | st.booleans() | st.floats(), st.lists).map(json.dumps))
def test_no_text_breaks_the_reader(text):
    with pytest.raises(SettingError):
        read_command(text, Limits())


def test_a_notice_is_json_with_its_type():
    assert json.loads(write_notice("error", message="no")) == {"type": "error", "message": "no"}
