"""How far a search with many trainers is, as a note in its store that all of them read."""

from enum import Enum

from pomona.fit.trials.optuna_store import OptunaStore


class Phase(Enum):
    """What the trainers do now."""

    EXPLORE = "explore"
    FINALS = "finals"
    OVER = "over"
    STOP = "stop"
    """They save what they train and go: the same command goes on with it later."""


def phase_of(store: OptunaStore) -> Phase:
    """The phase that was said last."""
    return Phase(store.notes.get("phase", "explore"))


def say_phase(store: OptunaStore, phase: Phase) -> None:
    """Lets all trainers know what to do now."""
    store.note("phase", phase.value)


def say_here(store: OptunaStore, trainer: str) -> None:
    """Says that a trainer began to work; others may still wait for a place on a cluster."""
    store.note(f"here {trainer}", True)


def say_done(store: OptunaStore, phase: Phase, trainer: str) -> None:
    """Says that a trainer finds nothing left to do in a phase."""
    store.note(f"done {phase.value} {trainer}", True)


def are_done(store: OptunaStore, phase: Phase, trainers: list[str]) -> bool:
    """Whether those of some trainers that began to work, one at least, find nothing left to do in a phase."""
    notes = store.notes
    here = [trainer for trainer in trainers if f"here {trainer}" in notes]
    return bool(here) and all(f"done {phase.value} {trainer}" in notes for trainer in here)
