"""`fashion-mnist`: 70,000 pictures of clothes of 28 × 28 pixels (Zalando Research)."""

from pomona.tasks.builtin.grey_images import grey_image_task
from pomona.tasks.task import Task

CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def make(*, seed: int = 0) -> Task:
    """The task, with the published test split of 10,000."""
    return grey_image_task(
        "fashion-mnist",
        "garment",
        CLASSES,
        seed=seed,
        about="clothes on pictures of 28 × 28 pixels",
        licence="MIT",
    )
