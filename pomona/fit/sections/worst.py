"""Which examples it gets most wrong."""

import io
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.fit.assessment import Assessment
from pomona.fit.sections.pictures import pictures
from pomona.foundation.report import audio, table
from pomona.tasks.outputs import decide

NUM_SHOWN = 24
CAPTION = "Test examples with the greatest loss, worst first."


def worst_section(assessment: Assessment) -> list[dict[str, Any]]:
    """The items of the section: the examples of greatest loss, as pictures, sounds or rows."""
    task = assessment.task
    name, feature = next(iter(task.targets.items()))
    losses = assessment.losses(name)
    order = np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")[:NUM_SHOWN]
    said = [_short(value) for value in decide(task.kind, assessment.predictions[name][order], feature)]
    true = [_truth(value, feature.classes) for value in assessment.truth[name][order]]
    captions = [
        (f"{t} taken for {s}", f"loss {losses[i]:.3g}") for i, t, s in zip(order, true, said, strict=True)
    ]
    shown = assessment.source.read(order)
    for input_name, kind in ((name, feature.kind) for name, feature in task.inputs.items()):
        if kind == "image":
            named = [(image, *words) for image, words in zip(shown[input_name], captions, strict=True)]
            return [pictures(named, caption=CAPTION)]
        rate = task.inputs[input_name].rate
        if kind == "audio" and rate:
            clips = [
                (wav_of(samples, rate), *words)
                for samples, words in zip(shown[input_name], captions, strict=True)
            ]
            return [audio(clips[:12], caption=CAPTION)]
    ids = shown.get("id", order)
    rows = [[int(i), t, s, float(losses[o])] for i, t, s, o in zip(ids, true, said, order, strict=True)]
    return [table([("example", "integer"), "true", "predicted", ("loss", "number")], rows, caption=CAPTION)]


def wav_of(samples: Float[np.ndarray, " samples"], rate: float) -> bytes:
    """A 16-bit WAV of a waveform in [-1, 1]."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(int(rate))
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
    return file.getvalue()


def _truth(value: np.ndarray, classes: tuple[str, ...]) -> str:
    if not classes:
        return _short(value.tolist())
    if value.dtype.kind == "f":
        return _short([name for name, holds in zip(classes, value, strict=True) if holds])
    return _short(classes[int(value)] if value.ndim == 0 else [classes[int(i)] for i in value.flat])


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list):
        shown = " ".join(_short(item) for item in value[:12])
        return f"{shown} …" if len(value) > 12 else shown or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
