"""Working at a trial that another trainer may take, and that may have to be left to another one."""

import contextlib
from collections.abc import Iterator

from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import Interrupted, RunError
from pomona.foundation.run import Run


@contextlib.contextmanager
def held(trial: Trial, store: TrialStore, run: Run) -> Iterator[None]:
    """Lets go of a running trial when the work at it is interrupted; it then waits for another trainer.

    A trial that was given to another trainer, because this one was silent for too long, is not an error: the
    block just ends.
    """
    try:
        yield
    except Interrupted:
        if store.holds(trial.number):
            store.release(trial.number)
        raise
    except RunError:
        if store.holds(trial.number):
            raise
        run.console.line(f"trial {trial.number} was given to another trainer meanwhile")
