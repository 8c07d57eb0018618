"""Tables for tests: the breast-cancer table with what real tables have besides numbers."""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from pomona.foundation.randomness import stream

REMARKS = (
    "patient",
    "reports",
    "pain",
    "swelling",
    "left",
    "right",
    "upper",
    "follow",
    "up",
    "routine",
    "check",
)


def messy_breast_cancer():
    """30 measurements, a tenth of them missing, dates, remarks, a clinic, an id, `diagnosis`."""
    generator = stream(0, "messy")
    table = load_breast_cancer()
    frame = pd.DataFrame(table.data, columns=table.feature_names)
    size = len(frame)
    frame = frame.mask(generator.random(frame.shape) < 0.1)
    days = pd.Timestamp("2019-01-01") + pd.to_timedelta(generator.integers(0, 900, size), unit="D")
    frame["visit"] = pd.Series(days).dt.strftime("%Y-%m-%d").mask(generator.random(size) < 0.05)
    frame["remarks"] = [
        " ".join(generator.choice(REMARKS, count)) for count in generator.integers(3, 12, size)
    ]
    frame["clinic"] = generator.choice(["north", "south", "east"], size)
    frame["patient"] = [f"P{number:05d}" for number in generator.permutation(size)]
    frame["diagnosis"] = np.array(table.target_names, object)[table.target]
    return frame


def lines(header, make_row, num_rows=60):
    """CSV text of a header and rows."""
    return "\n".join([header, *(make_row(index) for index in range(num_rows))]) + "\n"


def whole(task, split):
    """All examples of a split."""
    return task.splits[split].read(np.arange(task.splits[split].size))
