"""What a store of trials does: the memory that trainers share and that outlives them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from pomona.fit.trials.trial import UNFINISHED, Proposal, Trial

MAX_ATTEMPTS = 3


class TrialStore(Protocol):
    """Trials and their files. Every method leaves the store whole when its process dies in the midst of it.

    A trial is running from `claim` until `finish`, `fail` or `prune`; what is written to it then stays as it
    is. Writing to a trial that is not running raises RunError.
    """

    def claim(self, proposal: Proposal) -> Trial | None:
        """A new running trial of this trainer, or None when (genome_hash, seed) is in the store already."""
        ...

    def claim_waiting(self) -> Trial | None:
        """The waiting trial with the lowest number, now running; None when there is none."""
        ...

    def heartbeat(self, number: int) -> None:
        """Says that the trial's trainer lives. Raises RunError when it is no longer this trainer's."""
        ...

    def keep_alive(self) -> None:
        """Says that this trainer lives, for whatever it runs; may be called from another thread."""
        ...

    def holds(self, number: int) -> bool:
        """Whether the trial runs and is still this trainer's."""
        ...

    def limit(self, num_trials: int | None) -> None:
        """Lets this trainer claim no new trial while the store holds so many, whoever claimed them."""
        ...

    def report(self, number: int, step: int, score: float) -> None:
        """Keeps a score on the way."""
        ...

    def finish(
        self,
        number: int,
        score: float,
        values: Mapping[str, float],
        attributes: Mapping[str, Any] | None = None,
    ) -> Trial:
        """Completes a trial. With a NaN or infinite score it counts as failed: it never wins."""
        ...

    def fail(self, number: int, reason: str) -> Trial:
        """Ends a trial that could not be carried through."""
        ...

    def prune(self, number: int, reason: str) -> Trial:
        """Ends a trial that was not worth carrying through, such as one over a limit."""
        ...

    def release(self, number: int) -> Trial:
        """Lets a running trial wait for the next trainer, which goes on from its files."""
        ...

    def reap(self, *, alone: bool, dead: Collection[str] = ()) -> tuple[Trial, ...]:
        """Lets the running trials of dead trainers wait for another one, and returns them.

        Dead is a trainer without a heartbeat for the grace period, and one of `dead`, which are names; with
        `alone`, when the caller knows that no other trainer uses the store, every other one. After
        MAX_ATTEMPTS a trial is failed instead.
        """
        ...

    def is_promised(self) -> bool:
        """Whether another trainer has claimed a genome and is about to make the trial, if it lives."""
        ...

    def all(self) -> tuple[Trial, ...]:
        """All trials in the order of their numbers."""
        ...

    def top_k(self, num_trials: int) -> tuple[Trial, ...]:
        """The completed trials of the highest scores, best first; the earlier one where scores are equal."""
        ...

    def by_genome_hash(self, genome_hash: str) -> tuple[Trial, ...]:
        """The trials of one genome, one a seed, in the order of their numbers."""
        ...

    def add_artifact(self, number: int, name: str, content: bytes) -> Path:
        """Keeps a file of the trial, whole or not at all, and returns its path. It may be written again."""
        ...

    def path(self, number: int, name: str) -> Path:
        """Where the trial's file of this name is, or would be."""
        ...


def num_finished(store: TrialStore) -> int:
    """How many trials have ended, in whatever way."""
    return sum(trial.finished is not None for trial in store.all())


def others_are_at_it(store: TrialStore) -> bool:
    """Whether a trial waits or runs, or is about to be made by another trainer."""
    return any(trial.state in UNFINISHED for trial in store.all()) or store.is_promised()


def best_first(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """The completed ones among `trials`, the highest score first, the earlier one where scores are equal."""
    completed = [trial for trial in trials if trial.state == "completed" and trial.score is not None]
    return tuple(sorted(completed, key=lambda trial: (-(trial.score or 0.0), trial.number)))
