"""`needle`: facts hidden far up in a long sequence, asked for at its end (retrieval over a distance).

Among tokens that mean nothing stand NUM_KEYS facts, each one token that says "key k has value v", all in the
first seven eighths. The last NUM_KEYS tokens each ask for another key, and the answer there is its value. Who
cannot see as far is right once in NUM_VALUES times; who sees all can be right always.
"""

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.token_arrays import index_classes, split_sizes, task_of_tokens
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.task import Task

NUM_KEYS, NUM_VALUES, NUM_FILLERS = 4, 8, 32
FIRST_QUESTION = 1  # 0 is padding
FIRST_FACT = FIRST_QUESTION + NUM_KEYS
FIRST_FILLER = FIRST_FACT + NUM_KEYS * NUM_VALUES
NUM_TOKENS = FIRST_FILLER + NUM_FILLERS


def make(*, seed: int = 0, num_train: int = 2000, time: int = 1024) -> Task:
    """The task with `num_train` training sequences of `time` tokens, a fifth as many in valid and test.

    Raises DataError when `time` is below 64.
    """
    if time < 64:
        raise DataError(f"needle wants at least 64 tokens, got {time}")
    splits = {
        split: _noise_with_needles(stream(seed, "needle", split), count, time)
        for split, count in split_sizes(num_train).items()
    }
    return task_of_tokens(
        "needle",
        "sequence",
        splits,
        Feature("text", "tokens", (time,), num_tokens=NUM_TOKENS),
        Feature("value", "category", (time,), classes=index_classes(NUM_VALUES), variable=True),
        about=f"what was said of four keys somewhere in {time} tokens (procedural)",
    )


def with_needles(generator: np.random.Generator, text: Int[np.ndarray, "example time"]) -> Batch:
    """The texts, of ids from FIRST_FILLER on, with facts and questions, and the answers with their mask."""
    num_examples, time = text.shape
    text = text.copy()
    order = generator.permuted(np.tile(np.arange(NUM_KEYS), (num_examples, 1)), axis=1)
    values = generator.integers(0, NUM_VALUES, (num_examples, NUM_KEYS))
    rows = np.arange(num_examples)[:, None]
    text[rows, _places(generator, num_examples, time * 7 // 8)] = (
        FIRST_FACT + np.arange(NUM_KEYS) * NUM_VALUES + values
    )
    text[:, -NUM_KEYS:] = FIRST_QUESTION + order
    answers = np.zeros((num_examples, time), np.int64)
    answers[:, -NUM_KEYS:] = values[rows, order]
    asked = np.zeros((num_examples, time), bool)
    asked[:, -NUM_KEYS:] = True
    return {"text": text, "value": answers, mask_key("value"): asked}


def _noise_with_needles(generator: np.random.Generator, num_examples: int, time: int) -> Batch:
    return with_needles(generator, generator.integers(FIRST_FILLER, NUM_TOKENS, (num_examples, time)))


def _places(generator: np.random.Generator, num_examples: int, end: int) -> np.ndarray:
    """Different places below `end`, (example, key), one in each of as many stretches in mixed order."""
    stretch = end // NUM_KEYS
    within = generator.integers(0, stretch, (num_examples, NUM_KEYS))
    return generator.permuted(within + stretch * np.arange(NUM_KEYS), axis=1)
