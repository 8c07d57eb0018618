"""`clinc150`: which of 150 things a user of an assistant wants, or none (Larson et al. 2019, the full set).

Out of scope is a class of its own, `oos`, as in the paper's first baseline: a tool that must always name one
of the 150 cannot say that it is at a loss. The 1,000 out-of-scope test queries are a stress split, `oos`, and
not in `test`: the paper reports accuracy in scope and recall out of scope apart, because they trade against
each other.
"""

import numpy as np

from pomona.foundation.assets import fetch
from pomona.foundation.files import read_json
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import category_target
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task with its published splits, whatever the seed. On `oos`, accuracy is recall out of scope."""
    queries = read_json(fetch("clinc150/data_full.json"))
    splits = {
        "train": _batch(queries["train"] + queries["oos_train"]),
        "valid": _batch(queries["val"] + queries["oos_val"]),
        "test": _batch(queries["test"]),
        "oos": _batch(queries["oos_test"]),
    }
    train = splits["train"]
    return task_of_arrays(
        "clinc150",
        "classify",
        splits,
        Preprocessing((fit_tokens("text", train["text"]),)),
        {"intent": category_target("intent", train["intent"])},
        about="150 intents of short queries, and queries out of scope",
        licence="CC BY 3.0",
    )


def _batch(queries: list[list[str]]) -> Batch:
    return {
        "text": np.array([text for text, _ in queries], object),
        "intent": np.array([intent for _, intent in queries], object),
    }
