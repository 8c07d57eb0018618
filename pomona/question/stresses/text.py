"""Texts as others write them: typing errors, capitals, other words for the same."""

import functools
from collections.abc import Callable, Iterable

import numpy as np

from pomona.question.stresses.changed import Change, ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.strengths import STRENGTHS
from pomona.question.stresses.words import NEIGHBOURS, SYNONYMS
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.tokens import FIRST, UNKNOWN, apply_tokens
from pomona.tasks.source import Source
from pomona.tasks.task import Task

Rewrite = Callable[[str, np.random.Generator], str]

UNREADABLE = "\ufffd"
"""Stands for a token that the task does not know: it knows this one neither."""


def text(task: Task, seed: int) -> dict[str, Source]:
    """Splits named STRESS-STRENGTH, and `capitals` and `paraphrase`; none for a task without text.

    Capitals change nothing where a tokenizer has none, and are left out there. Texts are read back from
    their tokens, so of a long text what the task keeps.
    """
    steps = text_steps(task)
    if not steps:
        return {}
    shares = dict(zip(STRENGTHS, (0.05, 0.15, 0.4), strict=True))
    rewrites: dict[str, Rewrite] = {
        f"typos-{strength}": functools.partial(typos, share=share) for strength, share in shares.items()
    }
    rewrites["paraphrase"] = paraphrase
    if any(step.settings["unit"] != "word" for step in steps):
        rewrites["capitals"] = capitals
    source = clean(task, seed)
    return {
        name: ChangedSource(source, on_texts(steps, rewrite), name, seed)
        for name, rewrite in rewrites.items()
    }


def text_steps(task: Task) -> list[Step]:
    """The steps that make tokens of text."""
    return [step for step in task.preprocessing.steps if step.kind == "tokens"]


def on_texts(steps: list[Step], rewrite: Rewrite) -> Change:
    """The change of a batch that rewrites every text."""
    return functools.partial(_rewritten, steps=steps, rewrite=rewrite)


def texts_of(step: Step, ids: np.ndarray) -> list[str]:
    """The texts whose tokens these are; words are parted by single spaces."""
    vocabulary = ["", UNREADABLE, *step.settings["vocabulary"]]
    glue = "" if step.settings["unit"] == "character" else " "
    assert UNKNOWN == 1
    assert FIRST == 2
    return [glue.join(vocabulary[index] for index in row if index) for row in ids.tolist()]


def typos(text: str, generator: np.random.Generator, *, share: float) -> str:
    """A share of the words mistyped: letters swapped, dropped, doubled, or a neighbour's key hit."""
    words = text.split(" ")
    for place in np.flatnonzero(generator.random(len(words)) < share):
        words[place] = _mistyped(words[place], generator)
    return " ".join(words)


def capitals(text: str, generator: np.random.Generator) -> str:
    """All in capitals."""
    return text.upper()


def paraphrase(text: str, generator: np.random.Generator) -> str:
    """Common words and phrases in other words of the same meaning, and a polite beginning or end."""
    padded = f" {text} "
    for phrase, others in SYNONYMS.items():
        if f" {phrase} " in padded:
            padded = padded.replace(f" {phrase} ", f" {others[int(generator.integers(len(others)))]} ")
    courtesies: Iterable[str] = ("{}", "please {}", "{} thanks", "hi {}")
    return list(courtesies)[int(generator.integers(4))].format(padded.strip())


def _mistyped(word: str, generator: np.random.Generator) -> str:
    if len(word) < 2:
        return word
    place = int(generator.integers(len(word) - 1))
    kind = int(generator.integers(4))
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[: place + 1] + word[place:]
    keys = NEIGHBOURS.get(word[place].lower(), word[place])
    return word[:place] + keys[int(generator.integers(len(keys)))] + word[place + 1 :]


def _rewritten(batch: Batch, generator: np.random.Generator, *, steps: list[Step], rewrite: Rewrite) -> Batch:
    changed = dict(batch)
    for step in steps:
        texts = np.array([rewrite(one, generator) for one in texts_of(step, batch[step.output])], object)
        made = apply_tokens(step, {step.columns[0]: texts})
        changed |= {name: array for name, array in made.items() if name in batch}
    return changed
