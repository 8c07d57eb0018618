"""Reading ahead: items of an iterator, taken by a thread of its own before they are asked for."""

import threading
from collections import deque
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """At most `depth` items wait. A full queue holds the thread back; with `newest` it loses its oldest item.

    An error of the iterator is raised where its item would have come. `close` ends the thread, which closes
    the iterator; a thread that is stuck in a read dies with the process.
    """

    def __init__(self, items: Generator[T], *, depth: int, newest: bool = False):
        self.dropped = 0
        self._items = items
        self._depth = depth
        self._newest = newest
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._is_over = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._read, name="pomona-frames", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            while not (self._waiting or self._is_over or self._is_closed):
                self._changed.wait()
            if self._waiting:
                item = self._waiting.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Ends the reading; what was read and not asked for is lost."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    def _read(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:
            self._error = error
        finally:
            self._items.close()
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _put(self, item: T) -> bool:
        with self._changed:
            if self._newest and len(self._waiting) >= self._depth:
                self._waiting.popleft()
                self.dropped += 1
            while len(self._waiting) >= self._depth and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return False
            self._waiting.append(item)
            self._changed.notify_all()
            return True
