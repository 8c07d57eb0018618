"""Leading a search of many trainers: start them, start others for those that die, show how far it is."""

import time
from collections.abc import Callable
from pathlib import Path

from pomona.find.search.explore import note_of_best, num_tried
from pomona.find.search.finalists import prepare_finals
from pomona.find.search.problem import Problem
from pomona.find.search.trainers.assignment import Origin, publish
from pomona.find.search.trainers.crew import Crew
from pomona.find.search.trainers.options import TrainerOptions
from pomona.find.search.trainers.phases import Phase, are_done, say_phase
from pomona.find.search.trainers.place import Place
from pomona.find.search.trainers.work import BEATS, LONGEST_BEAT_S
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.pulse import pulse
from pomona.fit.trials.store import num_finished
from pomona.fit.trials.trial import UNFINISHED
from pomona.foundation.console import Progress
from pomona.foundation.run import Run

POLL_S = 0.3
SAVE_EVERY_S = 5.0


def train_together(
    problem: Problem,
    stores: tuple[OptunaStore, OptunaStore],
    run: Run,
    *,
    place: Place,
    options: TrainerOptions,
    origin: Origin,
    blocks: Path | None = None,
) -> None:
    """Has trainers explore and train the finalists, until nothing is left to train or the time is over.

    Trials that others left behind are gone on with. Raises Interrupted, with everything saved, when the user
    stops it, and RunError when trainers keep dying.
    """
    store, _ = stores
    for known in stores:
        known.reap(alone=False, dead=_surely_dead(known, place))
    publish(store, place, problem, run, origin=origin, blocks=blocks, grace_s=options.grace)
    crew = Crew(options, place, stores, run)
    every_s = min(options.grace / BEATS, LONGEST_BEAT_S)
    with pulse(store, every_s=every_s, also=store.lead):
        store.lead()
        try:
            _explore(problem, store, run, crew)
            if store.top_k(1):
                _train_finalists(problem, stores, run, crew)
        except BaseException:
            say_phase(store, Phase.STOP)
            crew.end(stop=True)
            raise
        say_phase(store, Phase.OVER)
        crew.end()


def _surely_dead(store: OptunaStore, place: Place) -> list[str]:
    """Trainers of unfinished trials that were processes of an earlier one of this search, which has ended.

    Those that joined or run on a cluster may live: they leave a note in the folder and no log of ours.
    """
    folder = place.folder / "trainers"
    names = {trial.trainer for trial in store.all() if trial.state in UNFINISHED}
    return [
        name for name in names if (folder / f"{name}.log").exists() or not (folder / f"{name}.json").exists()
    ]


def _explore(problem: Problem, store: OptunaStore, run: Run, crew: Crew) -> None:
    wanted = problem.settings.trials

    def is_over() -> bool:
        return num_tried(store.all()) >= wanted or are_done(store, Phase.EXPLORE, crew.names)

    if is_over():
        return
    say_phase(store, Phase.EXPLORE)
    crew.start()
    with run.progress("search", wanted, "trials") as progress:
        _tend(
            is_over,
            lambda: num_tried(store.all()),
            progress,
            run,
            crew,
            note=lambda: note_of_best(store, problem),
        )


def _train_finalists(problem: Problem, stores: tuple[OptunaStore, OptunaStore], run: Run, crew: Crew) -> None:
    store, finals_store = stores
    contenders = prepare_finals(problem, store, finals_store)
    wanted = len(contenders) * problem.settings.finalist_seeds

    def is_over() -> bool:
        return num_finished(finals_store) >= wanted or are_done(store, Phase.FINALS, crew.names)

    if is_over():
        return
    store.note("contenders", [contender.number for contender in contenders])
    say_phase(store, Phase.FINALS)
    crew.start()
    with run.progress("finalists", wanted, "trainings") as progress:
        _tend(is_over, lambda: num_finished(finals_store), progress, run, crew)


def _tend(
    is_over: Callable[[], bool],
    num_done: Callable[[], int],
    progress: Progress,
    run: Run,
    crew: Crew,
    *,
    note: Callable[[], str] = lambda: "",
) -> None:
    """Waits for the trainers, and looks after them."""
    saved_at = 0.0
    while not is_over():
        done = num_done()
        progress.advance(done - progress.done, note=note() if done > progress.done else "")
        crew.tend(done)
        if time.monotonic() - saved_at > SAVE_EVERY_S:
            # the seconds spent so far are kept with it
            run.save("trainers", {"done": done})
            saved_at = time.monotonic()
        run.check_interrupt()
        time.sleep(POLL_S)
    progress.advance(num_done() - progress.done)
    run.save("trainers", {"done": num_done()})
