"""Transformer-XL: a language model whose layers attend to the segment before (Dai et al. 2019).

Its step is unrolled over the segments of a text as that of a recurrent network is over words: each layer
reads what it made of the segment before, through which no gradient flows.
"""

from dataclasses import dataclass

from pomona.compile.placement.families import operations as op
from pomona.compile.placement.families.layers import Dense, dense, dense_weights, scaled_count, total_loss
from pomona.compile.placement.families.tape import Tape, Value
from pomona.compile.placement.graph import Graph

BATCH = 8
WIDTH = 1024
INNER_WIDTH = 4096
HEADS = 16
VOCABULARY = 32_000
SEGMENT = 128
SEGMENTS = 8


def transformer_xl(num_layers: int, *, size: float = 1.0) -> Graph:
    """A training step over 8 texts of 8 segments of 128 tokens; `size` scales the number of segments."""
    tape = Tape(f"transformer-xl-{num_layers}")
    with tape.scope("embedding"):
        table = tape.parameter("table", (VOCABULARY, WIDTH))
        positions = tape.input("positions", (2 * SEGMENT, WIDTH))
        mask = tape.input("mask", (SEGMENT, 2 * SEGMENT))
    layers, memories = [], []
    for layer in range(num_layers):
        with tape.scope(f"layer{layer}"):
            layers.append(_weights(tape))
            memories.append(tape.state("memory", (BATCH, SEGMENT, WIDTH)))
    with tape.scope("output"):
        output = dense_weights(tape, WIDTH, VOCABULARY)
    losses = []
    for segment in range(scaled_count(SEGMENTS, size)):
        with tape.scope(f"embedding/segment{segment}"):
            x = op.dropout(tape, op.gather(tape, table, tape.input("tokens", (BATCH, SEGMENT))))
        for layer in range(num_layers):
            with tape.scope(f"layer{layer}/segment{segment}"):
                memory, memories[layer] = memories[layer], x.stopped()
                x = _layer(tape, x, memory, layers[layer], positions, mask)
        with tape.scope(f"output/segment{segment}"):
            logits = dense(tape, x, output)
            losses.append(op.cross_entropy(tape, logits, tape.input("next_tokens", (BATCH, SEGMENT))))
    with tape.scope("output"):
        return tape.training_graph(total_loss(tape, losses))


@dataclass(frozen=True)
class _Weights:
    """Of one layer; the two biases are those of relative attention."""

    query: Value
    key: Value
    value: Value
    position: Value
    out: Value
    content_bias: Value
    position_bias: Value
    attention_norm: Value
    widen: Dense
    narrow: Dense
    norm: Value


def _weights(tape: Tape) -> _Weights:
    with tape.scope("widen"):
        widen = dense_weights(tape, WIDTH, INNER_WIDTH)
    with tape.scope("narrow"):
        narrow = dense_weights(tape, INNER_WIDTH, WIDTH)
    return _Weights(
        query=tape.parameter("query_weight", (WIDTH, WIDTH)),
        key=tape.parameter("key_weight", (WIDTH, WIDTH)),
        value=tape.parameter("value_weight", (WIDTH, WIDTH)),
        position=tape.parameter("position_weight", (WIDTH, WIDTH)),
        out=tape.parameter("out_weight", (WIDTH, WIDTH)),
        content_bias=tape.parameter("content_bias", (WIDTH,)),
        position_bias=tape.parameter("position_bias", (WIDTH,)),
        attention_norm=op.normalisation_weight(tape, WIDTH),
        widen=widen,
        narrow=narrow,
        norm=op.normalisation_weight(tape, WIDTH),
    )


def _layer(tape: Tape, x: Value, memory: Value, weights: _Weights, positions: Value, mask: Value) -> Value:
    attended = op.dropout(tape, _attend(tape, x, memory, weights, positions, mask))
    x = op.normalisation(tape, op.add(tape, attended, x), weights.attention_norm)
    inner = op.dropout(tape, op.activation(tape, "relu", dense(tape, x, weights.widen)))
    made = op.dropout(tape, dense(tape, inner, weights.narrow))
    return op.normalisation(tape, op.add(tape, made, x), weights.norm)


def _attend(tape: Tape, x: Value, memory: Value, weights: _Weights, positions: Value, mask: Value) -> Value:
    head = WIDTH // HEADS
    past = op.concat(tape, [memory, x], (BATCH, 2 * SEGMENT, WIDTH))
    query = op.matmul(tape, x, weights.query)
    key = op.matmul(tape, past, weights.key)
    value = op.matmul(tape, past, weights.value)
    place = op.matmul(tape, positions, weights.position)
    asked = [op.add(tape, query, bias) for bias in (weights.content_bias, weights.position_bias)]
    content, relative = (
        op.batch_matmul(tape, one.shaped(BATCH, HEADS, SEGMENT, head), other, 2 * SEGMENT)
        for one, other in zip(asked, (key, place), strict=True)
    )
    # the relative shift: a column of zeros, then the same numbers seen one place on
    padded = op.moved(tape, "pad", relative, (BATCH, HEADS, SEGMENT, 2 * SEGMENT + 1))
    shifted = op.moved(tape, "slice", padded, content.shape)
    scores = op.add(tape, op.scaled(tape, op.add(tape, content, shifted)), mask)
    chances = op.dropout(tape, op.softmax(tape, scores))
    mixed = op.batch_matmul(tape, chances, value, head).shaped(BATCH, SEGMENT, WIDTH)
    return op.matmul(tape, mixed, weights.out)
