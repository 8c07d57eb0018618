"""`tagged-words`: the part of speech of every word of made-up sentences, many of which only context tells.

Sentences come from a hidden Markov model, so the best possible accuracy is known: `best_tags` computes it.
"""

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.task import Task

TAGS = ("article", "adjective", "noun", "verb", "adverb")
START = np.array([0.6, 0.1, 0.2, 0.05, 0.05])
NEXT = np.array(
    [
        [0.00, 0.35, 0.65, 0.00, 0.00],
        [0.00, 0.20, 0.80, 0.00, 0.00],
        [0.05, 0.00, 0.15, 0.65, 0.15],
        [0.50, 0.10, 0.15, 0.00, 0.25],
        [0.25, 0.20, 0.10, 0.40, 0.05],
    ]
)
WORDS: dict[str, str] = {
    "article": "the a this every",
    "adjective": "light fast back kind open clear quiet old",
    "noun": "light fast back kind saw play walk water house dog book watch",
    "verb": "light fast back open clear saw play walk water house book watch",
    "adverb": "fast back well often clear",
}
MIN_WORDS, MAX_WORDS = 4, 16


def make(*, seed: int = 0, num_train: int = 2000) -> Task:
    """The task with `num_train` training sentences and a fifth as many in valid and test."""
    splits = {
        split: draw_sentences(
            stream(seed, "sentences", split), num_train if split == "train" else max(num_train // 5, 1)
        )
        for split in ("train", "valid", "test")
    }
    words = fit_tokens("words", splits["train"]["words"], output="words", unit="space", time=MAX_WORDS)
    return task_of_arrays(
        "tagged-words",
        "sequence",
        splits,
        Preprocessing((words,)),
        {"tags": Feature("tags", "category", (MAX_WORDS,), classes=TAGS, variable=True)},
        about="the part of speech of every word of a made-up sentence (procedural)",
        licence="CC0-1.0",
    )


def draw_sentences(generator: np.random.Generator, num_sentences: int) -> Batch:
    """Raw `words` and `tags`: text with a space between words."""
    columns: dict[str, list[str]] = {"words": [], "tags": []}
    for length in generator.integers(MIN_WORDS, MAX_WORDS + 1, num_sentences):
        tags: list[int] = []
        for _ in range(length):
            tags.append(int(generator.choice(len(TAGS), p=NEXT[tags[-1]] if tags else START)))
        columns["words"].append(" ".join(str(generator.choice(WORDS[TAGS[tag]].split())) for tag in tags))
        columns["tags"].append(" ".join(TAGS[tag] for tag in tags))
    return {name: np.array(texts, object) for name, texts in columns.items()}


def best_tags(sentence: str) -> Int[np.ndarray, " word"]:
    """The most probable tag of every word given the whole sentence: no method can be right more often.

    By the forward-backward recursions over the model that drew the sentence.
    """
    emission = np.stack([_emission(word) for word in sentence.split()])
    forward, backward = np.zeros_like(emission), np.ones_like(emission)
    for step in range(len(emission)):
        before = START if step == 0 else forward[step - 1] @ NEXT
        forward[step] = before * emission[step] / (before @ emission[step])
    for step in range(len(emission) - 2, -1, -1):
        after = NEXT @ (emission[step + 1] * backward[step + 1])
        backward[step] = after / after.sum()
    return np.argmax(forward * backward, axis=1)


def _emission(word: str) -> Float[np.ndarray, " tag"]:
    return np.array([(word in WORDS[tag].split()) / len(WORDS[tag].split()) for tag in TAGS])
