"""A sensible small network for every kind of task."""

from pomona.networks.catalogue import NETWORKS
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


def default_spec(task: Task) -> Spec:
    """The network that `fit` and `search` start from, by the kinds of inputs and targets.

    Dense layers for vectors, residual convolutions for images and sound, a U-shape for segmentation, a GRU
    for a class at every step, a causal transformer for language, dilated convolutions for forecasts.
    """
    return NETWORKS["default"](task)
