"""`chapters`: which of the 269 chapters of Jane Austen's novels some hundred words in a row are from.

Every chapter is cut into passages; most are for training, every sixth is for test and every sixth for
validation, so that a passage is found by what is told around it.
"""

import numpy as np

from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import take
from pomona.tasks.builtin.novels import read_chapters
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.task import Task

PARTS = 6


def make(*, seed: int = 0, time: int = 256) -> Task:
    """The task; passages are of `time` words. The seed turns which passages are for what."""
    texts, names, places = [], [], []
    for novel, chapters in read_chapters().items():
        for number, chapter in enumerate(chapters, start=1):
            words = chapter.split()
            found = [" ".join(words[start : start + time]) for start in range(0, len(words), time)]
            texts += found
            names += [f"{novel} {number}"] * len(found)
            places += [(place + seed) % PARTS for place in range(len(found))]
    raw = {"text": np.array(texts, object), "chapter": np.array(names, object)}
    part = np.array(places)
    splits = {
        "train": take(raw, np.flatnonzero((part != 2) & (part != 4))),
        "valid": take(raw, np.flatnonzero(part == 2)),
        "test": take(raw, np.flatnonzero(part == 4)),
    }
    return task_of_arrays(
        "chapters",
        "classify",
        splits,
        Preprocessing((fit_tokens("text", splits["train"]["text"], time=time),)),
        {"chapter": Feature("chapter", "category", (), classes=tuple(dict.fromkeys(names)))},
        about="which chapter of six novels a passage is from",
        licence="public domain",
    )
