"""`small-grammar`: the next character of sentences of a small grammar (language modelling).

Every sentence has one derivation, so the entropy of the text is known: `nats_a_character`.
"""

import math

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.tokens import apply_tokens, fit_tokens
from pomona.tasks.task import Task

GRAMMAR: dict[str, tuple[str, ...]] = {
    "SENTENCE": (
        "SUBJECT VERB OBJECT .",
        "SUBJECT VERB OBJECT when SUBJECT MOVES .",
        "SUBJECT MOVES PLACE .",
    ),
    "SUBJECT": ("the NOUN", "the QUALITY NOUN", "NAME"),
    "OBJECT": ("a NOUN", "a QUALITY NOUN", "the NOUN"),
    "NOUN": ("apple", "pear", "garden", "ladder", "basket", "river", "orchard", "bird"),
    "QUALITY": ("ripe", "green", "golden", "small", "heavy"),
    "NAME": ("pomona", "vertumnus", "flora"),
    "VERB": ("sees", "finds", "carries", "paints", "hides"),
    "MOVES": ("walks", "sleeps", "sings", "waits"),
    "PLACE": ("in the NOUN", "near the NOUN", "beyond the hills"),
}
"""Each choice is equally likely; a word in capitals is replaced."""


def make(*, seed: int = 0, num_train: int = 2000, time: int = 64) -> Task:
    """The task with `num_train` training windows of `time` characters, a fifth as many in valid and test."""
    sizes = {"train": num_train, "valid": max(num_train // 5, 1), "test": max(num_train // 5, 1)}
    text = {split: draw_text(stream(seed, "text", split), size * time + 1) for split, size in sizes.items()}
    step = fit_tokens("text", np.array([text["train"]], object), unit="character", time=time)
    splits: dict[str, Batch] = {split: _windows(text[split], time) for split in sizes}
    for raw in splits.values():
        raw["next"] = apply_tokens(step, {"text": raw["next"]})["text"]
    return task_of_arrays(
        "small-grammar",
        "language",
        splits,
        Preprocessing((step,)),
        {"next": Feature("next", "tokens", (time,), num_tokens=step.settings["num_tokens"])},
        about="the next character of sentences of a small grammar (procedural)",
        licence="CC0-1.0",
    )


def draw_text(generator: np.random.Generator, num_characters: int) -> str:
    """Sentences with a space between them, cut after `num_characters`."""
    sentences, length = [], 0
    while length < num_characters:
        sentences.append(_expand("SENTENCE", generator) + " ")
        length += len(sentences[-1])
    return "".join(sentences)[:num_characters]


def nats_a_character() -> float:
    """The entropy of the text in nats a character; exp of it is the best possible perplexity."""
    entropy, words = _moments("SENTENCE")
    return entropy / (words + 1)


def _expand(symbol: str, generator: np.random.Generator) -> str:
    if symbol not in GRAMMAR:
        return symbol
    choice = GRAMMAR[symbol][generator.integers(len(GRAMMAR[symbol]))]
    return " ".join(_expand(part, generator) for part in choice.split())


def _moments(symbol: str) -> tuple[float, float]:
    """Entropy and expected number of characters of what a symbol becomes."""
    if symbol not in GRAMMAR:
        return 0.0, float(len(symbol))
    entropy, characters = math.log(len(GRAMMAR[symbol])), 0.0
    for choice in GRAMMAR[symbol]:
        parts = [_moments(part) for part in choice.split()]
        entropy += sum(part[0] for part in parts) / len(GRAMMAR[symbol])
        characters += (sum(part[1] for part in parts) + len(parts) - 1) / len(GRAMMAR[symbol])
    return entropy, characters


def _windows(text: str, time: int) -> Batch:
    starts = range(0, len(text) - time, time)
    return {
        "text": np.array([text[start : start + time] for start in starts], object),
        "next": np.array([text[start + 1 : start + 1 + time] for start in starts], object),
    }
