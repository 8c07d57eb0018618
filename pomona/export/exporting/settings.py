"""Settings of an export. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError

USUAL_LOSS = 0.01
"""Share of the quality whose loss brings a warning when no other bound is given."""


@dataclass(frozen=True)
class ExportSettings:
    """Which files are written, and what int8 may cost."""

    onnx: bool = False
    """An ONNX file; also what is written when nothing is asked for."""

    int8: bool = False
    """An ONNX file with weights and activations of eight bits."""

    program: bool = False
    """A program of torch.export, for C++ and ahead-of-time compilers."""

    calibration: str | None = None
    """Records from which the ranges of activations are taken: a table, a folder, an npz file; otherwise
    validation examples of the artifact's task."""

    examples: int = 512
    """Most examples for the ranges."""

    most_lost: float | None = None
    """Share of the quality that int8 may lose; more ends with exit code 3. Without it more than 0.01 is a
    warning."""

    threads: int = 1
    """Threads while times are taken."""

    task: str | None = None
    """The artifact's task or its data, where the run that made it is gone."""

    def __post_init__(self) -> None:
        for name in ("examples", "threads"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.most_lost is not None and not 0 <= self.most_lost < 1:
            raise SettingError(f"most_lost is a share such as 0.01, got {self.most_lost:g}")
        if self.calibration and not self.int8:
            raise SettingError("calibration is for --int8")
