"""Pairs that should get one answer: an example, and the same with something changed that does not matter."""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from pomona.question.stresses.changed import Change, ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.pixels import image_inputs, on_pixels
from pomona.question.stresses.text import on_texts, text_steps
from pomona.question.stresses.words import GENDERED, NAMES
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.source import FiniteSource, Source, SubsetSource
from pomona.tasks.task import Task

LEAST_PAIRS = 20
"""With fewer, one pair more or less would move the share of equal answers by more than 5 points."""


@dataclass(frozen=True)
class PairSource:
    """The second of each pair; `first` has the other one at the same place.

    What counts is whether a model says the same of both, right or wrong.
    """

    first: FiniteSource
    second: FiniteSource

    @property
    def size(self) -> int:
        return self.second.size

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        return self.second.read(ids)


def contrastive(task: Task, seed: int) -> dict[str, Source]:
    """Pairs by name: what is changed. Of texts, only those with something to change are paired."""
    source = clean(task, seed)
    found: dict[str, Source] = {}
    if image_inputs(task):
        found["pair-one-pixel-right"] = _pairs(source, on_pixels(task, _one_right), "one-pixel-right", seed)
    if audio := [name for name, feature in task.inputs.items() if feature.kind == "audio"]:
        change = functools.partial(_turned, names=audio)
        found["pair-polarity"] = _pairs(source, change, "polarity", seed)
    if steps := text_steps(task):
        known = _known(steps)
        for name, swap in (("genders", swap_genders), ("names", swap_names)):
            rewrite = functools.partial(swap, known=known)
            found[f"pair-{name}"] = _pairs(source, on_texts(steps, rewrite), name, seed, only_changed=True)
    return {name: pairs for name, pairs in found.items() if pairs.size and pairs.size >= LEAST_PAIRS}


def swap_genders(text: str, generator: np.random.Generator, known: frozenset[str] | None = None) -> str:
    """Words of men become those of women and the other way round; words that are not `known` do not come.

    >>> swap_genders("his aunt saw him", np.random.default_rng(0))
    'her uncle saw her'
    """
    other = {**{woman: man for man, woman in GENDERED.items()}, **GENDERED, "her": "his"}
    words = ((word, other.get(word, word)) for word in text.split(" "))
    return " ".join(new if known is None or new in known else word for word, new in words)


def swap_names(text: str, generator: np.random.Generator, known: frozenset[str] | None = None) -> str:
    """First names become first names of another group, where one of its names is `known`."""
    words = text.split(" ")
    for place, word in enumerate(words):
        group = next((number for number, names in enumerate(NAMES) if word in names), None)
        if group is not None:
            others = NAMES[(group + int(generator.integers(1, len(NAMES)))) % len(NAMES)]
            usable = [name for name in others if known is None or name in known]
            words[place] = usable[int(generator.integers(len(usable)))] if usable else word
    return " ".join(words)


def _known(steps: list[Step]) -> frozenset[str] | None:
    """The words that the task can tell from others; None where it reads letters."""
    if any(step.settings["unit"] == "character" for step in steps):
        return None
    return frozenset(word for step in steps for word in step.settings["vocabulary"])


def _pairs(
    source: FiniteSource, change: Change, name: str, seed: int, *, only_changed: bool = False
) -> PairSource:
    changed = ChangedSource(source, change, name, seed)
    if not only_changed:
        return PairSource(source, changed)
    ids = np.arange(source.size)
    before, after = source.read(ids), changed.read(ids)
    differs = np.zeros(source.size, bool)
    for key in before:
        differs |= (before[key] != after[key]).reshape(source.size, -1).any(axis=1)
    kept = np.flatnonzero(differs)
    return PairSource(SubsetSource(source, kept), SubsetSource(changed, kept))


def _one_right(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return np.concatenate([pixels[:, :, :1], pixels[:, :, :-1]], axis=2)


def _turned(batch: Batch, generator: np.random.Generator, *, names: list[str]) -> Batch:
    return {**batch, **{name: -batch[name] for name in names}}
