"""FLOPs of light operations, by one rule for graphs of every origin.

Matrix products, convolutions and attention count two FLOPs a multiply-add and are counted where their shapes
are known. Everything else counts, for each element, what stands here; moves count none. On any real device
light operations are bound by their traffic, so that these figures hardly matter to a plan.
"""

from pomona.compile.placement.op_names import FREE, MOVES, REDUCTIONS, STORED

PER_ELEMENT = {
    "softmax": 5.0,
    "softmax_backward": 4.0,
    "normalisation": 8.0,
    "normalisation_backward": 14.0,
    "loss": 6.0,
    "loss_backward": 3.0,
    "gelu": 8.0,
    "gelu_backward": 14.0,
    "silu": 2.0,
    "silu_backward": 5.0,
    "sigmoid_backward": 3.0,
    "tanh_backward": 3.0,
    "update": 12.0,
}
"""FLOPs an element where they are more than one. `update` is Adam's step."""

_COSTLESS = frozenset((*STORED, *FREE, *MOVES, "copy", "cast", "fill"))
_BY_INPUT = frozenset((*REDUCTIONS, "update")) - {"pool_maximum_backward", "pool_mean_backward"}


def light_flops(op: str, input_elements: float, output_elements: float, *, num_inputs: int = 1) -> float:
    """FLOPs of an operation that is not a matrix product, a convolution or attention.

    `input_elements` are those of the largest input. Sums and products of several inputs count one FLOP less
    than they have inputs.
    """
    if op in _COSTLESS:
        return 0.0
    per_element = PER_ELEMENT.get(op, 1.0)
    if op in _BY_INPUT:
        return per_element * max(input_elements, output_elements)
    if op in ("add", "multiply"):
        per_element *= max(num_inputs - 1, 1)
    return per_element * output_elements
