"""The best evaluation so far, and when to give up waiting for a better one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Best:
    """The best evaluation of a training: its step, score, loss and metrics, and how many came after it."""

    step: int = -1
    """Steps done before it; -1 when there was none."""
    score: float = -math.inf
    """The first metric, turned so that more is better."""
    loss: float = math.inf
    num_since: int = 0

    def after(self, step: int, score: float, loss: float) -> "Best":
        """The best one after another evaluation: a higher score wins, of equal scores the lower loss.

        A loss that is not finite never wins; a score that has no meaning counts as the lowest.
        """
        score = score if math.isfinite(score) else -math.inf
        if math.isfinite(loss) and (self.step < 0 or (score, -loss) > (self.score, -self.loss)):
            return Best(step, score, loss)
        return replace(self, num_since=self.num_since + 1)

    def is_over(self, patience: int) -> bool:
        """Whether `patience` evaluations in a row were no better; never for 0."""
        return patience > 0 and self.num_since >= patience

    def to_json(self) -> list[float | None]:
        """The best one as plain data; infinities are None."""
        numbers = (self.step, self.score, self.loss, self.num_since)
        return [number if math.isfinite(number) else None for number in numbers]

    @staticmethod
    def from_json(plain: Sequence[float | None]) -> "Best":
        """The best one that `to_json` wrote."""
        step, score, loss, num_since = plain
        return Best(
            int(step or 0),
            -math.inf if score is None else score,
            math.inf if loss is None else loss,
            int(num_since or 0),
        )
