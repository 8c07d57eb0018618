"""What trainers work on, as every one of them reads it from the store: data, settings, blocks, limits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from pomona.find.search.problem import Problem, make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers.place import Place
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.foundation.errors import RunError
from pomona.foundation.files import read_text, write_bytes
from pomona.foundation.run import Run
from pomona.foundation.version import version
from pomona.networks.named import known_blocks
from pomona.networks.spec import Spec
from pomona.tasks.builtin import TASKS
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions

T = TypeVar("T")

BLOCKS_FILE = "trainers/blocks.py"


@dataclass(frozen=True)
class Origin:
    """Where a task came from, so that another process can load it too."""

    subject: str
    data: DataOptions = field(default_factory=DataOptions)

    def to_json(self) -> dict[str, Any]:
        """The origin as plain data, its paths absolute."""
        is_builtin = self.subject.lower().replace("_", "-") in TASKS
        subject = self.subject if is_builtin else str(Path(self.subject).expanduser().resolve())
        data = {name: _absolute(value) for name, value in asdict(self.data).items()}
        return {"subject": subject, "data": data}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Origin":
        """The origin that `to_json` wrote."""
        return Origin(plain["subject"], restored(DataOptions, plain["data"]))


@dataclass(frozen=True)
class Assignment:
    """What a process is told that is to become a trainer."""

    place: Place
    name: str
    threads: int
    device: str = "auto"

    def to_json(self) -> dict[str, Any]:
        """The assignment as plain data."""
        return {**vars(self), "place": self.place.to_json()}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Assignment":
        """The assignment that `to_json` wrote."""
        return Assignment(**{**plain, "place": Place.from_json(plain["place"])})


def publish(
    store: OptunaStore,
    place: Place,
    problem: Problem,
    run: Run,
    *,
    origin: Origin,
    blocks: Path | None,
    grace_s: float,
) -> None:
    """Writes into the store all that a trainer needs to know; the blocks' file goes into the folder."""
    if blocks is not None:
        write_bytes(place.folder / BLOCKS_FILE, read_text(blocks).encode())
    note = {
        **origin.to_json(),
        "settings": asdict(problem.settings),
        "usual": problem.usual.to_json(),
        "blocks": blocks is not None,
        "fingerprint": problem.task.fingerprint,
        "version": version(),
        "seed": run.seed,
        "seconds": run.clock.seconds,
        "threads": run.threads,
        "device": run.device,
        "folder": str(place.folder),
        "prefix": place.prefix,
        "grace": grace_s,
    }
    store.note("search", note)


def published(store: OptunaStore) -> dict[str, Any]:
    """What `publish` wrote. Raises RunError when there is nothing."""
    note = store.notes.get("search")
    if note is None:
        raise RunError(
            "no search for several trainers is kept there: start one with pomona search --trainers 2"
        )
    if note["version"] != version():
        raise RunError(f"the search runs Pomona {note['version']}, this is {version()}: install the same")
    return note


def problem_of(note: Mapping[str, Any], place: Place) -> Problem:
    """The problem that was published. Raises RunError when the data here are other data."""
    origin = Origin.from_json(note)
    task = load_task(origin.subject, **origin.data.given())
    if task.fingerprint != note["fingerprint"]:
        raise RunError(
            f"{origin.subject} holds other data here than where the search was started: copy the same data"
        )
    blocks = known_blocks(place.folder / BLOCKS_FILE if note["blocks"] else None)
    problem = make_problem(task, restored(SearchSettings, note["settings"]), blocks)
    return replace(problem, usual=Spec.from_json(note["usual"]))


def restored(kind: type[T], plain: Mapping[str, Any]) -> T:
    """A dataclass of options from its plain data."""
    given = {}
    for known in fields(kind):  # type: ignore[arg-type]
        value = plain[known.name]
        if isinstance(value, list):
            value = tuple(value)
        elif isinstance(value, str) and "Path" in str(known.type):
            value = Path(value)
        given[known.name] = value
    return kind(**given)


def _absolute(value: Any) -> Any:
    return str(value.resolve()) if isinstance(value, Path) else value
