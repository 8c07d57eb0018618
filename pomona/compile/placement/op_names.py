"""The words for operations that every captured and synthetic graph uses, so that graphs can be compared.

A graph may have further names; they are then treated as light operations of their own kind.
"""

STORED = ("input", "parameter", "state", "constant")
"""Nodes whose output is there from the start of a step."""

FREE = ("view", "item")
"""Nodes that only look at what another node made: they cost no time and no memory."""

HEAVY = (
    "matmul",
    "batch_matmul",
    "convolution",
    "convolution_input_gradient",
    "convolution_weight_gradient",
    "convolution_backward",
    "attention",
    "attention_backward",
    "recurrent",
    "recurrent_backward",
)
"""Nodes that run on the matrix units; compilers fuse at most one of them into a kernel."""

ELEMENTWISE = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "negate",
    "power",
    "exponential",
    "logarithm",
    "square_root",
    "absolute",
    "minimum",
    "maximum",
    "compare",
    "select",
    "sigmoid",
    "sigmoid_backward",
    "tanh",
    "tanh_backward",
    "relu",
    "relu_backward",
    "gelu",
    "gelu_backward",
    "silu",
    "silu_backward",
    "elementwise",
    "dropout",
    "random",
    "fill",
    "cast",
    "copy",
)
"""One output element needs a fixed number of elements of each input."""

MOVES = (
    "transpose",
    "concat",
    "split",
    "slice",
    "pad",
    "broadcast",
    "resize",
    "gather",
    "scatter",
    "sort",
)
"""Nodes that move elements and hardly calculate."""

REDUCTIONS = (
    "sum",
    "mean",
    "reduce_maximum",
    "argmax",
    "cumulative",
    "softmax",
    "softmax_backward",
    "normalisation",
    "normalisation_backward",
    "pool_maximum",
    "pool_maximum_backward",
    "pool_mean",
    "pool_mean_backward",
    "loss",
    "loss_backward",
)
"""One output element needs many elements of an input."""

UPDATES = ("update",)
"""The optimiser's step on one weight."""

OP_NAMES = (*STORED, *FREE, *HEAVY, *ELEMENTWISE, *MOVES, *REDUCTIONS, *UPDATES, "scan", "other")
"""All words of the house, in a fixed order (a policy's op embedding relies on it: add at the end only)."""
