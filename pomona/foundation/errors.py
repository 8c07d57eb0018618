"""The tree of errors; the command line turns each branch into an exit code.

    PomonaError
    ├── InputError (a ValueError)     exit 2: what the user gave is wrong
    │   ├── DataError                 a file, folder, table, column or array
    │   ├── SettingError              a flag, setting or name
    │   ├── SpecError                 a network description; names the block
    │   ├── ArtifactError             an artifact folder: foreign, newer, truncated, tampered
    │   ├── AssetError                weights or data that cannot be had, or are not what they should be
    │   ├── RunError                  an output folder: another run's, not writable, disk full
    │   └── MissingExtraError         an optional dependency that is not installed
    ├── GateError                     exit 3: a gate that the user set is not met
    └── Interrupted                   exit 130: stopped by the user, state saved

Every message says what was wanted, what was got and what to do, in one line.
"""

import difflib
from collections.abc import Iterable


class PomonaError(Exception):
    """Root of all errors that Pomona raises on purpose."""

    exit_code = 1


class InputError(PomonaError, ValueError):
    """What the user gave is wrong."""

    exit_code = 2


class DataError(InputError):
    """A file, folder, table, column or array is wrong."""


class SettingError(InputError):
    """A flag, setting or name is wrong."""


class SpecError(InputError):
    """A network description is wrong."""


class ArtifactError(InputError):
    """An artifact folder is foreign, newer, truncated or tampered with."""


class AssetError(InputError):
    """Weights or data cannot be had or are not what they should be."""


class RunError(InputError):
    """An output folder belongs to another run or cannot be written."""


class MissingExtraError(InputError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str):
        super().__init__(f"{package} is needed here and not installed: pip install 'pomona-ml[{extra}]'")


class GateError(PomonaError):
    """A gate that the user set is not met."""

    exit_code = 3


class Interrupted(PomonaError):
    """Stopped by the user; the state is saved."""

    exit_code = 130


def unknown_name(kind: str, name: object, choices: Iterable[str]) -> SettingError:
    """The error for a name that is none of `choices`, with the nearest ones first.

    >>> unknown_name("task", "digit", ["digits", "mnist"])
    SettingError("no task 'digit'; did you mean 'digits'? known: digits, mnist")
    """
    known = sorted(map(str, choices))
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    shown = ", ".join(known[:40]) + (", …" if len(known) > 40 else "")
    return SettingError(f"no {kind} {str(name)!r}{hint} known: {shown}")
