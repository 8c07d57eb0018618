"""What all models of a population say of a batch, on all threads of the run."""

import copy
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pomona.fit.evaluate import place_of
from pomona.fit.population import each, fastest, size
from pomona.fit.threads import threads_alone
from pomona.foundation.run import Run

Tensors = dict[str, Tensor]

Part = tuple[nn.Module, Tensors]
"""A network, since one holds the weights of one model at a time, and the weights of a few models."""

TIMED_EXAMPLES = 32
"""How the models are computed is chosen on so many examples: on a whole batch it would take long itself."""


@contextmanager
def asking(network: nn.Module, state: Tensors, run: Run) -> Iterator[Callable[[Tensors], Tensors]]:
    """A function from inputs to head → raw outputs (member, batch, ...), without gradients.

    `network` is in evaluation mode, and `state` its weights with `member` as their first axis. Models that
    are computed in turn are shared out among the run's threads, each of which computes alone.
    """
    parts = _parts(network, state, run.threads)
    # operations of one part, as on an accelerator, are shared out by torch
    with threads_alone(len(parts)) if len(parts) > 1 else ThreadPoolExecutor(1) as pool:
        yield lambda inputs: _said(parts, state, inputs, run, pool)


def _parts(network: nn.Module, state: Tensors, num_threads: int) -> list[Part]:
    """A part for each thread; an accelerator has one."""
    num_members = size(state)
    num_parts = min(num_threads, num_members) if place_of(network).device == "cpu" else 1
    ends = [num_members * part // num_parts for part in range(num_parts + 1)]
    return [
        (copy.deepcopy(network), {name: tensor[start:end] for name, tensor in state.items()})
        for start, end in itertools.pairwise(ends)
    ]


def _said(
    parts: list[tuple[nn.Module, Tensors]],
    state: Tensors,
    inputs: Tensors,
    run: Run,
    pool: ThreadPoolExecutor,
) -> Tensors:
    few = {name: tensor[:TIMED_EXAMPLES] for name, tensor in inputs.items()}
    network = parts[0][0]

    def choose() -> str:
        return fastest(_forward(network, few), state)

    how = run.decide("how a population is run", "scores", choose)
    if how != "loop":
        return each(_forward(network, inputs), state, how=how)

    def in_turn(part: Part) -> Tensors:
        # a thread has its own mode
        with torch.inference_mode():
            return each(_forward(part[0], inputs), part[1], how="loop")

    found = list(pool.map(in_turn, parts))
    return {head: torch.cat([part[head] for part in found]) for head in found[0]}


def _forward(network: nn.Module, inputs: Tensors) -> Callable[[Tensors], Tensors]:
    return lambda weights: functional_call(network, weights, (inputs,))
