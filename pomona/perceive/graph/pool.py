"""Threads that run the stages of a schedule: woken by conditions, never polling, at most so many at work."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.packet import Packet
from pomona.perceive.graph.plan import Plan, Step
from pomona.perceive.graph.schedule import Outcome, Schedule, Work


class Pool:
    """A schedule and the threads that work it off. Threads are started when there is work for them.

    Whoever finishes a stage takes the next one that is ready, so that a chain of stages stays on one thread.
    """

    def __init__(self, plan: Plan, num_threads: int) -> None:
        self.schedule = Schedule(plan)
        # reentrant, because `stop` may come from the garbage collector in the midst of anything
        self.lock = threading.RLock()
        self._work_came = threading.Condition(self.lock)
        self._frame_done = threading.Condition(self.lock)
        self._num_threads = num_threads
        self._threads: list[threading.Thread] = []
        self._num_idle = 0
        self._num_helpers = 0  # callers that take part until their frame is done
        self._num_running = 0
        self._is_stopped = False

    def submit(self, packet: Packet, on_done: Callable[[Work], None] | None = None) -> Work:
        """Begins a frame; `on_done` is called by the thread that finishes it and must not raise."""
        with self.lock:
            self._check_open()
            work = self.schedule.admit(packet, on_done)
            self._wake()
            return work

    def wait(self, work: Work) -> None:
        """Returns when the frame is done. Raises GraphError when the pool is stopped instead."""
        with self.lock:
            while not work.is_done:
                self._check_open()
                self._frame_done.wait()

    def run(self, packet: Packet, works: list[Work]) -> None:
        """Takes a frame through all stages, on this thread and, where stages are independent, on others.

        The frame is added to `works` when it is begun.
        """
        with self.lock:
            self._check_open()
            works.append(self.schedule.admit(packet))
            self._help(works)
            if not works[-1].is_done:
                self._check_open()

    def take_back(self, works: Sequence[Work]) -> None:
        """Ends the last frames that were begun and sets the states back to before them.

        Stages that run are waited for. When the wait is broken off, the pool is of no use any more and stops.
        """
        with self.lock:
            for work in works:
                work.is_abandoned = True
            try:
                self._help(works)
            except BaseException:
                self.stop()
                raise
            self.schedule.restore(works)

    def stop(self) -> None:
        """Lets the threads end after the stage that they are at."""
        with self.lock:
            self._is_stopped = True
            self._work_came.notify_all()
            self._frame_done.notify_all()

    def join(self) -> None:
        """Waits for the threads to end."""
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join()

    def _check_open(self) -> None:
        if self._is_stopped:
            raise GraphError("this runner is closed: make another one")

    def _wake(self) -> None:
        # one more thread for what is ready; it wakes the next one in its turn
        if not self.schedule.ready or self._num_running >= self._num_threads:
            return
        if self._num_idle:
            self._work_came.notify()
        elif len(self._threads) < self._num_threads:
            thread = threading.Thread(
                target=self._serve_always, name=f"stages-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve_always(self) -> None:
        with self.lock:
            self._serve(lambda: False)

    def _help(self, works: Sequence[Work]) -> None:
        self._num_helpers += 1
        try:
            self._serve(lambda: all(work.is_done for work in works))
        finally:
            self._num_helpers -= 1

    def _serve(self, is_over: Callable[[], bool]) -> None:
        # called, and left, with the lock held once
        while not self._is_stopped and not is_over():
            if self.schedule.ready and self._num_running < self._num_threads:
                self._run_next()
            else:
                self._num_idle += 1
                try:
                    self._work_came.wait()
                finally:
                    self._num_idle -= 1
        self._wake()

    def _run_next(self) -> None:
        index, work, state = self.schedule.take()
        self._num_running += 1
        self._wake()
        outcome = Outcome()
        self.lock.release()
        try:
            if not work.is_abandoned and not (work.broken and work.broken & self._step(index).producers):
                outcome = _call(self._step(index), work.values, state)
        finally:
            self.lock.acquire()
            if self.schedule.finish(index, work, outcome):
                self._announce(work)
            self._num_running -= 1

    def _step(self, index: int) -> Step:
        return self.schedule.plan.steps[index]

    def _announce(self, work: Work) -> None:
        self._frame_done.notify_all()
        if self._num_helpers:
            self._work_came.notify_all()
        if work.on_done is not None:
            # that may take its time: what this stage made ready is for others
            self._wake()
            self.lock.release()
            try:
                work.on_done(work)
            finally:
                self.lock.acquire()


def _call(step: Step, values: dict[str, Any], state: Any) -> Outcome:
    started_s = time.perf_counter()
    try:
        made, state = step.call(values, state)
    except Exception as error:
        return Outcome(error=error, duration_ms=1e3 * (time.perf_counter() - started_s))
    except BaseException as error:
        # Ctrl-C comes to the main thread; elsewhere it was the stage that raised
        if threading.current_thread() is threading.main_thread():
            raise
        return Outcome(error=error, duration_ms=1e3 * (time.perf_counter() - started_s))
    return Outcome(made, state, 1e3 * (time.perf_counter() - started_s))
