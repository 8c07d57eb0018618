"""Inception-v3 (Szegedy et al. 2016), layer by layer as torchvision has it, with the auxiliary head."""

from collections.abc import Sequence

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import dense, dense_weights, scaled_count, total_loss
from pomona.compile.placement.families.tape import Tape, Value
from pomona.compile.placement.graph import Graph

IMAGE = 299
CLASSES = 1000
Kernel = tuple[int, int]


def inception(batch: int, *, size: float = 1.0) -> Graph:
    """A training step over `batch` images of 299 x 299; `size` scales the number of blocks of each kind."""
    tape = Tape(f"inception-{batch}")
    x = _stem(tape, tape.input("images", (batch, 3, IMAGE, IMAGE)))
    for number, width in enumerate(_part((32, 64, 64), size)):
        with tape.scope(f"a{number}"):
            x = _block_a(tape, x, width)
    with tape.scope("b"):
        x = _block_b(tape, x)
    for number, width in enumerate(_part((128, 160, 160, 192), size)):
        with tape.scope(f"c{number}"):
            x = _block_c(tape, x, width)
    labels = tape.input("labels", (batch,))
    with tape.scope("auxiliary"):
        losses = [op.cross_entropy(tape, _auxiliary(tape, x), labels)]
    with tape.scope("d"):
        x = _block_d(tape, x)
    for number in range(len(_part((0, 0), size))):
        with tape.scope(f"e{number}"):
            x = _block_e(tape, x)
    with tape.scope("output"):
        pooled = op.reduced(tape, "mean", x, (batch, x.shape[1]))
        logits = dense(tape, op.dropout(tape, pooled), dense_weights(tape, x.shape[1], CLASSES))
        losses.append(op.cross_entropy(tape, logits, labels))
        return tape.training_graph(total_loss(tape, losses))


def _part(widths: Sequence[int], size: float) -> Sequence[int]:
    return widths[: scaled_count(len(widths), size)]


def _stem(tape: Tape, x: Value) -> Value:
    with tape.scope("stem"):
        x = _conv(tape, x, 32, (3, 3), 2, "valid")
        x = _conv(tape, x, 32, (3, 3), padding="valid")
        x = _shrink(tape, _conv(tape, x, 64, (3, 3)))
        x = _conv(tape, x, 80)
        return _shrink(tape, _conv(tape, x, 192, (3, 3), padding="valid"))


def _block_a(tape: Tape, x: Value, pool_width: int) -> Value:
    narrow = _conv(tape, x, 64)
    five = _conv(tape, _conv(tape, x, 48), 64, (5, 5))
    double = _conv(tape, _conv(tape, _conv(tape, x, 64), 96, (3, 3)), 96, (3, 3))
    return _concat(tape, narrow, five, double, _conv(tape, _smooth(tape, x), pool_width))


def _block_b(tape: Tape, x: Value) -> Value:
    three = _conv(tape, x, 384, (3, 3), 2, "valid")
    double = _conv(tape, _conv(tape, x, 64), 96, (3, 3))
    return _concat(tape, three, _conv(tape, double, 96, (3, 3), 2, "valid"), _shrink(tape, x))


def _block_c(tape: Tape, x: Value, width: int) -> Value:
    narrow = _conv(tape, x, 192)
    seven = _conv(tape, _conv(tape, _conv(tape, x, width), width, (1, 7)), 192, (7, 1))
    double = _conv(tape, _conv(tape, _conv(tape, x, width), width, (7, 1)), width, (1, 7))
    double = _conv(tape, _conv(tape, double, width, (7, 1)), 192, (1, 7))
    return _concat(tape, narrow, seven, double, _conv(tape, _smooth(tape, x), 192))


def _block_d(tape: Tape, x: Value) -> Value:
    three = _conv(tape, _conv(tape, x, 192), 320, (3, 3), 2, "valid")
    seven = _conv(tape, _conv(tape, _conv(tape, x, 192), 192, (1, 7)), 192, (7, 1))
    return _concat(tape, three, _conv(tape, seven, 192, (3, 3), 2, "valid"), _shrink(tape, x))


def _block_e(tape: Tape, x: Value) -> Value:
    narrow = _conv(tape, x, 320)
    three = _conv(tape, x, 384)
    three = _concat(tape, _conv(tape, three, 384, (1, 3)), _conv(tape, three, 384, (3, 1)))
    double = _conv(tape, _conv(tape, x, 448), 384, (3, 3))
    double = _concat(tape, _conv(tape, double, 384, (1, 3)), _conv(tape, double, 384, (3, 1)))
    return _concat(tape, narrow, three, double, _conv(tape, _smooth(tape, x), 192))


def _auxiliary(tape: Tape, x: Value) -> Value:
    batch, channels, height, width = x.shape
    shape = (batch, channels, (height - 5) // 3 + 1, (width - 5) // 3 + 1)
    x = _conv(tape, op.pool(tape, "pool_mean", x, shape, 5), 128)
    x = _conv(tape, x, 768, (5, 5), padding="valid")
    return dense(tape, x.shaped(batch, 768), dense_weights(tape, 768, CLASSES))


def _conv(
    tape: Tape, x: Value, width: int, kernel: Kernel = (1, 1), stride: int = 1, padding: str = "same"
) -> Value:
    weight = tape.parameter("convolution/weight", (width, x.shape[1], *kernel))
    x = op.convolution(tape, x, weight, strides=(stride, stride), padding=padding)
    return op.activation(tape, "relu", op.normalisation(tape, x, op.normalisation_weight(tape, width)))


def _shrink(tape: Tape, x: Value) -> Value:
    batch, channels, height, width = x.shape
    return op.pool(tape, "pool_maximum", x, (batch, channels, (height - 1) // 2, (width - 1) // 2), 3)


def _smooth(tape: Tape, x: Value) -> Value:
    return op.pool(tape, "pool_mean", x, x.shape, 3)


def _concat(tape: Tape, *values: Value) -> Value:
    batch, _, height, width = values[0].shape
    return op.concat(tape, values, (batch, sum(value.shape[1] for value in values), height, width))
