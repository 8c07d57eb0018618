"""The heartbeat of a trainer: a thread, since a training step may take longer than the others will wait."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from pomona.fit.trials.store import TrialStore


@contextlib.contextmanager
def pulse(store: TrialStore, *, every_s: float, also: Callable[[], None] | None = None) -> Iterator[None]:
    """Says every `every_s` seconds that this trainer lives, as long as the block lasts, and calls `also`.

    A database that does not answer is asked again at the next beat.
    """
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every_s):
            # whatever a database that is away says, the heart goes on
            with contextlib.suppress(Exception):
                store.keep_alive()
                if also is not None:
                    also()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
