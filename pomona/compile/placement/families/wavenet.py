"""WaveNet: stacks of dilated causal convolutions on samples of sound (van den Oord et al. 2016).

Every layer is conditioned on local features and hands a skip to the end, so that a layer's two outputs and
the features' convolutions can run beside each other.
"""

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import scaled_count
from pomona.compile.placement.families.tape import Tape, Value
from pomona.compile.placement.graph import Graph

BATCH = 8
SAMPLES = 8192
CHANNELS = 256
SKIP_CHANNELS = 256
LEVELS = 256
FEATURES = 80
KERNEL = 2


def wavenet(num_stacks: int, num_layers: int, *, size: float = 1.0) -> Graph:
    """A training step over 8 windows of 8,192 samples; the layers of a stack dilate by 1, 2, 4 and so on.

    `num_layers` counts those of all stacks together; `size` scales the number of a stack's layers.
    """
    tape = Tape(f"wavenet-{num_stacks}x{num_layers}")
    with tape.scope("input"):
        samples = tape.input("samples", (BATCH, LEVELS, 1, SAMPLES))
        features = tape.input("features", (BATCH, FEATURES, 1, SAMPLES))
        x = _conv(tape, samples, CHANNELS, KERNEL)
    skips: Value | None = None
    for stack in range(num_stacks):
        for layer in range(scaled_count(num_layers // num_stacks, size)):
            with tape.scope(f"stack{stack}/layer{layer}"):
                x, skip = _layer(tape, x, features)
                skips = skip if skips is None else op.add(tape, skips, skip)
    assert skips is not None
    with tape.scope("output"):
        hidden = op.activation(tape, "relu", _conv(tape, op.activation(tape, "relu", skips), SKIP_CHANNELS))
        logits = _conv(tape, hidden, LEVELS)
        labels = tape.input("next_samples", (BATCH, SAMPLES))
        return tape.training_graph(op.cross_entropy(tape, logits, labels))


def _layer(tape: Tape, x: Value, features: Value) -> tuple[Value, Value]:
    # dilation moves what is read, not how much: the causal pad is the only move
    padded = op.moved(tape, "pad", x, x.shape)
    gates = []
    for name in ("tanh", "sigmoid"):
        with tape.scope(name):
            mixed = op.add(tape, _conv(tape, padded, CHANNELS, KERNEL), _conv(tape, features, CHANNELS))
            gates.append(op.activation(tape, name, mixed))
    gated = op.multiply(tape, *gates)
    with tape.scope("residual"):
        residual = op.add(tape, x, _conv(tape, gated, CHANNELS))
    with tape.scope("skip"):
        return residual, _conv(tape, gated, SKIP_CHANNELS)


def _conv(tape: Tape, x: Value, num_outputs: int, kernel: int = 1) -> Value:
    weight = tape.parameter("convolution/weight", (num_outputs, x.shape[1], 1, kernel))
    return op.add(tape, op.convolution(tape, x, weight), tape.parameter("bias", (num_outputs,)))
