"""GNMT: Google's neural machine translation (Wu et al. 2016), encoder and decoder unrolled over a sentence.

The lowest encoder layer reads in both directions; from the third layer on there are residual connections; the
lowest decoder layer asks the attention, whose context every decoder layer reads.
"""

from dataclasses import dataclass

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import (
    Dense,
    LstmState,
    dense,
    dense_weights,
    lstm_cell,
    lstm_start,
    scaled_count,
    total_loss,
)
from pomona.compile.placement.families.tape import Tape, Value
from pomona.compile.placement.graph import Graph

BATCH = 64
WIDTH = 1024
VOCABULARY = 32_000
STEPS = 80
FIRST_RESIDUAL = 2


def gnmt(num_layers: int, *, size: float = 1.0) -> Graph:
    """A training step over 64 sentence pairs of up to 80 word pieces; `size` scales their length."""
    tape = Tape(f"gnmt-{num_layers}")
    num_steps = scaled_count(STEPS, size, least=2)
    with tape.scope("mask"):
        masks = [tape.input(f"step{step}", (BATCH, 1)) for step in range(num_steps)]
    encoded = _encode(tape, num_layers, masks)
    with tape.scope("attention"):
        attention = _attention(tape, encoded)
    losses = _decode(tape, num_layers, masks, attention)
    with tape.scope("output"):
        return tape.training_graph(total_loss(tape, losses))


@dataclass(frozen=True)
class _Attention:
    """Bahdanau's, with what does not depend on the query."""

    memory: Value
    keys: Value
    query: Value
    score: Value


def _encode(tape: Tape, num_layers: int, masks: list[Value]) -> list[Value]:
    values = _embed(tape, "encoder/embedding", len(masks))
    with tape.scope("encoder/layer0/forward"):
        ahead = _layer(tape, values, masks)
    with tape.scope("encoder/layer0/backward"):
        back = _layer(tape, values[::-1], masks[::-1])[::-1]
    with tape.scope("encoder/layer0"):
        both = zip(ahead, back, strict=True)
        values = [op.concat(tape, pair, (BATCH, 2 * WIDTH)) for pair in both]
    for layer in range(1, num_layers):
        with tape.scope(f"encoder/layer{layer}"):
            made = _layer(tape, values, masks)
            is_residual = layer >= FIRST_RESIDUAL
            values = [op.add(tape, *pair) for pair in zip(made, values, strict=True)] if is_residual else made
    return values


def _layer(tape: Tape, values: list[Value], masks: list[Value]) -> list[Value]:
    weights = dense_weights(tape, values[0].shape[1] + WIDTH, 4 * WIDTH)
    state, made = lstm_start(tape, BATCH, WIDTH), []
    for step, (value, mask) in enumerate(zip(values, masks, strict=True)):
        with tape.scope(f"step{step}"):
            state = lstm_cell(tape, value, state, weights, mask=mask)
        made.append(state.hidden)
    return made


def _decode(tape: Tape, num_layers: int, masks: list[Value], attention: _Attention) -> list[Value]:
    words = _embed(tape, "decoder/embedding", len(masks))
    weights: list[Dense] = []
    states: list[LstmState] = []
    for layer in range(num_layers):
        with tape.scope(f"decoder/layer{layer}"):
            weights.append(dense_weights(tape, 3 * WIDTH, 4 * WIDTH))
            states.append(lstm_start(tape, BATCH, WIDTH))
    with tape.scope("output"):
        output = dense_weights(tape, WIDTH, VOCABULARY)
    with tape.scope("attention"):
        context = tape.state("context", (BATCH, WIDTH))
    losses = []
    for step, (x, mask) in enumerate(zip(words, masks, strict=True)):
        for layer in range(num_layers):
            with tape.scope(f"decoder/layer{layer}/step{step}"):
                joined = op.concat(tape, [x, context], (BATCH, 2 * WIDTH))
                states[layer] = lstm_cell(tape, joined, states[layer], weights[layer], mask=mask)
                hidden = states[layer].hidden
                x = op.add(tape, hidden, x) if layer >= FIRST_RESIDUAL else hidden
            if layer == 0:
                with tape.scope(f"attention/step{step}"):
                    context = _attend(tape, hidden, attention)
        with tape.scope(f"output/step{step}"):
            logits = dense(tape, x, output)
            losses.append(op.cross_entropy(tape, logits, tape.input("next_words", (BATCH,))))
    return losses


def _embed(tape: Tape, scope: str, num_steps: int) -> list[Value]:
    with tape.scope(scope):
        table = tape.parameter("table", (VOCABULARY, WIDTH))
        made = []
        for step in range(num_steps):
            with tape.scope(f"step{step}"):
                made.append(op.gather(tape, table, tape.input("words", (BATCH,))))
    return made


def _attention(tape: Tape, encoded: list[Value]) -> _Attention:
    memory = op.concat(tape, encoded, (BATCH, len(encoded), WIDTH))
    keys = op.matmul(tape, memory, tape.parameter("key_weight", (WIDTH, WIDTH)))
    query, score = tape.parameter("query_weight", (WIDTH, WIDTH)), tape.parameter("score_weight", (WIDTH, 1))
    return _Attention(memory, keys, query, score)


def _attend(tape: Tape, hidden: Value, attention: _Attention) -> Value:
    num_words = attention.memory.shape[1]
    query = op.matmul(tape, hidden, attention.query).shaped(BATCH, 1, WIDTH)
    mixed = op.activation(tape, "tanh", op.add(tape, attention.keys, query))
    scores = op.matmul(tape, mixed, attention.score).shaped(BATCH, 1, num_words)
    weights = op.softmax(tape, scores)
    return op.batch_matmul(tape, weights, attention.memory, WIDTH).shaped(BATCH, WIDTH)
