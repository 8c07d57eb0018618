"""Tasks: features, batches, sources, metrics, preprocessing, readers of users' data, built-in tasks."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "load_task": "load",
        "Task": "task",
        "Feature": "feature",
        "Batch": "batch",
        "mask_key": "feature",
        "ArraySource": "source",
        "DrawnSource": "source",
        "PreparedSource": "source",
        "SubsetSource": "source",
        "FiniteSource": "source",
        "EndlessSource": "source",
        "Preprocessing": "preprocessing",
        "TASKS": "builtin",
    },
)
