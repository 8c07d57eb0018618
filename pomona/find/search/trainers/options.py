"""How a search is carried out by several trainers. Nothing here imports torch."""

from dataclasses import dataclass
from typing import Literal

from pomona.foundation.errors import SettingError

Engine = Literal["local", "slurm", "ray"]


@dataclass(frozen=True)
class TrainerOptions:
    """Who trains. None of it changes what is searched: a search may be gone on with by other trainers."""

    trainers: int = 1
    """Processes that train models at the same time; with 1 and no store or engine it is this process."""

    store: str | None = None
    """Address of the database that trainers share, such as postgresql://user@host/name; otherwise a SQLite
    file in the run's folder, which only trainers on this machine can share."""

    engine: Engine = "local"
    """Where the trainers run: on this machine, as jobs of Slurm, or as tasks of Ray."""

    engine_option: tuple[str, ...] = ()
    """What the engine is told, as NAME=VALUE; can be given several times. Slurm: parameters of a job as
    submitit calls them, such as slurm_partition=gpu, timeout_min=600. Ray: address=auto, num_gpus=0.5."""

    trainer_threads: int | None = None
    """Cores of each trainer; on this machine otherwise an equal share of them, elsewhere 1."""

    grace: float = 60.0
    """Seconds without a sign of life after which another trainer takes over a trial."""

    max_deaths: int = 10
    """Trainers that may die in a row, with no trial finished between, before the search gives up."""

    def __post_init__(self) -> None:
        for name, least in {"trainers": 1, "trainer_threads": 1, "max_deaths": 0}.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise SettingError(f"{name} must be at least {least}, got {value}")
        if not self.grace > 0:
            raise SettingError(f"grace must be positive, got {self.grace}")
        for option in self.engine_option:
            if "=" not in option:
                raise SettingError(f"engine_option wants NAME=VALUE, got {option!r}")

    @property
    def are_many(self) -> bool:
        """Whether the search is carried out by processes of their own."""
        return self.trainers > 1 or self.engine != "local" or self.store is not None

    @property
    def told(self) -> dict[str, str | int | float]:
        """The engine's options by name; what reads as a number is one."""
        pairs = (option.split("=", 1) for option in self.engine_option)
        return {name: _number(value) for name, value in pairs}


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
