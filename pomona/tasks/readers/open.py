"""Tasks of a user's own file or folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pomona.foundation.errors import DataError, SettingError
from pomona.tasks.readers.files import NAMES, file_form
from pomona.tasks.readers.folder import folder_form
from pomona.tasks.readers.folder_task import folder_task
from pomona.tasks.readers.npz_task import npz_task
from pomona.tasks.readers.table_task import table_task
from pomona.tasks.task import Task, TaskKind


def open_task(
    subject: str | Path,
    *,
    target: str | Sequence[str] | None = None,
    kind: TaskKind | None = None,
    group: str | None = None,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    seed: int = 0,
    ignore: str | Sequence[str] = (),
) -> Task:
    """The task of a CSV or Parquet table, an npz file, or a folder of images or recordings.

    `target` names the columns (of npz: arrays) to foretell; folders have a sub-folder for each class. The
    kind is told from the target unless given. `valid` and `test` are files or folders of the same form; what
    is not given is split off by a hash of each example's content, so that adding examples moves no other one,
    or by a hash of its `group`. Preprocessing is fitted on the training split alone. Raises DataError or
    SettingError, in one line, when the data cannot make a task.
    """
    path = Path(subject).expanduser()
    targets = (target,) if isinstance(target, str) else tuple(target or ())
    ignored = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    given = {split: Path(file).expanduser() for split, file in (("valid", valid), ("test", test)) if file}
    form = folder_form(path) if path.is_dir() else file_form(path)
    if form in ("csv", "parquet", "npz"):
        make = npz_task if form == "npz" else table_task
        return make(path, target=targets, kind=kind, group=group, given=given, seed=seed, ignore=ignored)
    if not path.is_dir():
        raise DataError(
            f"{path} is {NAMES[form]}; wanted a folder with a sub-folder of such files for each class"
        )
    _refuse(path, kind, {"--target": targets, "--group": group, "--ignore": ignored})
    return folder_task(path, form, given=given, seed=seed)


def _refuse(path: Path, kind: TaskKind | None, given: Mapping[str, object]) -> None:
    if kind not in (None, "classify"):
        raise SettingError(f"{path} is a folder of classes: its kind is classify, not {kind}")
    for flag, value in given.items():
        if value:
            raise SettingError(f"{path} is a folder and has no columns: {flag} is for tables")
