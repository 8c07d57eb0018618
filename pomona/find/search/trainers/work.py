"""A trainer's life: it reads what to work on from the store, trains until nothing is left, and goes."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pomona.find.search.explore import explore
from pomona.find.search.finalists import train_finals
from pomona.find.search.problem import Problem
from pomona.find.search.trainers.assignment import Assignment, problem_of, published
from pomona.find.search.trainers.phases import Phase, phase_of, say_done, say_here
from pomona.find.search.trainers.place import Place
from pomona.fit.threads import use_threads
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.pulse import pulse
from pomona.foundation.console import Console
from pomona.foundation.decisions import Decisions
from pomona.foundation.files import write_json
from pomona.foundation.run import Clock, Run
from pomona.foundation.run_folder import seconds_spent

POLL_S = 0.5
BEATS = 6
"""Heartbeats within the grace period: a few may be lost on the way."""

LONGEST_BEAT_S = 2.0
"""A trainer looks at least so often whether it is to stop."""


def work(assignment: Assignment) -> None:
    """Trains for a search until it is over, or this trainer is to stop.

    Raises Interrupted when it was stopped: what it was training is saved and waits for another trainer.
    """
    place = assignment.place
    with place.stores(trainer=assignment.name) as (store, _):
        note = published(store)
    with place.stores(trainer=assignment.name, grace_s=note["grace"]) as (store, finals_store):
        problem = problem_of(note, place)
        write_json(place.folder / "trainers" / f"{assignment.name}.json", assignment.to_json())
        run = _run(assignment, note)
        use_threads(assignment.threads)
        with _stopped_by_signal(run), _alive(store, finals_store, run, grace_s=note["grace"]):
            say_here(store, assignment.name)
            _train(problem, store, finals_store, run, name=assignment.name)


def _train(problem: Problem, store: OptunaStore, finals_store: OptunaStore, run: Run, *, name: str) -> None:
    if phase_of(store) is Phase.EXPLORE:
        explore(problem, store, run, together=True)
        say_done(store, Phase.EXPLORE, name)
    while phase_of(store) is Phase.EXPLORE:
        run.check_interrupt()
        if not store.is_led():
            run.console.line("the models are trained; the same pomona search again trains the best of them")
            return
        time.sleep(POLL_S)
    if phase_of(store) is Phase.FINALS:
        contenders = [store.all()[number] for number in store.notes["contenders"]]
        train_finals(contenders, problem, store, finals_store, run, together=True)
        say_done(store, Phase.FINALS, name)
    while phase_of(store) is Phase.FINALS and store.is_led():
        run.check_interrupt()
        time.sleep(POLL_S)


def _run(assignment: Assignment, note: dict[str, Any]) -> Run:
    folder = assignment.place.folder
    decisions = Decisions(
        folder / "trainers" / f"{assignment.name}.decisions.jsonl", known=decision_logs(assignment.place)
    )
    clock = Clock(note["seconds"], seconds_spent(folder))
    return Run(folder, note["seed"], assignment.device, assignment.threads, Console(), decisions, clock)


def decision_logs(place: Place) -> list[Path]:
    """The logs of what was decided so far, that of the search itself first."""
    return [place.folder / "decisions.jsonl", *sorted((place.folder / "trainers").glob("*.decisions.jsonl"))]


@contextlib.contextmanager
def _alive(store: OptunaStore, finals_store: OptunaStore, run: Run, *, grace_s: float) -> Iterator[None]:
    def look() -> None:
        finals_store.keep_alive()
        if phase_of(store) is Phase.STOP:
            run.clock.interrupted = True

    with pulse(store, every_s=min(grace_s / BEATS, LONGEST_BEAT_S), also=look):
        yield


@contextlib.contextmanager
def _stopped_by_signal(run: Run) -> Iterator[None]:
    """SIGTERM and Ctrl-C let the trainer save and go; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        if run.clock.interrupted:
            raise KeyboardInterrupt
        run.clock.interrupted = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
