"""The closed table of preprocessing steps: name → function of a step and a raw batch."""

from collections.abc import Callable, Mapping

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.image import apply_image
from pomona.tasks.preprocessing.step import Step

STEPS: dict[str, Callable[[Step, Mapping[str, np.ndarray]], Batch]] = {
    "image": apply_image,
}
