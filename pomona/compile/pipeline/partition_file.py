"""A partition on disk: one ONNX file a stage, and plan.json that says what crosses between them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pomona.compile.pipeline.tensor import Tensor
from pomona.foundation.artifact.integrity import file_sha256
from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import new_folder, read_json, write_json

PLAN_FILE = "plan.json"
FORMAT = 1


@dataclass(frozen=True)
class Stage:
    """A part of a model that one process runs."""

    file: str
    """Name of its ONNX file; "" where it computes nothing."""
    sha256: str
    nodes: tuple[int, int]
    """Place of its first node, and of the one after its last."""
    predicted_us: float
    """Time it needs for one entry, with what crosses."""
    parameter_bytes: int
    memory_bytes: int
    """Parameters and the most that is alive within it."""


@dataclass(frozen=True)
class Partition:
    """Stages in order, and what crosses: before the first one are the inputs, after the last the outputs."""

    model: str
    batch: int
    """Examples in an entry."""
    method: str
    num_cores: int
    """Cores that the stages' times were taken for; with fewer than stages some share one."""
    owner_us: float
    """What the process that gives and fetches takes of a core that a stage has, for one entry."""
    stages: tuple[Stage, ...]
    crossings: tuple[tuple[Tensor, ...], ...]

    @property
    def predicted_throughput(self) -> float:
        """Examples a second: the core with the most to do sets the pace."""
        busy = [0.0] * self.num_cores
        for place, stage in enumerate(self.stages):
            busy[place % self.num_cores] += stage.predicted_us
        return self.batch * 1e6 / (max(busy) + self.owner_us / self.num_cores)


def write_partition(folder: Path, partition: Partition, models: Sequence[bytes]) -> Path:
    """Writes the stages' models and plan.json into a new folder; returns that file.

    Files and hashes of `partition` are filled in.
    """
    stages = []
    with new_folder(folder) as new:
        for place, (stage, model) in enumerate(zip(partition.stages, models, strict=True)):
            name = f"stage-{place + 1}.onnx" if model else ""
            if model:
                (new / name).write_bytes(model)
            stages.append(asdict(stage) | {"file": name, "sha256": file_sha256(new / name) if name else ""})
        write_json(new / PLAN_FILE, {"format": FORMAT, **asdict(partition), "stages": stages})
    return folder / PLAN_FILE


def read_partition(path: str | Path) -> tuple[Partition, Path]:
    """The partition in a folder, a run's folder or a plan.json, and the folder of its stages' files.

    Raises ArtifactError when there is none, or a stage's file is not the one that was written.
    """
    folder = _folder_of(Path(path))
    try:
        plain: dict[str, Any] = read_json(folder / PLAN_FILE)
        if plain.pop("format") != FORMAT:
            raise ArtifactError(f"{folder} was written by another version: partition the model again")
        partition = _from_plain(plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{folder / PLAN_FILE} does not describe a partition: {error}") from error
    for stage in partition.stages:
        if stage.file and file_sha256(folder / stage.file) != stage.sha256:
            raise ArtifactError(f"{folder / stage.file} was changed after it was written: partition again")
    return partition, folder


def _folder_of(path: Path) -> Path:
    for folder in (path, path / "partition", path.parent):
        if (folder / PLAN_FILE).is_file() and (path.name == PLAN_FILE or folder != path.parent):
            return folder
    raise ArtifactError(f"{path} has no {PLAN_FILE}: make a partition with `pomona partition MODEL`")


def _from_plain(plain: dict[str, Any]) -> Partition:
    crossings = tuple(
        tuple(Tensor(one["name"], one["dtype"], tuple(one["shape"])) for one in crossing)
        for crossing in plain["crossings"]
    )
    stages = tuple(Stage(**stage | {"nodes": tuple(stage["nodes"])}) for stage in plain["stages"])
    return Partition(**plain | {"crossings": crossings, "stages": stages})
