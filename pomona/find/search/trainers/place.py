"""Where the trainers of a search meet: a database, two studies in it, and a folder that all of them see."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pomona.fit.trials.database import open_database, shown
from pomona.fit.trials.optuna_store import GRACE_S, OptunaStore
from pomona.foundation.errors import RunError, SettingError
from pomona.foundation.files import read_json, write_json

TRIALS, FINALISTS = "trials", "finalists"
PLACE_FILE = "trainers/place.json"


@dataclass(frozen=True)
class Place:
    """The run's folder, the address of the database, and what stands before the names of the studies."""

    folder: Path
    url: str
    prefix: str = ""

    def to_json(self) -> dict[str, Any]:
        """The place as plain data."""
        return {**asdict(self), "folder": str(self.folder)}

    @staticmethod
    def from_json(plain: dict[str, Any]) -> "Place":
        """The place that `to_json` wrote."""
        return Place(Path(plain["folder"]), plain["url"], plain["prefix"])

    @contextlib.contextmanager
    def stores(
        self, *, trainer: str | None = None, grace_s: float = GRACE_S
    ) -> Iterator[tuple[OptunaStore, OptunaStore]]:
        """The trials of the search and those of its finalists."""
        with contextlib.ExitStack() as stack:
            opened = []
            for name in (TRIALS, FINALISTS):
                study = f"{self.prefix}{name}"
                store = OptunaStore(
                    self.folder / name, url=self.url, study=study, trainer=trainer, grace_s=grace_s
                )
                stack.callback(store.close)
                opened.append(store)
            yield opened[0], opened[1]


def place_of(folder: Path, store: str | None = None) -> Place:
    """Where the search in a run's folder keeps its trials; `store` is the address that a user gave.

    The address is kept in the folder, without its password: that goes to PGPASSWORD of this process and those
    it starts. Raises RunError when an earlier process kept the trials elsewhere.
    """
    folder = folder.resolve()
    path = folder / PLACE_FILE
    found = read_json(path) if path.exists() else None
    if store is None and found is not None:
        return Place(folder, found["url"], found["prefix"])
    if store is None:
        return Place(folder, f"sqlite:///{folder / TRIALS / 'trials.sqlite'}")
    place = Place(folder, without_password(store), f"{folder.name}/")
    if found is None and (folder / TRIALS).exists():
        raise RunError(f"the trials of {folder} are in its own SQLite file: leave --store out")
    if found is not None and found["url"] != place.url:
        raise RunError(
            f"the trials of {folder} are in {found['url']}, not in {place.url}: give that as --store"
        )
    prefix = place.prefix if found is None else found["prefix"]
    write_json(path, {"url": place.url, "prefix": prefix})
    return Place(folder, place.url, prefix)


def find_place(store: str, *, search: str | None = None, folder: Path | None = None) -> Place:
    """The place of a running search, by its run's folder or by the address of its database.

    `search` chooses among several in one database; `folder` says where its folder is on this machine, when
    that is not where the search itself sees it.
    """
    if "://" not in store:
        if not (Path(store) / TRIALS).is_dir():
            raise SettingError(f"{store} is neither the folder of a search nor the address of a database")
        return place_of(Path(store))
    url = without_password(store)
    found = {note["folder"]: note for note in _searches(url)}
    chosen = [name for name in found if search is None or Path(name).name == search]
    if len(chosen) != 1:
        names = ", ".join(sorted(Path(name).name for name in found)) or "none"
        wanted = "its only search" if search is None else f"a search {search!r}"
        raise SettingError(f"wanted {wanted} in this database, which holds: {names}; choose with --search")
    place = Place(folder or Path(chosen[0]), url, found[chosen[0]]["prefix"])
    if not place.folder.is_dir():
        raise SettingError(f"no folder {place.folder} here: say with --folder where the search's folder is")
    return place


def without_password(url: str) -> str:
    """The address without its password, which PostgreSQL's clients then read from PGPASSWORD."""
    head, at, _ = url.rpartition("@")
    scheme, _, user = head.partition("://")
    _, colon, password = user.partition(":")
    if not (at and colon and scheme.startswith("postgres")):
        return url
    os.environ["PGPASSWORD"] = unquote(password)
    return shown(url)


def _searches(url: str) -> list[dict[str, Any]]:
    """The notes of the studies in a database that are searches."""
    database, storage = open_database(url)
    try:
        notes = [study.user_attrs.get("search") for study in storage.get_all_studies()]
    finally:
        database.engine.dispose()
    return [note for note in notes if note is not None]
