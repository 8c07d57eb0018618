"""Runs a graph: one frame now, every frame of a stream, or the newest frames of a live source."""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pomona.foundation.errors import SettingError, unknown_name
from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.files import OnError, run_all
from pomona.perceive.graph.live import Live
from pomona.perceive.graph.once import run_one
from pomona.perceive.graph.packet import Packet, Result
from pomona.perceive.graph.plan import make_plan
from pomona.perceive.graph.pool import Pool
from pomona.perceive.graph.stage import Graph
from pomona.perceive.graph.timings import Flow, StageTimes


class Runner:
    """The threads, the states and the timings of one graph. It does one thing at a time; close it after use.

    `threads` is the most stages at work at once. `on_error` says whether a stream stops at a frame on which a
    stage fails, or passes the failure on as `Result.error` and goes on: stages that need what was not made
    are then not run for that frame and keep their state, as does the one that failed.
    """

    def __init__(self, graph: Graph, *, threads: int, on_error: OnError = "stop") -> None:
        if threads < 1:
            raise SettingError(f"threads must be at least 1, got {threads}")
        self.graph = graph
        self._on_error: OnError = _known(on_error)
        self._pool = Pool(make_plan(graph), threads)
        self._flow = Flow()
        self._turn = threading.Lock()
        self._live: Live | None = None
        # the threads hold the pool, not the runner: one that is forgotten without close ends them too
        self._finalizer = weakref.finalize(self, self._pool.stop)

    def once(self, packet: Packet) -> dict[str, Any]:
        """The outputs for one frame, now. Raises StageError, and then the frame leaves no trace."""
        return dict(self.result(packet).values)

    def result(self, packet: Packet) -> Result:
        """The same, with its times."""
        with self._taken():
            return run_one(self._pool, packet)

    def files(
        self, packets: Iterable[Packet], *, in_flight: int = 3, on_error: OnError | None = None
    ) -> Iterator[Result]:
        """A result for every packet, in order; up to `in_flight` frames are at work or wait to be taken.

        Closing the iterator, an interrupt and, with on_error="stop", the StageError that a frame raises leave
        the states as they were after the last result. `on_error` is for this stream only, when given.
        """
        if in_flight < 1:
            raise SettingError(f"in_flight must be at least 1, got {in_flight}")
        return self._files(packets, in_flight, _known(on_error or self._on_error))

    def live(self, *, deliver: Callable[[Result], None], queue: int = 1, in_flight: int = 1) -> Live:
        """A mouth for frames that come in their own time: the newest ones win.

        `deliver` gets the results in order, on one of the runner's threads, one at a time; while it is at it,
        frames pile up no higher than `queue`. `in_flight` above 1 trades latency for frames per second.
        """
        if queue < 1 or in_flight < 1:
            raise SettingError(f"queue and in_flight must be at least 1, got {queue} and {in_flight}")
        self._take()
        self._live = Live(
            self._pool,
            deliver=deliver,
            queue=queue,
            in_flight=in_flight,
            on_error=self._on_error,
            flow=self._flow,
            on_close=self._turn.release,
        )
        return self._live

    @property
    def drops(self) -> int:
        """How many frames were dropped for newer ones so far."""
        return self._flow.drops

    @property
    def queue_depth(self) -> int:
        """How many frames wait, are worked on or are done and not yet given out, now."""
        return self._flow.depth

    @property
    def max_queue_depth(self) -> int:
        """The most that `queue_depth` has been."""
        return self._flow.max_depth

    def timings(self) -> dict[str, StageTimes]:
        """How long each stage took so far, in the order of the graph."""
        with self._pool.lock:
            watches = zip(self.graph.stages, self._pool.schedule.stopwatches, strict=True)
            return {stage.name: watch.times() for stage, watch in watches}

    def reset(self) -> None:
        """Forgets all frames: every stage has its first state again, and timings and drops begin anew."""
        with self._taken(), self._pool.lock:
            self._pool.schedule.forget()
            self._flow.forget()

    def close(self) -> None:
        """Ends what runs, after the stages that are at work, and the threads."""
        if self._live is not None:
            self._live.close()
        self._finalizer()
        self._pool.join()

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _files(self, packets: Iterable[Packet], in_flight: int, on_error: OnError) -> Iterator[Result]:
        with self._taken():
            yield from run_all(self._pool, packets, in_flight=in_flight, on_error=on_error, flow=self._flow)

    @contextlib.contextmanager
    def _taken(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._turn.release()

    def _take(self) -> None:
        if not self._turn.acquire(blocking=False):
            raise GraphError(
                "this runner is at work: finish or close the stream that it runs, or make another runner"
            )


def _known(on_error: OnError) -> OnError:
    if on_error not in ("stop", "skip"):
        raise unknown_name("way to meet an error", on_error, ["stop", "skip"])
    return on_error
