"""Operations of networks, each with the nodes of its backward pass."""

from collections.abc import Sequence
from math import prod

from pomona.compile.placement.families.tape import FLOAT_BYTES, Tape, Value


def matmul(tape: Tape, x: Value, weight: Value) -> Value:
    """(…, k) times (k, n)."""
    num_inputs, num_outputs = weight.shape
    rows = prod(x.shape[:-1])
    flops = 2.0 * rows * num_inputs * num_outputs
    made = tape.node("matmul", [x, weight], (*x.shape[:-1], num_outputs), flops=flops)

    def backward(gradient: Value) -> None:
        if x.learns:
            tape.give(x, tape.node("matmul", [gradient, weight], x.shape, flops=flops))
        if weight.learns:
            tape.give(weight, tape.node("matmul", [x, gradient], weight.shape, flops=flops))

    tape.on_gradient(made, backward)
    return made


def batch_matmul(tape: Tape, a: Value, b: Value, num_columns: int) -> Value:
    """(…, m, k) times (…, k, n) with n = `num_columns`; the second may lie transposed."""
    flops = 2.0 * prod(a.shape) * num_columns
    made = tape.node("batch_matmul", [a, b], (*a.shape[:-1], num_columns), flops=flops)

    def backward(gradient: Value) -> None:
        if a.learns:
            tape.give(a, tape.node("batch_matmul", [gradient, b], a.shape, flops=flops))
        if b.learns:
            tape.give(b, tape.node("batch_matmul", [a, gradient], b.shape, flops=flops))

    tape.on_gradient(made, backward)
    return made


def convolution(
    tape: Tape, x: Value, weight: Value, *, strides: tuple[int, int] = (1, 1), padding: str = "same"
) -> Value:
    """(batch, in, height, width) by (out, in, rows, columns); padding: same (TensorFlow's sizes) or valid."""
    batch, _, *extent = x.shape
    num_outputs, num_inputs, *kernel = weight.shape
    lost = [0, 0] if padding == "same" else [size - 1 for size in kernel]
    out = [-(-(size - less) // stride) for size, less, stride in zip(extent, lost, strides, strict=True)]
    flops = 2.0 * batch * prod(out) * num_outputs * num_inputs * prod(kernel)
    made = tape.node("convolution", [x, weight], (batch, num_outputs, *out), flops=flops)

    def backward(gradient: Value) -> None:
        if x.learns:
            inputs = [gradient, weight]
            tape.give(x, tape.node("convolution_input_gradient", inputs, x.shape, flops=flops))
        inputs = [x, gradient]
        tape.give(weight, tape.node("convolution_weight_gradient", inputs, weight.shape, flops=flops))

    tape.on_gradient(made, backward)
    return made


def add(tape: Tape, *values: Value) -> Value:
    """The sum; values that are smaller than the first are broadcast."""
    made = tape.node("add", values, values[0].shape)

    def backward(gradient: Value) -> None:
        for value in values:
            tape.give(value, _like(tape, gradient, value))

    tape.on_gradient(made, backward)
    return made


def multiply(tape: Tape, a: Value, b: Value) -> Value:
    """The product of each element; the second may be smaller and is then broadcast."""
    made = tape.node("multiply", [a, b], a.shape)

    def backward(gradient: Value) -> None:
        if a.learns:
            tape.give(a, tape.node("multiply", [gradient, b], a.shape))
        if b.learns:
            tape.give(b, _like(tape, tape.node("multiply", [gradient, a], a.shape), b))

    tape.on_gradient(made, backward)
    return made


def activation(tape: Tape, op: str, x: Value) -> Value:
    """sigmoid, tanh, relu, gelu or silu; the backward node reads the output."""
    made = tape.node(op, [x], x.shape)
    tape.on_gradient(
        made, lambda gradient: tape.give(x, tape.node(f"{op}_backward", [gradient, made], x.shape))
    )
    return made


def scaled(tape: Tape, x: Value) -> Value:
    """A constant times x, or x plus a constant."""
    made = tape.node("multiply", [x], x.shape)
    tape.on_gradient(made, lambda gradient: tape.give(x, tape.node("multiply", [gradient], x.shape)))
    return made


def masked(tape: Tape, new: Value, old: Value, mask: Value) -> Value:
    """`new` where the mask holds, else `old`."""
    made = tape.node("select", [mask, new, old], new.shape)

    def backward(gradient: Value) -> None:
        for value in (new, old):
            if value.learns:
                tape.give(value, tape.node("select", [mask, gradient], value.shape))

    tape.on_gradient(made, backward)
    return made


def dropout(tape: Tape, x: Value) -> Value:
    """Random numbers, a mask, and the mask times x."""
    numbers = tape.node("random", [], x.shape)
    mask = tape.node("compare", [numbers], x.shape)
    made = tape.node("multiply", [x, mask], x.shape, label="dropout")
    tape.on_gradient(made, lambda gradient: tape.give(x, tape.node("multiply", [gradient, mask], x.shape)))
    return made


def concat(tape: Tape, values: Sequence[Value], shape: Sequence[int]) -> Value:
    """The values side by side, in one tensor of `shape`."""
    made = tape.node("concat", values, shape)

    def backward(gradient: Value) -> None:
        for value in values:
            if value.learns:
                size_bytes = 2.0 * FLOAT_BYTES * prod(value.shape)
                tape.give(value, tape.node("slice", [gradient], value.shape, traffic_bytes=size_bytes))

    tape.on_gradient(made, backward)
    return made


def split(tape: Tape, x: Value, num_parts: int) -> list[Value]:
    """Equal parts of the last axis, all of which must be used."""
    shape = (*x.shape[:-1], x.shape[-1] // num_parts)
    parts = tape.items("split", [x], [shape] * num_parts)
    found: list[Value] = []

    def backward(gradient: Value) -> None:
        found.append(gradient)
        if len(found) == num_parts:
            tape.give(x, tape.node("concat", found, x.shape))

    for part in parts:
        tape.on_gradient(part, backward)
    return parts


def moved(tape: Tape, op: str, x: Value, shape: Sequence[int]) -> Value:
    """A move of elements, such as transpose, pad or slice; backwards the elements move back."""
    size_bytes = 2.0 * FLOAT_BYTES * min(prod(x.shape), prod(shape))
    made = tape.node(op, [x], shape, traffic_bytes=size_bytes)
    tape.on_gradient(made, lambda gradient: tape.give(x, tape.node(op, [gradient], x.shape)))
    return made


def gather(tape: Tape, table: Value, ids: Value) -> Value:
    """Rows of a table; backwards they are scattered into a gradient of the table's size."""
    shape = (*ids.shape, table.shape[-1])
    size_bytes = float(FLOAT_BYTES * (prod(ids.shape) + 2 * prod(shape)))
    made = tape.node("gather", [table, ids], shape, traffic_bytes=size_bytes)
    tape.on_gradient(
        made, lambda gradient: tape.give(table, tape.node("scatter", [gradient, ids], table.shape))
    )
    return made


def softmax(tape: Tape, x: Value) -> Value:
    """Over the last axis."""
    return activation(tape, "softmax", x)


def normalisation_weight(tape: Tape, num_channels: int) -> Value:
    """Scale and offset, as one weight of two rows."""
    return tape.parameter("normalisation/weight", (2, num_channels))


def normalisation(tape: Tape, x: Value, weight: Value) -> Value:
    """Batch or layer norm with a scale and an offset."""
    made = tape.node("normalisation", [x, weight], x.shape)

    def backward(gradient: Value) -> None:
        parts = tape.items("normalisation_backward", [gradient, x, weight], [x.shape, weight.shape])
        for value, part in zip((x, weight), parts, strict=True):
            tape.give(value, part)

    tape.on_gradient(made, backward)
    return made


def pool(tape: Tape, op: str, x: Value, shape: Sequence[int], kernel: int) -> Value:
    """pool_maximum or pool_mean over windows of kernel x kernel; `shape` is the output's."""
    flops = float(prod(shape) * kernel * kernel)
    made = tape.node(op, [x], shape, flops=flops)
    read = [x, made] if op == "pool_maximum" else []
    tape.on_gradient(
        made,
        lambda gradient: tape.give(x, tape.node(f"{op}_backward", [gradient, *read], x.shape, flops=flops)),
    )
    return made


def reduced(tape: Tape, op: str, x: Value, shape: Sequence[int]) -> Value:
    """sum or mean over some axes."""
    made = tape.node(op, [x], shape)
    tape.on_gradient(made, lambda gradient: tape.give(x, tape.node("broadcast", [gradient], x.shape)))
    return made


def cross_entropy(tape: Tape, logits: Value, labels: Value) -> Value:
    """The mean loss of a softmax over the last axis, as one node."""
    made = tape.node("loss", [logits, labels], (1,))
    tape.on_gradient(
        made,
        lambda gradient: tape.give(
            logits, tape.node("loss_backward", [gradient, logits, labels], logits.shape)
        ),
    )
    return made


def _like(tape: Tape, gradient: Value, value: Value) -> Value:
    # what was broadcast is summed; a view of equal size is the same tensor
    if not value.learns or prod(value.shape) == prod(gradient.shape):
        return gradient
    return tape.node("sum", [gradient], value.shape)
