"""`mnist`: 70,000 handwritten digits of 28 × 28 pixels (LeCun, Cortes, Burges)."""

from pomona.tasks.builtin.grey_images import grey_image_task
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task, with the published test split of 10,000."""
    return grey_image_task(
        "mnist",
        "digit",
        tuple("0123456789"),
        seed=seed,
        about="handwritten digits of 28 × 28 pixels",
        licence="CC BY-SA 3.0",
    )
