"""AmoebaNet-D (Real et al. 2019), 18 layers and 208 filters as in the GPipe article: 82 million weights.

The cells are those of TensorFlow's TPU release, whose normal cell joins other states than the article's.
"""

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import dense, dense_weights, scaled_count
from pomona.compile.placement.families.tape import Tape, Value
from pomona.compile.placement.graph import Graph

BATCH = 64
IMAGE = 224
CLASSES = 1000
FILTERS = 208
CELLS_IN_A_ROW = 6

# (state that is read, operation) in pairs; each pair's sum is the next state
NORMAL = (
    ((1, "conv_1x1"), (1, "max_3")),
    ((1, "none"), (0, "conv_7")),
    ((0, "conv_1x1"), (0, "conv_7")),
    ((2, "max_3"), (2, "none")),
    ((1, "mean_3"), (5, "conv_1x1")),
)
NORMAL_JOINS = (0, 3, 4, 6)
REDUCTION = (
    ((0, "max_2"), (0, "max_3")),
    ((2, "none"), (1, "conv_3x3")),
    ((2, "conv_7"), (2, "max_3")),
    ((3, "none"), (1, "max_2")),
    ((2, "mean_3"), (3, "conv_1x1")),
)
REDUCTION_JOINS = (4, 5, 6)


def amoebanet(*, size: float = 1.0) -> Graph:
    """A training step over 64 images of 224 x 224; `size` scales the number of normal cells in a row."""
    tape = Tape("amoebanet")
    num_cells = scaled_count(CELLS_IN_A_ROW, size)
    channels = FILTERS // 4
    with tape.scope("stem"):
        x = _conv(tape, tape.input("images", (BATCH, 3, IMAGE, IMAGE)), channels, (3, 3), (2, 2))
    before = x
    kinds = ["reduction"] * 2 + ["normal"] * num_cells
    kinds += (["reduction"] + ["normal"] * num_cells) * 2
    for number, kind in enumerate(kinds):
        channels *= 2 if kind == "reduction" else 1
        with tape.scope(f"cell{number}"):
            x, before = _cell(tape, x, before, channels, kind == "reduction"), x
    with tape.scope("output"):
        pooled = op.reduced(tape, "mean", x, (BATCH, x.shape[1]))
        logits = dense(tape, pooled, dense_weights(tape, x.shape[1], CLASSES))
        return tape.training_graph(op.cross_entropy(tape, logits, tape.input("labels", (BATCH,))))


def _cell(tape: Tape, x: Value, before: Value, channels: int, is_reduction: bool) -> Value:
    pairs, joins = (REDUCTION, REDUCTION_JOINS) if is_reduction else (NORMAL, NORMAL_JOINS)
    states = [_conv(tape, x, channels), before]
    if before.shape[2] != x.shape[2]:
        states[1] = _factorised_reduction(tape, before, channels)
    elif before.shape[1] != channels:
        states[1] = _conv(tape, before, channels)
    for pair in pairs:
        made = []
        for index, name in pair:
            stride = 2 if is_reduction and index < 2 else 1
            made.append(_operation(tape, name, states[index], channels, stride))
        states.append(op.add(tape, *made))
    batch, _, height, width = states[-1].shape
    return op.concat(tape, [states[index] for index in joins], (batch, channels * len(joins), height, width))


def _operation(tape: Tape, name: str, x: Value, channels: int, stride: int) -> Value:
    if name == "none":
        return x if stride == 1 else _factorised_reduction(tape, x, channels)
    if name in ("max_2", "max_3", "mean_3"):
        batch, _, height, width = x.shape
        shape = (batch, channels, -(-height // stride), -(-width // stride))
        return op.pool(tape, "pool_mean" if name == "mean_3" else "pool_maximum", x, shape, int(name[-1]))
    if name == "conv_1x1":
        return _conv(tape, x, channels, strides=(stride, stride))
    x = _conv(tape, x, channels // 4)
    if name == "conv_3x3":
        x = _conv(tape, x, channels // 4, (3, 3), (stride, stride))
    else:
        x = _conv(tape, x, channels // 4, (1, 7), (1, stride))
        x = _conv(tape, x, channels // 4, (7, 1), (stride, 1))
    return _conv(tape, x, channels)


def _conv(
    tape: Tape, x: Value, width: int, kernel: tuple[int, int] = (1, 1), strides: tuple[int, int] = (1, 1)
) -> Value:
    x = op.activation(tape, "relu", x)
    weight = tape.parameter("convolution/weight", (width, x.shape[1], *kernel))
    x = op.convolution(tape, x, weight, strides=strides)
    return op.normalisation(tape, x, op.normalisation_weight(tape, width))


def _factorised_reduction(tape: Tape, x: Value, channels: int) -> Value:
    x = op.activation(tape, "relu", x)
    moved = op.moved(tape, "pad", x, x.shape)
    weights = [tape.parameter("convolution/weight", (channels // 2, x.shape[1], 1, 1)) for _ in range(2)]
    halves = [
        op.convolution(tape, value, weight, strides=(2, 2))
        for value, weight in zip((x, moved), weights, strict=True)
    ]
    batch, _, height, width = halves[0].shape
    joined = op.concat(tape, halves, (batch, channels, height, width))
    return op.normalisation(tape, joined, op.normalisation_weight(tape, channels))
