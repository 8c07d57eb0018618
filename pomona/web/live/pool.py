"""Threads that all clients share, in fair parts."""

import asyncio
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class FairPool:
    """Runs clients' work on a few threads; of those who wait, whoever has had the least time is next.

    So a client with heavy models, or one that always has work, gets no more time than each of the others.
    Time not asked for is not saved up. All but the work itself happens on one event loop.
    """

    def __init__(self, threads: int, *, clock: Callable[[], float] = time.monotonic):
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="pomona-live")
        self._clock = clock
        self._free = threads
        self._used: dict[Hashable, float] = {}
        self._waiting: dict[Hashable, asyncio.Future[None]] = {}
        self._reached = 0.0

    async def run(self, client: Hashable, work: Callable[[], T]) -> T:
        """What `work` returns, once it was the client's turn; a client asks for one thing at a time."""
        assert client not in self._waiting, "a client waits for its turn before it asks again"
        turn = asyncio.get_running_loop().create_future()
        self._used[client] = max(self._used.get(client, 0.0), self._reached)
        self._waiting[client] = turn
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.pop(client, None)
            if not turn.cancelled():
                self._free += 1
                self._grant()
            raise
        return await self._start(client, work)

    def leave(self, client: Hashable) -> None:
        """Forgets a client that will ask no more."""
        self._used.pop(client, None)

    def close(self) -> None:
        """Waits for the work under way, and stops the threads."""
        self._executor.shutdown()

    def _grant(self) -> None:
        while self._free and self._waiting:
            client = min(self._waiting, key=lambda waiting: self._used[waiting])
            self._reached = max(self._reached, self._used[client])
            turn = self._waiting.pop(client)
            if not turn.cancelled():
                turn.set_result(None)
                self._free -= 1

    def _start(self, client: Hashable, work: Callable[[], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        started = self._clock()

        def finished(_: Future[T]) -> None:
            loop.call_soon_threadsafe(self._finish, client, self._clock() - started)

        future = self._executor.submit(work)
        # the thread is free when its work ends, which a client that left does not hasten
        future.add_done_callback(finished)
        return asyncio.wrap_future(future)

    def _finish(self, client: Hashable, seconds: float) -> None:
        if client in self._used:
            self._used[client] += seconds
        self._free += 1
        self._grant()
