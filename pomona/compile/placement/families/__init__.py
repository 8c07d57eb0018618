"""Training graphs of the models that placement articles are about, built layer by layer at their sizes."""

from collections.abc import Callable
from functools import partial

from pomona.compile.placement.families.amoebanet import amoebanet
from pomona.compile.placement.families.gnmt import gnmt
from pomona.compile.placement.families.inception import inception
from pomona.compile.placement.families.rnnlm import rnnlm
from pomona.compile.placement.families.transformer_xl import transformer_xl
from pomona.compile.placement.families.wavenet import wavenet
from pomona.compile.placement.graph import Graph

FAMILIES: dict[str, Callable[..., Graph]] = {
    "rnnlm-2": partial(rnnlm, 2),
    "rnnlm-4": partial(rnnlm, 4),
    "rnnlm-8": partial(rnnlm, 8),
    "gnmt-2": partial(gnmt, 2),
    "gnmt-4": partial(gnmt, 4),
    "gnmt-8": partial(gnmt, 8),
    "transformer-xl-2": partial(transformer_xl, 2),
    "transformer-xl-4": partial(transformer_xl, 4),
    "transformer-xl-8": partial(transformer_xl, 8),
    "inception": partial(inception, 32),
    "inception-64": partial(inception, 64),
    "amoebanet": amoebanet,
    "wavenet-2x18": partial(wavenet, 2, 18),
    "wavenet-4x36": partial(wavenet, 4, 36),
}
"""Name → f(*, size=1.0) -> Graph; sizes below 1 have fewer steps, segments, layers or blocks."""
