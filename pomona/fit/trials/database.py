"""Databases of trials: opening one, and the studies in it."""

import os
import time
import warnings
from typing import Any

from pomona.foundation.errors import MissingExtraError, RunError

BUSY_S = 60
"""How long a process waits for the others to let go of a SQLite file."""

NUM_TRIES = 6


def open_database(url: str) -> tuple[Any, Any]:
    """Optuna's storage at `url`, and the same behind its cache of finished trials.

    Raises RunError when there is no such database or it is something else, MissingExtraError without the
    driver.
    """
    import optuna
    from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        database = _opened(driver_url(url))
    except (ArgumentError, NoSuchModuleError) as error:
        raise RunError(
            f"{shown(url)} is no address of a database: give sqlite:///FILE or postgresql://…"
        ) from error
    except (DatabaseError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{shown(url)} is not a database of trials ({reason}): choose another one") from error
    except ImportError as error:
        raise MissingExtraError("psycopg", "cluster") from error
    # the wrapper remembers finished trials, which never change, instead of reading them every time
    return database, optuna.storages.get_storage(database)


def driver_url(url: str) -> str:
    """The address with the driver that this package installs."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url


def shown(url: str) -> str:
    """The address without its password."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, user = head.partition("://")
    return f"{scheme}{slashes}{user.partition(':')[0]}{at}{tail}"


def open_study(storage: Any, name: str) -> int:
    """The number of the study of that name, which is made when there is none."""
    from optuna.exceptions import DuplicatedStudyError
    from optuna.study import StudyDirection

    try:
        return storage.create_new_study([StudyDirection.MAXIMIZE], name)
    except DuplicatedStudyError:
        return storage.get_study_id_from_name(name)


def _opened(url: str) -> Any:
    """The database, once the tables are there: processes that make them at once stumble over each other."""
    import optuna
    from sqlalchemy.exc import DatabaseError

    is_file = url.startswith("sqlite")
    arguments = {"connect_args": {"timeout": BUSY_S}} if is_file else {"pool_pre_ping": True}
    for remaining in reversed(range(NUM_TRIES)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return optuna.storages.RDBStorage(url, engine_kwargs=dict(arguments))
        except DatabaseError as error:
            if not remaining or not ("exist" in str(error) or "duplicate" in str(error)):
                raise
            time.sleep(0.1 * (1 + os.getpid() % 7))
