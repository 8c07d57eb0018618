"""Examples that are none of a task's business, to be noticed: made of its test examples, by kind of input.

name              for     what it is
glyphs            images  ten signs that no task knows, as large as the image, at a random shade
shuffled-columns  vector  every column shuffled among examples: each is usual, together they are not
phase-noise       audio,  noise with the same spectrum: the phases of the Fourier transform are drawn
                  series
even-tokens       tokens  every token drawn evenly from the vocabulary, at the usual lengths
"""

import numpy as np
from jaxtyping import Float

from pomona.fit.feeds import held_out, read_all
from pomona.foundation.randomness import stream
from pomona.question.uncertainty.parts import without_class
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.moving_glyphs import glyphs
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.source import ArraySource, FiniteSource, SubsetSource
from pomona.tasks.task import Task

LEFT_OUT = {"clinc150": "oos"}
"""Built-in tasks with a class that means "none of these": it is left out unless something else is asked."""

MOST_EXAMPLES = 1000


def outside(task: Task, leave_out: str | None = None) -> tuple[Task, dict[str, FiniteSource]]:
    """The task, without the class that is left out if any, and examples from outside by name."""
    found: dict[str, FiniteSource] = {}
    left_out = leave_out or LEFT_OUT.get(task.name)
    if left_out is not None:
        task, source = without_class(task, left_out)
        found[f"class {left_out}"] = _limited(source)
    made = _made(task)
    return task, {**found, **made}


def _made(task: Task) -> dict[str, FiniteSource]:
    batch = read_all(_limited(held_out(task.splits["test"], name="test", seed=0)))
    found: dict[str, FiniteSource] = {}
    for name, feature in task.inputs.items():
        generator = stream(0, "outside", name)
        if feature.kind == "image":
            found["glyphs"] = _with(batch, name, _glyph_images(batch[name], generator))
        elif feature.kind == "vector" and feature.shape[0] > 1:
            found["shuffled-columns"] = _with(batch, name, generator.permuted(batch[name], axis=0))
        elif feature.kind in ("audio", "series"):
            found["phase-noise"] = _with(batch, name, _phase_noise(batch[name], generator))
        elif feature.kind == "tokens":
            found["even-tokens"] = _with(batch, name, _even_tokens(batch, feature, generator))
    return found


def _with(batch: Batch, name: str, changed: np.ndarray) -> ArraySource:
    return ArraySource({**batch, name: changed.astype(batch[name].dtype)})


def _limited(source: FiniteSource) -> FiniteSource:
    if source.size <= MOST_EXAMPLES:
        return source
    return SubsetSource(source, np.sort(stream(0, "outside").permutation(source.size)[:MOST_EXAMPLES]))


def _glyph_images(
    images: Float[np.ndarray, "batch channel height width"], generator: np.random.Generator
) -> Float[np.ndarray, "batch channel height width"]:
    """Signs between the darkest and the brightest values that the images have."""
    num_images, _, height, width = images.shape
    signs = glyphs()
    rows = np.arange(height) * signs.shape[1] // height
    columns = np.arange(width) * signs.shape[2] // width
    drawn = signs[generator.integers(0, len(signs), num_images)][:, rows][:, :, columns]
    low, high = np.quantile(images, (0.02, 0.98), axis=(0, 2, 3))
    shade = generator.uniform(0.5, 1.0, (num_images, 1, 1, 1))
    return low[:, None, None] + drawn[:, None] * shade * (high - low)[:, None, None]


def _phase_noise(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(values, axis=1)
    phases = np.exp(2j * np.pi * generator.random(spectrum.shape))
    return np.fft.irfft(np.abs(spectrum) * phases, values.shape[1], axis=1)


def _even_tokens(batch: Batch, feature: Feature, generator: np.random.Generator) -> np.ndarray:
    tokens = batch[feature.name]
    assert feature.num_tokens is not None
    drawn = generator.integers(1, feature.num_tokens, tokens.shape)
    real = batch[mask_key(feature.name)] if feature.variable else tokens != 0
    return np.where(real, drawn, tokens)
