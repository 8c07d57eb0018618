"""`listops`: the value of a nested list of operations on digits (Nangia and Bowman 2018).

As in the Long Range Arena (Tay et al. 2020): minimum, maximum, median and sum modulo 10 of up to ten
arguments, up to ten deep. Expressions are drawn anew, longer than half of `time`.
"""

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.token_arrays import index_classes, split_sizes, task_of_tokens
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.task import Task

OPERATORS = ("[MIN", "[MAX", "[MED", "[SM")
VOCABULARY = ("<pad>", *map(str, range(10)), *OPERATORS, "]")
MAX_ARGUMENTS, MAX_DEPTH = 10, 10
LEAST_LIST = 4
"""Tokens of the shortest list; less room is a digit's."""


def make(*, seed: int = 0, num_train: int = 1000, time: int = 512) -> Task:
    """The task with `num_train` training expressions of up to `time` tokens, a fifth as many elsewhere.

    The Long Range Arena has 96,000 of 500 to 2,000 tokens: num_train=96_000, time=2_000.
    """
    splits = {
        split: draw_expressions(stream(seed, "listops", split), count, time)
        for split, count in split_sizes(num_train).items()
    }
    return task_of_tokens(
        "listops",
        "classify",
        splits,
        Feature("expression", "tokens", (time,), num_tokens=len(VOCABULARY), variable=True),
        Feature("value", "category", (), classes=index_classes(10)),
        about="the value of a nested list of operations on digits (procedural)",
    )


def draw_expressions(generator: np.random.Generator, num_examples: int, time: int) -> Batch:
    """Ids of the tokens, the mask of real ones, and the value of each expression."""
    id_of = {token: index for index, token in enumerate(VOCABULARY)}
    ids = np.zeros((num_examples, time), np.int64)
    values = np.zeros(num_examples, np.int64)
    for row in range(num_examples):
        tokens: list[str] = []
        while not time // 2 <= len(tokens) <= time:
            tokens = []
            values[row] = _draw(generator, tokens, int(generator.integers(time * 3 // 4, time + 1)), 1)
        ids[row, : len(tokens)] = [id_of[token] for token in tokens]
    return {"expression": ids, mask_key("expression"): ids != 0, "value": values}


def value_of(expression: str) -> int:
    """The value of a written expression.

    >>> value_of("[MAX 2 9 [MIN 4 7 ] 0 ]")
    9
    """
    lists: list[tuple[str, list[int]]] = [("", [])]
    for token in expression.split():
        if token in OPERATORS:
            lists.append((token, []))
        elif token == "]":
            operator, arguments = lists.pop()
            lists[-1][1].append(_applied(operator, arguments))
        else:
            lists[-1][1].append(int(token))
    return lists[0][1][0]


def _draw(generator: np.random.Generator, tokens: list[str], room: int, depth: int) -> int:
    """Appends a list of at most `room` tokens, at least four; its value."""
    operator = OPERATORS[generator.integers(len(OPERATORS))]
    tokens.append(operator)
    num_arguments = int(generator.integers(2, MAX_ARGUMENTS + 1))
    if room > 2 * MAX_ARGUMENTS and depth < MAX_DEPTH:
        shares = generator.dirichlet(np.ones(num_arguments))
        rooms = np.maximum((shares * (room - 2 - num_arguments)).astype(int), 1)
    else:
        rooms = np.ones(min(MAX_ARGUMENTS, room - 2), int)
    digits = generator.integers(0, 10, len(rooms)).tolist()
    arguments = []
    for digit, inner in zip(digits, rooms.tolist(), strict=True):
        if inner < LEAST_LIST:
            tokens.append(str(digit))
            arguments.append(digit)
        else:
            arguments.append(_draw(generator, tokens, inner, depth + 1))
    tokens.append("]")
    return _applied(operator, arguments)


def _applied(operator: str, arguments: list[int]) -> int:
    if operator == "[SM":
        return sum(arguments) % 10
    if operator == "[MED":
        return int(np.median(arguments))
    return min(arguments) if operator == "[MIN" else max(arguments)
