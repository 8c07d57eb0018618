"""One client: its models, the newest frame it sent, and what it wishes."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from pomona.foundation.errors import PomonaError, SettingError
from pomona.perceive.holistic.holistic import Holistic
from pomona.perceive.holistic.record import Observation
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.memory import give_back_memory
from pomona.web.live.picture import read_jpeg
from pomona.web.live.protocol import Frame, Record, write_notice, write_result
from pomona.web.live.recording import Recorder, Recordings
from pomona.web.live.settings import Limits

MakeHolistic = Callable[[HolisticSettings], Holistic]
Wish = HolisticSettings | Record
Replies = list[bytes | str]

_TIMES = 300


class Session:
    """Holds at most one frame that waits: a newer one takes its place, so that delay does not grow.

    `offer`, `wish` and `next_work` belong to the event loop; the work itself and `close` to any thread.
    """

    def __init__(
        self,
        settings: HolisticSettings,
        *,
        make_holistic: MakeHolistic,
        recordings: Recordings,
        limits: Limits,
    ):
        self.num_frames = 0
        self.num_drops = 0
        self.stage_ms: dict[str, deque[float]] = {}
        self._make_holistic = make_holistic
        self._limits = limits
        self._recorder = Recorder(recordings, most_frames=limits.recording_frames)
        self._waiting: Frame | None = None
        self._wishes: dict[type, Wish] = {HolisticSettings: settings}
        self._awake = asyncio.Event()
        self._awake.set()
        self._lock = threading.Lock()
        self._holistic: Holistic | None = None
        self._size = (0, 0)
        self._newest_s = 0.0

    def offer(self, frame: Frame) -> None:
        """Puts a frame in line; one that still waits is dropped."""
        self.num_drops += self._waiting is not None
        self._waiting = frame
        self._awake.set()

    def wish(self, wish: Wish) -> None:
        """Notes a wish; of several of a kind the newest counts."""
        self._wishes[type(wish)] = wish
        self._awake.set()

    async def next_work(self) -> Callable[[], Replies]:
        """Waits for a frame or a wish, and returns the function that meets it with messages for the page."""
        await self._awake.wait()
        self._awake.clear()
        frame, self._waiting = self._waiting, None
        wishes, self._wishes = self._wishes, {}
        return lambda: self._work(frame, list(wishes.values()))

    def close(self) -> None:
        """Finishes the recording and lets the models go."""
        with self._lock:
            holistic, self._holistic = self._holistic, None
            try:
                self._recorder.switch(False)
            finally:
                if holistic is not None:
                    holistic.close()
                    del holistic
                    give_back_memory()

    def _work(self, frame: Frame | None, wishes: list[Wish]) -> Replies:
        replies: Replies = []
        with self._lock:
            for wish in wishes:
                try:
                    replies.append(self._grant(wish))
                except PomonaError as error:
                    replies.append(write_notice("error", message=str(error)))
            if frame is not None:
                try:
                    replies += self._perceive(frame)
                except PomonaError as error:
                    replies.append(write_notice("error", message=str(error), frame=frame.number))
        return replies

    def _grant(self, wish: Wish) -> str:
        if isinstance(wish, Record):
            self._recorder.switch(wish.on)
            return write_notice("recording", **vars(self._recorder.state))
        # the old models stay where the new ones cannot be had
        new = self._make_holistic(wish)
        old, self._holistic = self._holistic, new
        if old is not None:
            old.close()
            del old
            give_back_memory()
        return write_notice("settings", settings=wish)

    def _perceive(self, frame: Frame) -> Replies:
        if self._holistic is None:
            raise SettingError("no models are loaded: choose others")
        started = time.perf_counter()
        image = read_jpeg(frame.jpeg, longest_side=self._limits.longest_side)
        decode_ms = (time.perf_counter() - started) * 1000
        if image.shape[:2] != self._size or frame.time_s <= self._newest_s:
            # a turned camera, or a clock that starts again, is another stream
            self._holistic.reset()
        self._size, self._newest_s = image.shape[:2], frame.time_s
        observation = self._holistic.process(image, frame.time_s)
        is_full = self._recorder.write(observation)
        self._count(observation, decode_ms)
        facts = {
            "decode_ms": decode_ms,
            "total_ms": (time.perf_counter() - started) * 1000,
            "drops": self.num_drops,
            "recorded": self._recorder.state.frames,
        }
        replies: Replies = [write_result(observation, frame.number, facts)]
        if is_full:
            replies.append(write_notice("recording", **vars(self._recorder.state)))
        return replies

    def _count(self, observation: Observation, decode_ms: float) -> None:
        self.num_frames += 1
        for name, milliseconds in {"decode": decode_ms, **observation.stage_ms}.items():
            self.stage_ms.setdefault(name, deque(maxlen=_TIMES)).append(milliseconds)
