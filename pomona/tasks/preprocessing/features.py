"""The features that a preprocessing makes: their kinds and shapes, found by applying it."""

from collections.abc import Mapping

import numpy as np

from pomona.tasks.feature import Feature, FeatureKind, mask_key
from pomona.tasks.preprocessing.pipeline import Preprocessing

KINDS: dict[str, FeatureKind] = {
    "image": "image",
    "audio": "audio",
    "tokens": "tokens",
    "ids": "tokens",
    "series": "series",
    "numbers": "vector",
    "categories": "vector",
    "dates": "vector",
    "bag": "vector",
    "vector": "vector",
}


def input_features(preprocessing: Preprocessing, raw: Mapping[str, np.ndarray]) -> dict[str, Feature]:
    """The inputs by name; `raw` is any raw batch of at least one example."""
    example = preprocessing.apply({name: raw[name][:1] for name in preprocessing.columns})
    features = {}
    for step in preprocessing.steps:
        features[step.output] = Feature(
            step.output,
            KINDS[step.kind],
            example[step.output].shape[1:],
            num_tokens=step.settings.get("num_tokens"),
            rate=step.settings.get("rate"),
            variable=mask_key(step.output) in example,
        )
    return features
