"""Frames that come in their own time: the newest wins, and what cannot be done in time is dropped."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable

from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.files import OnError
from pomona.perceive.graph.packet import Packet, Result
from pomona.perceive.graph.pool import Pool
from pomona.perceive.graph.schedule import Work
from pomona.perceive.graph.timings import Flow


class Live:
    """A mouth for frames that come in their own time. Made by `Runner.live`; close it after use.

    A frame waits until one of the `in_flight` places is free, which is when a result before it was delivered.
    Of those that wait only the newest `queue` are kept. So the age of what is delivered is bounded by the
    time that a frame and its delivery take, however fast frames come and however long the stream.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        deliver: Callable[[Result], None],
        queue: int,
        in_flight: int,
        on_error: OnError,
        flow: Flow,
        on_close: Callable[[], None],
    ) -> None:
        self.drops = 0
        self.failure: BaseException | None = None
        """What ended the stream: the StageError of a frame with on_error="stop", or what `deliver` raised."""
        self._pool = pool
        self._deliver = deliver
        self._queue = queue
        self._in_flight = in_flight
        self._on_error = on_error
        self._flow = flow
        self._on_close = on_close
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._waiting: deque[Packet] = deque()
        self._begun: deque[Work] = deque()
        self._deliverer: int | None = None  # the thread that hands out results
        self._is_closed = False
        self._is_muted = False  # closed by `deliver` itself: what is begun is not delivered
        self._is_settled = False  # closed, and all that was begun is handed out

    def offer(self, packet: Packet) -> None:
        """Takes a frame, dropping an older one if it must; never waits. Raises `failure` if there is one."""
        self._pool.schedule.plan.check_packet(packet)
        with self._lock:
            if self.failure is not None:
                raise self.failure
            if self._is_closed:
                raise GraphError("this live stream is closed: open another one with Runner.live")
            if len(self._waiting) == self._queue:
                self._waiting.popleft()
                self._drop(1)
            self._waiting.append(packet)
            self._begin()

    def close(self) -> None:
        """Drops what waits and returns when what was begun is delivered; `deliver` is not called after that.

        When `deliver` itself closes the stream it comes back at once.
        """
        with self._lock:
            self._is_closed = True
            self._drop(len(self._waiting))
            self._waiting.clear()
            if self._deliverer == threading.get_ident():
                self._is_muted = True
                return
            begun = list(self._begun)
        # a pool that was stopped finishes nothing more
        with contextlib.suppress(GraphError):
            for work in begun:
                self._pool.wait(work)
        with self._lock:
            while self._deliverer is not None or (self._begun and self._begun[0].is_done):
                self._settled.wait()
            self._begun.clear()
            self._settle()

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self.close()
        if kind is None and self.failure is not None:
            raise self.failure

    def _begin(self) -> None:
        while self._waiting and len(self._begun) < self._in_flight:
            self._begun.append(self._pool.submit(self._waiting.popleft(), self._hand_out))
        self._flow.hold(len(self._waiting) + len(self._begun))

    def _drop(self, num_frames: int) -> None:
        self.drops += num_frames
        self._flow.drops += num_frames

    def _hand_out(self, _: Work) -> None:
        # called on a pool's thread whenever a frame is done; one of them at a time delivers for all
        with self._lock:
            if self._deliverer is not None:
                return
            self._deliverer = threading.get_ident()
        while (result := self._oldest_done()) is not None:
            failure = self._delivered(result)
            with self._lock:
                self._begun.popleft()
                self._go_on(failure)

    def _oldest_done(self) -> Result | None:
        with self._lock:
            if self._begun and self._begun[0].is_done:
                return self._begun[0].result
            self._deliverer = None
            if self._is_closed:
                self._settle()
            return None

    def _delivered(self, result: Result) -> BaseException | None:
        if self.failure is not None or self._is_muted:
            return None
        try:
            self._deliver(result)
        except BaseException as error:
            return error
        return result.error if self._on_error == "stop" else None

    def _go_on(self, failure: BaseException | None) -> None:
        try:
            if failure is not None:
                raise failure
            self._begin()
        except BaseException as error:
            self.failure = self.failure or error
            self._drop(len(self._waiting))
            self._waiting.clear()
            self._flow.hold(len(self._begun))

    def _settle(self) -> None:
        self._settled.notify_all()
        if not self._begun and not self._is_settled:
            self._is_settled = True
            self._flow.hold(0)
            self._on_close()
