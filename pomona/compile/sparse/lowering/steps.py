"""Which function lowers which operation."""

from collections.abc import Callable, Mapping

from pomona.compile.sparse.arrangement import ELEMENTWISE, SPREAD
from pomona.compile.sparse.choice import Choice
from pomona.compile.sparse.lowering.images import lower_convolution, lower_depthwise
from pomona.compile.sparse.lowering.moves import (
    lower_concat,
    lower_pad,
    lower_reshape,
    lower_resize,
    lower_select,
    lower_spread,
    lower_transpose,
)
from pomona.compile.sparse.lowering.pixels import lower_elementwise
from pomona.compile.sparse.lowering.pointwise import lower_pointwise
from pomona.compile.sparse.lowering.task import Place, Stage
from pomona.compile.sparse.lowering.vectors import lower_linear, lower_mean
from pomona.compile.sparse.lowering.windows import lower_groups, lower_pool, lower_softmax
from pomona.compile.sparse.plan import Step

LOWERINGS: Mapping[str, Callable[[Step, Place], Stage]] = {
    "depthwise": lower_depthwise,
    "convolution": lower_convolution,
    "linear": lower_linear,
    "global_average_pool": lower_mean,
    "average_pool": lower_pool,
    "max_pool": lower_pool,
    "group_normalisation": lower_groups,
    "softmax": lower_softmax,
    "concat": lower_concat,
    "select": lower_select,
    "pad": lower_pad,
    "resize": lower_resize,
    "reshape": lower_reshape,
    "transpose": lower_transpose,
    SPREAD: lower_spread,
    **dict.fromkeys(ELEMENTWISE, lower_elementwise),
}


def lower(step: Step, place: Place, choices: Mapping[str, Choice]) -> Stage:
    """The step's stages; threads meet at a barrier after each."""
    if step.op == "pointwise":
        return lower_pointwise(step, place, choices[step.output])
    return LOWERINGS[step.op](step, place)
