"""The trainers that a search started: as many as were wanted, whoever dies."""

import secrets
import time

from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines import ENGINES
from pomona.find.search.trainers.engines.started import Started
from pomona.find.search.trainers.options import TrainerOptions
from pomona.find.search.trainers.place import Place
from pomona.fit.threads import threads_per_trainer
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.foundation.errors import RunError
from pomona.foundation.run import Run

PATIENCE_S = 60.0
"""How long a trainer may take to save what it trains, once it is to stop."""

POLL_S = 0.1
REAP_EVERY_S = 2.0


class Crew:
    """Trainers that work for one search."""

    def __init__(
        self, options: TrainerOptions, place: Place, stores: tuple[OptunaStore, OptunaStore], run: Run
    ):
        self._options, self._place, self._stores, self._run = options, place, stores, run
        self._trainers: dict[str, Started] = {}
        self._num_started = 0
        self._num_deaths, self._done_then, self._reaped_at = 0, 0, 0.0
        self._call = secrets.token_hex(3)

    @property
    def names(self) -> list[str]:
        """The trainers that live, or did when `tend` looked last."""
        return sorted(self._trainers)

    @property
    def trainers(self) -> dict[str, Started]:
        """The same by name, as they were started."""
        return dict(self._trainers)

    def start(self) -> None:
        """Starts as many trainers as are missing."""
        while len(self._trainers) < self._options.trainers:
            name = f"{self._call}-{self._num_started}"
            self._num_started += 1
            assignment = Assignment(self._place, name, self._threads, self._run.device)
            self._place.folder.joinpath("trainers").mkdir(exist_ok=True)
            self._trainers[name] = ENGINES[self._options.engine](assignment, self._options.told)

    def tend(self, num_done: int) -> None:
        """Gives on what dead trainers were at, and starts others for them.

        Raises RunError when too many died in a row while `num_done` stayed what it was. Trainers on machines
        that nobody hears of any more are noticed by their silence.
        """
        if num_done > self._done_then:
            self._num_deaths, self._done_then = 0, num_done
        dead = [name for name, trainer in self._trainers.items() if not trainer.is_alive()]
        if dead or time.monotonic() - self._reaped_at > REAP_EVERY_S:
            for store in self._stores:
                store.reap(alone=False, dead=dead)
            self._reaped_at = time.monotonic()
        for name in dead:
            said = self._trainers.pop(name).last_words()
            self._num_deaths += 1
            if self._num_deaths > self._options.max_deaths:
                raise RunError(
                    f"{self._num_deaths} trainers died in a row; the last one said: {said}; "
                    f"all that they said is in {self._place.folder / 'trainers'}"
                )
            self._run.console.line(f"trainer {name} ended; another one takes its place ({said})")
        self.start()

    def end(self, *, stop: bool = False) -> None:
        """Waits until all have ended, with `stop` before their work is done; ends those that take long."""
        if stop:
            for trainer in self._trainers.values():
                trainer.stop()
        latest = time.monotonic() + PATIENCE_S
        for name, trainer in self._trainers.items():
            while trainer.is_alive() and time.monotonic() < latest:
                time.sleep(POLL_S)
            if trainer.is_alive():
                trainer.kill()
                for store in self._stores:
                    store.reap(alone=False, dead=[name])
        self._trainers.clear()

    @property
    def _threads(self) -> int:
        given, is_here = self._options.trainer_threads, self._options.engine == "local"
        return given or (threads_per_trainer(self._options.trainers, self._run.threads) if is_here else 1)
