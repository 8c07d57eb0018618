"""`sound-tasks`: spoken digits, chirps, instruments and notes at once, for one front end that serves all.

Every sound has the targets of its own task; the others' are masked.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch, join_batches
from pomona.tasks.builtin import bird_chirps, instrument_notes, spoken_digits
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task

RATE = 8000


def make(*, seed: int = 0, num_each: int = 1500) -> Task:
    """The task with at most `num_each` training sounds of each of the three, and a third as many in valid
    and test."""
    parts = [
        spoken_digits.make(seed=seed),
        bird_chirps.make(seed=seed, num_train=num_each),
        instrument_notes.make(seed=seed, num_train=num_each),
    ]
    # a target of some sounds only has a mask, as one of variable length has
    features = {
        name: replace(feature, variable=True) for part in parts for name, feature in part.targets.items()
    }
    samples = max(part.inputs["audio"].shape[0] for part in parts)
    splits = {
        split: join_batches(
            [_with_all_targets(part, split, features, samples, num_each, seed) for part in parts]
        )
        for split in ("train", "valid", "test")
    }
    return task_of_arrays(
        "sound-tasks",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", np.array([samples / RATE]), rate=RATE),)),
        features,
        about="spoken digits, chirps, instruments and notes for one front end",
        licence="; ".join(part.licence for part in parts),
        notes=tuple(f"{part.name}: {note}" for part in parts for note in part.notes),
    )


def _with_all_targets(
    part: Task, split: str, features: Mapping[str, Feature], samples: int, num_each: int, seed: int
) -> Batch:
    """Some sounds of a split, silence around the shorter ones, with classes and masks for every target."""
    source: FiniteSource = part.splits[split]  # type: ignore[assignment]
    most = min(source.size, num_each if split == "train" else max(num_each // 3, 1))
    ids = stream(seed, f"sounds of {part.name}", split).permutation(source.size)[:most]
    batch = source.read(np.sort(ids))
    extra = samples - batch["audio"].shape[1]
    whole = {"audio": np.pad(batch["audio"], ((0, 0), (extra // 2, extra - extra // 2)))}
    for name, feature in features.items():
        names = np.array(feature.classes, object)
        whole[name] = names[batch[name]] if name in batch else np.full(most, names[0], object)
        whole[mask_key(name)] = np.full(most, name in batch)
    return whole
