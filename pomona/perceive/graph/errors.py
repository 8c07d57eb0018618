"""What can go wrong with a pipeline, atop the house's errors.

SettingError
└── GraphError      the graph, or the way it is used, is wrong
PomonaError
└── StageError      a stage failed on a frame
"""

from pomona.foundation.errors import PomonaError, SettingError


class GraphError(SettingError):
    """A graph is wrong, or used wrongly; names the stage and the edge."""


class StageError(PomonaError):
    """A stage failed on a frame. The command line exits as it would for the cause."""

    def __init__(self, stage: str, frame: int, time_s: float, cause: BaseException):
        super().__init__(stage, frame, time_s, cause)
        self.stage = stage
        self.frame = frame
        self.time_s = time_s
        self.cause = cause
        self.__cause__ = cause
        self.exit_code = getattr(cause, "exit_code", PomonaError.exit_code)

    def __str__(self) -> str:
        reason = str(self.cause).strip()
        kind = type(self.cause).__name__
        return (
            f"stage {self.stage!r} failed on frame {self.frame} ({self.time_s:.3f} s): "
            f"{f'{kind}: {reason}' if reason else kind}"
        )
