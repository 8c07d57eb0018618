"""Whether a search with many trainers loses or repeats a trial while trainers are killed.

    python benchmarks/search_trainers.py [--stores sqlite postgresql] [--trials 240] [--kills 20]

Six trainers search a network for the wine task, 240 trials in all, on one SQLite file and on a PostgreSQL
server that the benchmark starts. Every ten seconds one of their processes, drawn at random, is killed with
-9, 20 of them. Recorded are trials that got lost or came up twice, finished trials that changed or vanished
after a kill, trials that failed, what trainers said of errors, and how many trials were taken over by another
trainer. Small networks and few steps: it is the store that is tested. Prints one JSON line and writes
benchmarks/results/search_trainers.json.
"""

import argparse
import contextlib
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pomona.fit.trials.trial import Trial
from pomona.foundation.files import read_json, to_json, write_json

RESULT = Path(__file__).parent / "results" / "search_trainers.json"


def main() -> None:
    """Runs the search on each store and writes what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--trainers", type=int, default=6)
    parser.add_argument("--trials", type=int, default=240)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--lead", nargs=2, metavar=("FOLDER", "URL"))
    wanted = parser.parse_args()
    if wanted.lead:
        lead(Path(wanted.lead[0]), wanted.lead[1], wanted)
        return
    known = read_json(RESULT) if RESULT.exists() else {}
    found = {name: known[name] for name in STORES if name in known}
    for name in wanted.stores:
        with tempfile.TemporaryDirectory(prefix="pomona-trainers-") as folder, STORES[name]() as url:
            found[name] = measured(Path(folder) / "run", url, wanted)
    result = {
        "benchmark": "search_trainers",
        "unit": "trials of a search whose trainers are killed",
        "bar": "nothing lost, nothing twice, no error",
        "command": "python benchmarks/search_trainers.py",
        **found,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, shared",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, result)
    print(to_json(result))


def measured(folder: Path, url: str, wanted: argparse.Namespace) -> dict[str, Any]:
    """What became of a search whose trainers were killed."""
    log = folder.parent / "log"
    options = [f"--{name}={getattr(wanted, name)}" for name in ("trainers", "trials", "steps")]
    began = time.monotonic()
    with open(log, "wb") as output:
        leader = subprocess.Popen(
            [sys.executable, __file__, "--lead", str(folder), url, *options], stdout=output, stderr=output
        )
        killing = Killing(folder, url, leader.pid, wanted)
        with killing:
            code = leader.wait()
    seconds = time.monotonic() - began
    trials = killing.trials()
    pairs = Counter((trial.genome_hash, trial.seed) for trial in trials)
    counted = [trial for trial in trials if trial.state in ("completed", "failed")]
    said = [path.read_text(errors="replace") for path in (folder / "trainers").glob("*.log")]
    return {
        "trainers": wanted.trainers,
        "wanted": wanted.trials,
        "completed": sum(trial.state == "completed" for trial in trials),
        "lost": wanted.trials - len(counted),
        "duplicates": sum(count - 1 for count in pairs.values()),
        "failed": sum(trial.state == "failed" for trial in trials),
        "finished_trials_changed_by_a_kill": killing.num_changed,
        "errors": sum(text.count("Traceback") + text.count("pomona: ") for text in said),
        "exit_code": code,
        "kills": killing.num_kills,
        "taken_over": sum(trial.attempts > 1 for trial in trials),
        "seconds": round(seconds, 1),
    }


def lead(folder: Path, url: str, wanted: argparse.Namespace) -> None:
    """The process that leads the search."""
    from pomona.find.search.problem import make_problem
    from pomona.find.search.settings import SearchSettings
    from pomona.find.search.trainers import Origin, TrainerOptions, train_together
    from pomona.find.search.trainers.place import place_of
    from pomona.foundation.run import open_run
    from pomona.networks.blocks import BLOCKS
    from pomona.tasks.load import load_task

    settings = SearchSettings(trials=wanted.trials, steps=wanted.steps, finalists=1, finalist_seeds=1)
    options = TrainerOptions(trainers=wanted.trainers, store=url or None, grace=20.0)
    problem = make_problem(load_task("wine"), settings, BLOCKS)
    with open_run(folder, verb="search", subject="wine", identity={}, seed=0) as run:
        place = place_of(run.folder, options.store)
        with place.stores(grace_s=options.grace) as stores:
            train_together(problem, stores, run, place=place, options=options, origin=Origin("wine"))


class Killing:
    """Kills a random trainer every few seconds while the block lasts, and checks what is there after it."""

    def __init__(self, folder: Path, url: str, leader: int, wanted: argparse.Namespace):
        self._folder, self._url, self._leader, self._wanted = folder, url, leader, wanted
        self._draw, self._ended = random.Random(0), threading.Event()
        self._thread = threading.Thread(target=self._kill_all)
        self._finished: dict[int, tuple[Any, ...]] = {}
        self.num_kills, self.num_changed = 0, 0

    def __enter__(self) -> "Killing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._check()

    def trials(self) -> tuple[Trial, ...]:
        """What is in the store now."""
        from pomona.find.search.trainers.place import place_of

        with place_of(self._folder, self._url or None).stores() as (store, _):
            return store.all()

    def _kill_all(self) -> None:
        while not self._ended.wait(self._wanted.every) and self.num_kills < self._wanted.kills:
            trainers = children(self._leader)
            if trainers:
                os.kill(self._draw.choice(trainers), signal.SIGKILL)
                self.num_kills += 1
                self._check()

    def _check(self) -> None:
        now = {t.number: (t.state, t.score, t.finished) for t in self.trials() if t.finished}
        self.num_changed += sum(now.get(number) != known for number, known in self._finished.items())
        self._finished = now


def children(pid: int) -> list[int]:
    """The processes that a process started and that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    """No address: a file in the run's folder."""
    yield ""


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The address of a server in a temporary folder."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pomona-postgresql-") as folder, socket.socket() as free:
        Path(folder).chmod(0o777)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def call(program: str, *arguments: str) -> None:
            command = [*user, str(programs / program), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

        call("initdb", "-A", "trust", "-U", "pomona", "-E", "UTF8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        call("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://pomona@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")


STORES = {"sqlite": sqlite, "postgresql": postgresql}


if __name__ == "__main__":
    main()
