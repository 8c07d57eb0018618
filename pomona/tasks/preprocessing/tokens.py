"""Text becomes ids of tokens, by a tokenizer that is fitted on training texts and stored as a vocabulary."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped

from pomona.tasks.batch import Batch
from pomona.tasks.feature import mask_key
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.values import text_of

Unit = Literal["word", "character", "space"]
PADDING, UNKNOWN, FIRST = 0, 1, 2
MAX_VOCABULARY = 8192
MAX_TIME = 256
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def fit_tokens(
    column: str,
    texts: Shaped[np.ndarray, " batch"],
    *,
    output: str = "text",
    unit: Unit = "word",
    max_vocabulary: int = MAX_VOCABULARY,
    time: int | None = None,
) -> Step:
    """The step for training texts: the most frequent tokens and, for words, all characters.

    A word that is not in the vocabulary is spelled: its characters stand for it. `time` is the number of
    tokens that are kept, by default as many as the longest of 99 % of the texts has, at most MAX_TIME.
    """
    split = [split_text(text, unit) for text in _texts(texts)]
    counts = Counter(token for tokens in split for token in tokens)
    frequent = sorted(counts, key=lambda token: (-counts[token], token))[:max_vocabulary]
    if unit == "word":
        frequent += sorted({character for token in counts for character in token} - set(frequent))
    vocabulary = frequent
    settings: dict[str, Any] = {"unit": unit, "vocabulary": vocabulary, "num_tokens": len(vocabulary) + FIRST}
    if time is None:
        lengths = [len(tokens) for tokens in split] or [1]
        time = int(np.clip(np.ceil(np.quantile(lengths, 0.99)), 1, MAX_TIME))
    return Step("tokens", (column,), output, settings | {"time": time})


def apply_tokens(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Ids (batch, time) and the mask of real tokens. A text without tokens is one unknown token."""
    settings = step.settings
    id_of = {token: index for index, token in enumerate(settings["vocabulary"], start=FIRST)}
    texts = _texts(raw[step.columns[0]])
    ids = np.full((len(texts), settings["time"]), PADDING, np.int64)
    for row, text in zip(ids, texts, strict=True):
        tokens = split_text(text, settings["unit"], settings["time"])
        tokens = list(_ids(tokens, id_of, is_spelled=settings["unit"] == "word"))[: settings["time"]]
        row[: max(len(tokens), 1)] = tokens or [UNKNOWN]
    return {step.output: ids, mask_key(step.output): ids != PADDING}


def split_text(text: str | None, unit: Unit, max_tokens: int | None = None) -> list[str]:
    """The tokens of a text: lower-case words and signs, characters, or what stands between spaces.

    >>> split_text("Where's my PIN?", "word")
    ["where's", 'my', 'pin', '?']
    """
    if text is None:
        return []
    if max_tokens is not None and unit != "space":
        text = text[: max_tokens * 64]  # of a book, only the beginning is read
    if unit == "word":
        return _WORD.findall(text.lower())
    return list(text) if unit == "character" else text.split()


def _texts(values: Shaped[np.ndarray, " batch"]) -> list[str | None]:
    """The texts as they are: unlike names of classes, with the spaces around them."""
    return [value if isinstance(value, str) else text_of(value) for value in values.tolist()]


def _ids(tokens: Iterable[str], id_of: Mapping[str, int], *, is_spelled: bool) -> Iterable[int]:
    for token in tokens:
        spelled = [id_of[character] for character in token if character in id_of] if is_spelled else []
        if token in id_of:
            yield id_of[token]
        else:
            yield from spelled or [UNKNOWN]
