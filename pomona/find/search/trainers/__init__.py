"""Many trainers at one search: processes that share its store of trials, wherever they run."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "TrainerOptions": "options",
        "Origin": "assignment",
        "Place": "place",
        "train_together": "lead",
        "trainer_command": "join",
    },
)
