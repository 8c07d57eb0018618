"""A bound on a rate that forgives short bursts."""

import time
from collections.abc import Callable


class Allowance:
    """Refills by `per_s` every second, up to one second's worth."""

    def __init__(self, per_s: float, *, clock: Callable[[], float] = time.monotonic):
        self.per_s = per_s
        self._clock = clock
        self._left = per_s
        self._seen = clock()

    def take(self, amount: float = 1.0) -> bool:
        """True when so much was left, and is now taken."""
        now = self._clock()
        self._left = min(self.per_s, self._left + (now - self._seen) * self.per_s)
        self._seen = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
