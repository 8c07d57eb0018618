"""One client's session: the newest frame wins, wishes are granted or refused, recordings are whole."""

import asyncio
import json
import struct

import numpy as np
import pytest
from live_stand_in import BrightSpot

from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.protocol import Frame, Record
from pomona.web.live.recording import Recordings
from pomona.web.live.session import Session
from pomona.web.live.settings import Limits


class Desk:
    """A session, the models it made, and a way to let it work once."""

    def __init__(self, folder=None, **limits):
        self.made = []
        self.recordings = Recordings(folder, most=2)
        self.session = Session(
            HolisticSettings(complexity=0),
            make_holistic=self.make,
            recordings=self.recordings,
            limits=Limits(**limits),
        )

    def make(self, settings):
        self.made.append(BrightSpot(settings))
        return self.made[-1]

    def work(self):
        """The replies: JSON objects of notices and of the facts of results."""

        async def once():
            async with asyncio.timeout(5):
                return (await self.session.next_work())()

        return [plain(reply) for reply in asyncio.run(once())]


def plain(reply):
    if isinstance(reply, str):
        return json.loads(reply)
    size = struct.unpack_from("<I", reply, 4)[0]
    return {"type": "result", **json.loads(reply[8 : 8 + size])}


@pytest.fixture
def desk():
    return Desk()


def test_of_frames_that_wait_the_newest_is_looked_at(desk, spot):
    for number in range(1, 6):
        desk.session.offer(Frame(number, number / 30, spot(20 * number - 10, 30)))
    ready, result = desk.work()
    assert ready["type"] == "settings"
    assert (result["type"], result["frame"], result["drops"]) == ("result", 5, 4)
    assert desk.made[0].seen == 1


def test_nothing_to_do_is_waited_for(desk):
    desk.work()

    async def is_idle():
        waiting = asyncio.create_task(desk.session.next_work())
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        waiting.cancel()
        return not done

    assert asyncio.run(is_idle())


def test_new_settings_bring_new_models_and_let_the_old_ones_go(desk, spot):
    desk.session.offer(Frame(1, 0.0, spot(50, 30)))
    desk.work()
    desk.session.wish(HolisticSettings(complexity=0, parts=("face",)))
    desk.session.wish(HolisticSettings(complexity=0, mask=True))
    desk.session.offer(Frame(2, 0.1, spot(50, 30)))
    told, result = desk.work()
    assert told["settings"]["mask"] is True
    assert "mask" in result["people"][0]
    assert [model.is_closed for model in desk.made] == [True, False]
    desk.session.close()
    assert desk.made[-1].is_closed


def test_settings_that_cannot_be_had_leave_the_models_as_they_are(desk, spot):
    desk.session.offer(Frame(1, 0.0, spot(50, 30)))
    desk.work()
    desk.session.wish(HolisticSettings(irises=True))
    desk.session.offer(Frame(2, 0.1, spot(50, 30)))
    refused, result = desk.work()
    assert (refused["type"], refused["message"]) == ("error", "the model of the irises cannot be had")
    assert result["frame"] == 2


def test_a_bad_picture_is_answered_under_its_number(desk, spot):
    for number, jpeg in ((1, b"no picture"), (2, spot(10, 10, width=1300)), (3, spot(10, 10))):
        desk.session.offer(Frame(number, number / 30, jpeg))
        reply = desk.work()[-1]
        assert (reply["type"], reply["frame"]) == (("error", number) if number < 3 else ("result", 3))


@pytest.mark.parametrize(
    ("second", "resets"),
    [((0.1, 96), 0), ((0.1, 64), 1), ((0.0, 96), 1), ((-5.0, 96), 1)],
    ids=["next", "other size", "same time", "earlier"],
)
def test_another_stream_starts_anew(desk, spot, second, resets):
    desk.session.offer(Frame(1, 0.0, spot(20, 20)))
    desk.work()
    before = desk.made[0].num_resets
    desk.session.offer(Frame(2, second[0], spot(20, 20, width=second[1])))
    desk.work()
    assert desk.made[0].num_resets - before == resets


def test_a_recording_holds_each_frame_that_was_looked_at(desk, spot):
    from pomona.perceive.formats import read_parquet

    desk.session.wish(Record(True))
    started = desk.work()[-1]
    assert (started["type"], started["on"], started["frames"]) == ("recording", True, 0)
    assert desk.recordings.find(started["key"]) is None
    for number in range(1, 6):
        desk.session.offer(Frame(number, 100 + number / 10, spot(10 * number, 30)))
        assert desk.work()[-1]["recorded"] == number
    desk.session.wish(Record(False))
    assert desk.work()[-1]["frames"] == 5
    seen = list(read_parquet(desk.recordings.find(started["key"])))
    assert [one.frame for one in seen] == [0, 1, 2, 3, 4]
    assert [one.time_s for one in seen] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    x = [one.people[0].pose[0, 0] for one in seen]
    np.testing.assert_allclose(x, [9.5, 19.5, 29.5, 39.5, 49.5], atol=0.6)
    desk.recordings.close()
    assert desk.recordings.find(started["key"]) is None


def test_a_client_that_goes_leaves_its_recording_whole(desk, spot):
    from pomona.perceive.formats import read_parquet

    desk.session.wish(Record(True))
    desk.session.offer(Frame(1, 1.0, spot(20, 20)))
    key = desk.work()[1]["key"]
    desk.session.close()
    assert len(list(read_parquet(desk.recordings.find(key)))) == 1
    desk.recordings.close()


def test_a_recording_ends_when_it_is_full(spot):
    desk = Desk(recording_frames=3)
    desk.session.wish(Record(True))
    desk.work()
    replies = []
    for number in range(1, 6):
        desk.session.offer(Frame(number, number / 30, spot(20, 20)))
        replies += desk.work()
    full = [reply for reply in replies if reply["type"] == "recording"]
    assert [(reply["on"], reply["frames"], reply["is_full"]) for reply in full] == [(False, 3, True)]
    desk.recordings.close()


def test_the_oldest_recording_makes_room(desk, spot):
    keys = []
    for number in range(3):
        desk.session.wish(Record(True))
        desk.session.offer(Frame(number, number + 1.0, spot(20, 20)))
        keys.append(desk.work()[-2]["key"])
        desk.session.wish(Record(False))
        desk.work()
    assert [desk.recordings.find(key) is not None for key in keys] == [False, True, True]
    desk.recordings.close()


def test_recordings_stay_in_a_folder_that_was_given(tmp_path, spot):
    desk = Desk(tmp_path / "kept")
    desk.session.wish(Record(True))
    desk.session.offer(Frame(1, 1.0, spot(20, 20)))
    desk.work()
    desk.session.close()
    desk.recordings.close()
    assert len(list((tmp_path / "kept").glob("landmarks-*.parquet"))) == 1


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "x" * 22, "é" * 22])
def test_other_keys_find_nothing(desk, key):
    assert desk.recordings.find(key) is None
