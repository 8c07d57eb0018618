"""`letters`: 20,000 capital letters, 16 measurements of the picture of each (Frey, Slate 1991)."""

import string

import numpy as np

from pomona.foundation.assets import fetch
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import take
from pomona.tasks.builtin.held_out import with_valid
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

COLUMNS = (
    *("xbox", "ybox", "width", "high", "onpix", "xbar", "ybar", "x2bar"),
    *("y2bar", "xybar", "x2ybr", "xy2br", "xege", "xegvy", "yege", "yegvx"),
)
NUM_TRAIN = 16_000


def make(*, seed: int = 0) -> Task:
    """The task. The last 4,000 examples are for test, as in the paper; some equal a training example."""
    table = np.loadtxt(fetch("letters/letter-recognition.data"), delimiter=",", dtype=str)
    raw = {name: table[:, index + 1].astype(np.float64) for index, name in enumerate(COLUMNS)}
    raw["letter"] = table[:, 0].astype(object)
    train, test = take(raw, np.arange(NUM_TRAIN)), take(raw, np.arange(NUM_TRAIN, len(table)))
    splits = with_valid(train, test, *COLUMNS, seed=seed)
    return task_of_arrays(
        "letters",
        "classify",
        splits,
        Preprocessing((fit_numbers({name: splits["train"][name] for name in COLUMNS}),)),
        {"letter": Feature("letter", "category", (), classes=tuple(string.ascii_uppercase))},
        about="capital letters from 16 measurements of their pictures",
        licence="CC BY 4.0",
    )
