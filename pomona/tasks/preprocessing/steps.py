"""The closed table of preprocessing steps: name → function of a step and a raw batch."""

from collections.abc import Callable, Mapping

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.arrays import apply_series, apply_vector
from pomona.tasks.preprocessing.audio import apply_audio
from pomona.tasks.preprocessing.bag import apply_bag
from pomona.tasks.preprocessing.categories import apply_categories
from pomona.tasks.preprocessing.dates import apply_dates
from pomona.tasks.preprocessing.ids import apply_ids
from pomona.tasks.preprocessing.image import apply_image
from pomona.tasks.preprocessing.numbers import apply_numbers
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.tokens import apply_tokens

STEPS: dict[str, Callable[[Step, Mapping[str, np.ndarray]], Batch]] = {
    "numbers": apply_numbers,
    "categories": apply_categories,
    "dates": apply_dates,
    "bag": apply_bag,
    "tokens": apply_tokens,
    "ids": apply_ids,
    "image": apply_image,
    "audio": apply_audio,
    "series": apply_series,
    "vector": apply_vector,
}
