"""Layers that several families have: dense layers, LSTM cells, losses over a vocabulary."""

from dataclasses import dataclass

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.tape import Tape, Value


@dataclass(frozen=True)
class Dense:
    """Weights of a dense layer."""

    weight: Value
    bias: Value


def dense_weights(tape: Tape, num_inputs: int, num_outputs: int) -> Dense:
    return Dense(tape.parameter("weight", (num_inputs, num_outputs)), tape.parameter("bias", (num_outputs,)))


def dense(tape: Tape, x: Value, weights: Dense) -> Value:
    """A matrix product and a bias."""
    return op.add(tape, op.matmul(tape, x, weights.weight), weights.bias)


@dataclass(frozen=True)
class LstmState:
    hidden: Value
    cell: Value


def lstm_start(tape: Tape, batch: int, width: int) -> LstmState:
    """The state that the step before left."""
    return LstmState(tape.state("hidden", (batch, width)), tape.state("cell", (batch, width)))


def lstm_cell(
    tape: Tape, x: Value, state: LstmState, weights: Dense, *, mask: Value | None = None
) -> LstmState:
    """One step of TensorFlow's BasicLSTMCell with dropped inputs; where `mask` is off the state stays."""
    width = state.hidden.shape[-1]
    x = op.dropout(tape, x)
    joined = op.concat(tape, [x, state.hidden], (x.shape[0], x.shape[1] + width))
    enter, candidate, forget, leave = op.split(tape, dense(tape, joined, weights), 4)
    kept = op.multiply(tape, state.cell, op.activation(tape, "sigmoid", op.scaled(tape, forget)))
    added = op.multiply(tape, op.activation(tape, "tanh", candidate), op.activation(tape, "sigmoid", enter))
    cell = op.add(tape, kept, added)
    hidden = op.multiply(tape, op.activation(tape, "tanh", cell), op.activation(tape, "sigmoid", leave))
    if mask is None:
        return LstmState(hidden, cell)
    return LstmState(op.masked(tape, hidden, state.hidden, mask), op.masked(tape, cell, state.cell, mask))


def total_loss(tape: Tape, losses: list[Value]) -> Value:
    """The sum of the losses of steps or segments, as one node."""
    return losses[0] if len(losses) == 1 else op.add(tape, *losses)


def scaled_count(full: int, size: float, *, least: int = 1) -> int:
    """`full` repeats at size 1, fewer below, never fewer than `least`."""
    return max(least, round(full * size))
