"""The examples on which models that were trained alike disagree most."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.sections.pictures import png_of
from pomona.fit.sections.worst import wav_of
from pomona.foundation.errors import MissingExtraError
from pomona.foundation.report import audio, images, table
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task

NUM_SHOWN = 16


def disagreement(answers: Int[np.ndarray, "member batch"]) -> Float[np.ndarray, " batch"]:
    """For each example the share of pairs of models that answer otherwise.

    >>> disagreement(np.array([[0, 1], [0, 2], [0, 1]])).round(2).tolist()
    [0.0, 0.67]
    """
    num_models = len(answers)
    counts = np.stack([(answers == answer).sum(axis=0) for answer in np.unique(answers)])
    alike = (counts * (counts - 1)).sum(axis=0)
    return 1 - alike / (num_models * (num_models - 1))


def disagreement_section(
    task: Task, source: FiniteSource, answers: Int[np.ndarray, "member batch"], name: str
) -> list[dict[str, Any]]:
    """The items of the section: the examples of the split `name`, and what how many models say of them."""
    share = disagreement(answers)
    order = np.argsort(-share, kind="stable")[:NUM_SHOWN]
    target = next(iter(task.targets))
    shown = source.read(order)
    truth = [_name(task, target, int(value)) for value in shown[target]]
    said = [_votes(task, target, answers[:, index]) for index in order]
    captions = [(f"truth {t}", f"models say {s}") for t, s in zip(truth, said, strict=True)]
    caption = f"Test examples of {name}, those first on which most pairs of models disagree."
    for input_name, feature in task.inputs.items():
        if feature.kind == "image":
            try:
                pictures = [
                    (png_of(one), *words) for one, words in zip(shown[input_name], captions, strict=True)
                ]
            except MissingExtraError:
                break
            return [images(pictures, caption=caption)]
        if feature.kind == "audio" and feature.rate:
            clips = [
                (wav_of(wave, feature.rate), *words)
                for wave, words in zip(shown[input_name], captions, strict=True)
            ]
            return [audio(clips[:8], caption=caption)]
    rows = [[int(index), t, s, float(share[index])] for index, t, s in zip(order, truth, said, strict=True)]
    columns = [("example", "integer"), "true", "models say", ("pairs that disagree", "percent")]
    return [table(columns, rows, caption=caption)]


def _votes(task: Task, target: str, answers: Int[np.ndarray, " member"]) -> str:
    values, counts = np.unique(answers, return_counts=True)
    order: Sequence[int] = np.argsort(-counts, kind="stable")[:4].tolist()
    return ", ".join(f"{_name(task, target, int(values[i]))} ({counts[i]})" for i in order)


def _name(task: Task, target: str, index: int) -> str:
    classes = task.targets[target].classes
    return classes[index] if classes else str(index)
