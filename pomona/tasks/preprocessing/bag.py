"""Text beside other columns becomes a bag of words: counts of frequent words, rarer ones weighing more."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.tokens import split_text
from pomona.tasks.preprocessing.values import as_text

MAX_WORDS = 512
MAX_TOKENS = 4096


def fit_bag(
    column: str, texts: Shaped[np.ndarray, " batch"], *, output: str = "columns", max_words: int = MAX_WORDS
) -> Step:
    """The step for training texts: the words that are in most of them, at least two, but not in all.

    A word weighs ln((1 + texts) / (1 + texts with it)) + 1, the smoothed inverse document frequency.
    """
    documents = [set(split_text(text, "word", MAX_TOKENS)) for text in as_text(texts)]
    counts = Counter(word for words in documents for word in words)
    words = [word for word, count in counts.items() if 2 <= count < len(documents)]
    words = sorted(words, key=lambda word: (-counts[word], word))[:max_words]
    weights = [float(np.log((1 + len(documents)) / (1 + counts[word])) + 1) for word in words]
    kept = [len(document.intersection(words)) for document in documents]
    # rows have length 1 after weighing; this brings a word's value near 1, the size of other columns
    scale = float(np.sqrt(max(np.mean(kept), 1.0))) if kept else 1.0
    return Step("bag", (column,), output, {"words": words, "weights": weights, "scale": scale})


def apply_bag(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Weighted counts (batch, words), float32, each row of length `scale`, or zeros without a known word."""
    index_of = {word: index for index, word in enumerate(step.settings["words"])}
    texts = as_text(raw[step.columns[0]])
    counts = np.zeros((len(texts), len(index_of)), np.float32)
    for row, text in zip(counts, texts, strict=True):
        for word in split_text(text, "word", MAX_TOKENS):
            if word in index_of:
                row[index_of[word]] += 1
    values = np.log1p(counts) * np.asarray(step.settings["weights"], np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return {step.output: values * np.float32(step.settings["scale"]) / np.where(lengths > 0, lengths, 1)}
