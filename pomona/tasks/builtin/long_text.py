"""`long-text`: which of Jane Austen's six novels thousands of characters in a row are from.

Split by chapter: the passages of valid and test are from chapters that training has not seen. Names of people
give much away; who reads further sees more of them.
"""

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.novels import NOVELS, read_chapters
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.task import Task

SHARES = (0.7, 0.85)
"""Of every novel's chapters those up to the first are for training, up to the second for validation."""


def make(*, seed: int = 0, time: int = 4096) -> Task:
    """The task; passages are of `time` characters, those of training overlap by half."""
    parts: dict[str, Batch] = {}
    for split in ("train", "valid", "test"):
        texts, novels = [], []
        for novel, chapters in read_chapters().items():
            for chapter in _of_split(chapters, split, seed, novel):
                found = _passages(chapter, time, time // 2 if split == "train" else time)
                texts += found
                novels += [novel] * len(found)
        parts[split] = {"text": np.array(texts, object), "novel": np.array(novels, object)}
    text = fit_tokens("text", parts["train"]["text"], unit="character", time=time)
    return task_of_arrays(
        "long-text",
        "classify",
        parts,
        Preprocessing((text,)),
        {"novel": Feature("novel", "category", (), classes=NOVELS)},
        about=f"which of six novels {time} characters are from, by chapters that training does not have",
        licence="public domain",
    )


def _of_split(chapters: tuple[str, ...], split: str, seed: int, novel: str) -> list[str]:
    order = stream(seed, "chapters", novel).permutation(len(chapters))
    first, second = (int(share * len(chapters)) for share in SHARES)
    wanted = {"train": order[:first], "valid": order[first:second], "test": order[second:]}[split]
    return [chapters[index] for index in sorted(wanted)]


def _passages(chapter: str, time: int, stride: int) -> list[str]:
    """Passages of `time` characters; a chapter that is shorter is one passage."""
    return [chapter[start : start + time] for start in range(0, max(len(chapter) - time, 0) + 1, stride)]
