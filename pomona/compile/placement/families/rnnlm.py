"""RNNLM: a language model of stacked LSTM layers, unrolled over a text window (Jozefowicz et al. 2016)."""

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import (
    dense,
    dense_weights,
    lstm_cell,
    lstm_start,
    scaled_count,
    total_loss,
)
from pomona.compile.placement.families.tape import Tape
from pomona.compile.placement.graph import Graph

BATCH = 64
WIDTH = 2048
VOCABULARY = 10_000
STEPS = 40


def rnnlm(num_layers: int, *, size: float = 1.0) -> Graph:
    """A training step over a batch of 64 windows of 40 words; `size` scales the length of the window."""
    tape = Tape(f"rnnlm-{num_layers}")
    num_steps = scaled_count(STEPS, size, least=2)
    with tape.scope("embedding"):
        table = tape.parameter("table", (VOCABULARY, WIDTH))
    weights, states = [], []
    for layer in range(num_layers):
        with tape.scope(f"layer{layer}"):
            weights.append(dense_weights(tape, 2 * WIDTH, 4 * WIDTH))
            states.append(lstm_start(tape, BATCH, WIDTH))
    with tape.scope("output"):
        output = dense_weights(tape, WIDTH, VOCABULARY)
    losses = []
    for step in range(num_steps):
        with tape.scope(f"embedding/step{step}"):
            x = op.gather(tape, table, tape.input("words", (BATCH,)))
        for layer in range(num_layers):
            with tape.scope(f"layer{layer}/step{step}"):
                states[layer] = lstm_cell(tape, x, states[layer], weights[layer])
                x = states[layer].hidden
        with tape.scope(f"output/step{step}"):
            logits = dense(tape, op.dropout(tape, x), output)
            losses.append(op.cross_entropy(tape, logits, tape.input("next_words", (BATCH,))))
    with tape.scope("output"):
        return tape.training_graph(total_loss(tape, losses))
