"""`trainer` as a command: one more process at a search that runs somewhere."""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pomona.find.search.trainers.place import find_place
from pomona.fit.threads import thread_environment
from pomona.foundation.errors import SettingError
from pomona.foundation.run import available_threads


@dataclass(frozen=True)
class JoinOptions:
    """Which search a trainer joins, and what of this machine it uses."""

    store: str
    """Folder of the search, or the address of the database that it was given as --store."""

    search: str | None = None
    """Name of the search's folder, where its database holds several."""

    folder: Path | None = None
    """Where that folder is on this machine, when the search itself sees it under another path."""

    threads: int | None = None
    """Cores to use; otherwise all."""

    device: str = "auto"
    """cpu, cuda, or auto: an accelerator when there is one."""

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise SettingError(f"threads must be at least 1, got {self.threads}")


def trainer_command(options: JoinOptions) -> dict[str, Any]:
    """Trains for a search until it is over; returns its folder and what this trainer finished.

    Raises RunError when the data here are not those of the search, and Interrupted when the user stops it:
    what it was training is saved, and another trainer goes on with it.
    """
    place = find_place(options.store, search=options.search, folder=options.folder)
    threads = options.threads or available_threads()
    # read by torch when it is imported, which is from here on
    os.environ.update(thread_environment(threads, {}))
    from pomona.find.search.trainers.assignment import Assignment
    from pomona.find.search.trainers.work import work

    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    work(Assignment(place, name, threads, options.device))
    with place.stores() as stores:
        ended = [
            trial for store in stores for trial in store.all() if trial.trainer == name and trial.finished
        ]
    states = [trial.state for trial in ended]
    return {
        "search": str(place.folder),
        "trainer": name,
        **{s: states.count(s) for s in ("completed", "failed")},
    }
