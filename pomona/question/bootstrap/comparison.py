"""What a change of the pipeline does, in the two terms that decide how a network generalises.

A network of the real world is as good as the ideal one at the step where its train error is 1 %, but for the
gap. So a change alters the real world's soft error by three parts that add up exactly:

    speed   the ideal world's error at the old step: negative where fresh examples are learned faster
    time    from the old step to the new one in the ideal world: negative where one's own take longer to fit
    gap     the difference of the two gaps
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import SettingError
from pomona.foundation.statistics.interval import Interval, t_interval
from pomona.question.bootstrap.curves import Curves, chosen_curves
from pomona.question.bootstrap.gap import gaps

PARTS = ("speed", "time", "gap")


@dataclass(frozen=True)
class Change:
    """A mean over seeds and its 95 % interval, of differences paired by seed."""

    mean: float
    interval: Interval

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True)
class Comparison:
    """A changed pipeline against the one as asked for, for one size of the real world."""

    size: int
    real: Change
    """Change of the real world's soft error, each read where its own train error is 1 %."""
    speed: Change
    time: Change
    gap: Change
    old_step: int
    """Where the pipeline as asked for is read."""
    new_step: int
    """Where the changed one is read."""
    has_converged: tuple[bool, bool]
    """Whether the train error came down to 1 %, of both; a step of one that did not is the last one."""

    @property
    def reason(self) -> str:
        """The part that does most of it, or "" where the change of the real world's error may be none."""
        if not self.real.is_sure:
            return ""
        sign = np.sign(self.real.mean)
        return max(PARTS, key=lambda part: sign * getattr(self, part).mean)


def compare(base: Curves, changed: Curves, name: str) -> dict[int, Comparison]:
    """The comparison for every size, on the seeds that came through in both; `name` is that of the change.

    Raises SettingError where these are fewer than two.
    """
    kept = base.sound() & changed.sound()
    if kept.sum() < 2:
        raise SettingError(
            f"{name}: {len(kept) - kept.sum()} of {len(kept)} seeds came to nothing, their loss was no "
            "longer finite; at least 2 must come through: a lower --learning-rate may help, or leave it out"
        )
    base, changed = chosen_curves(base, kept), chosen_curves(changed, kept)
    return {size: _comparison(base, changed, size) for size in base.real}


def _comparison(base: Curves, changed: Curves, size: int) -> Comparison:
    old, new = gaps(base)[size], gaps(changed)[size]
    ideal_old, ideal_new = base.ideal[:, old.end], changed.ideal[:, new.end]
    at_old_step = changed.ideal[:, old.end]
    real_old, real_new = base.real[size][:, old.end], changed.real[size][:, new.end]
    return Comparison(
        size,
        real=_change(real_new - real_old),
        speed=_change(at_old_step - ideal_old),
        time=_change(ideal_new - at_old_step),
        gap=_change((real_new - ideal_new) - (real_old - ideal_old)),
        old_step=old.end_step,
        new_step=new.end_step,
        has_converged=(old.has_converged, new.has_converged),
    )


def _change(differences: Float[np.ndarray, " member"]) -> Change:
    return Change(float(differences.mean()), t_interval(differences))
