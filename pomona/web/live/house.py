"""What all clients share: the threads, the recordings, the places and the sums."""

import statistics
import time
from collections import Counter, deque
from typing import Any

from pomona.foundation.errors import PomonaError
from pomona.foundation.run import available_threads
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.web.live.access import Access
from pomona.web.live.pool import FairPool
from pomona.web.live.recording import Recordings
from pomona.web.live.session import MakeHolistic, Session
from pomona.web.live.settings import Limits, LiveSettings


class BusyError(PomonaError):
    """Every place is taken."""


class House:
    """The server's state. Belongs to the event loop."""

    def __init__(
        self,
        settings: LiveSettings,
        holistic: HolisticSettings,
        *,
        make_holistic: MakeHolistic,
        token: str | None = None,
        limits: Limits | None = None,
    ):
        self.limits = limits or Limits()
        self.access = Access(token)
        self.holistic = holistic
        self.pool = FairPool(min(settings.clients, available_threads()))
        self.recordings = Recordings(settings.out, most=self.limits.recordings)
        self._make_holistic = make_holistic
        self._places = settings.clients
        self._sessions: set[Session] = set()
        self._sums = Counter(clients=0, frames=0, drops=0)
        self._stage_ms: dict[str, deque[float]] = {}
        self._started = time.monotonic()

    def enter(self) -> Session:
        """A session for a client that has come. Raises BusyError when every place is taken."""
        if len(self._sessions) >= self._places:
            raise BusyError(f"all {self._places} places are taken: close another page that shows the camera")
        session = Session(
            self.holistic, make_holistic=self._make_holistic, recordings=self.recordings, limits=self.limits
        )
        self._sessions.add(session)
        self._sums["clients"] += 1
        return session

    async def leave(self, session: Session) -> None:
        """Ends a session; its place is free once its models are gone."""
        try:
            await self.pool.run(session, session.close)
        finally:
            self.pool.leave(session)
            self._sessions.discard(session)
            self._sums.update(frames=session.num_frames, drops=session.num_drops)
            for name, times in session.stage_ms.items():
                self._stage_ms.setdefault(name, deque(maxlen=times.maxlen)).extend(times)

    def close(self) -> None:
        """Stops the threads and removes what was temporary."""
        self.pool.close()
        self.recordings.close()

    def summary(self) -> dict[str, Any]:
        """Clients, frames, drops, seconds, recordings, and each stage's median milliseconds."""
        return {
            **self._sums,
            "seconds": time.monotonic() - self._started,
            "recordings": self.recordings.num_made,
            "stage_ms": {name: statistics.median(times) for name, times in self._stage_ms.items()},
        }
