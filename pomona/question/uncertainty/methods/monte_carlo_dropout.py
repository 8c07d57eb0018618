"""Dropout that stays on when the network answers, so that every answer is another network's."""

from dataclasses import replace

import torch
from torch import nn

from pomona.fit.draws import Draws, own_dropout
from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Float, Space
from pomona.foundation.run import Run
from pomona.networks.blocks import BLOCKS
from pomona.networks.infer import infer_network
from pomona.networks.spec import Block, Spec
from pomona.question.uncertainty.methods.answering import Raw, RawHeads, answer, fitted
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"rate": 0.1, "samples": 30}
SPACE = Space({"rate": Float(0.01, 0.5, log=True)})


def monte_carlo_dropout(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The mean of `samples` answers of one network with dropout of `rate` after every block with weights."""
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    dropped = with_dropout(spec, own["rate"])
    trained = train(task, dropped, settings.fit, run=run, name=name)
    raw_heads = sampled_heads(trained.network, target, own["samples"], Draws(run.seed, name))
    say = answer(task, trained.network, raw_heads)
    return fitted([trained], dropped, say, settings, passes=own["samples"])


def with_dropout(spec: Spec, rate: float) -> Spec:
    """The network with dropout after every block that has weights, heads and what follows them left out."""
    known = infer_network(spec, BLOCKS)
    taken = set(spec.inputs) | {block.id for block in spec.blocks}
    blocks: list[Block] = []
    now_called: dict[str, str] = {}
    after_heads: set[str] = set()
    for block in spec.blocks:
        blocks.append(replace(block, sources=tuple(now_called.get(s, s) for s in block.sources)))
        if BLOCKS[block.block].role == "head" or after_heads & set(block.sources):
            after_heads.add(block.id)
        elif known[block.id].parameters and known[block.id].signal.kind in BLOCKS["dropout"].takes:
            dropout = _unused(f"{block.id}_dropout", taken)
            blocks.append(Block(dropout, "dropout", {"rate": rate}, (block.id,)))
            now_called[block.id] = dropout
    outputs = {head: now_called.get(block_id, block_id) for head, block_id in spec.outputs.items()}
    return Spec(spec.inputs, tuple(blocks), outputs)


def sampled_heads(network: nn.Module, target: str, num_samples: int, draws: Draws) -> RawHeads:
    """Answers with everything in evaluation mode but dropout: statistics of batch norms stand still."""

    def raw_heads(inputs: Tensors) -> Raw:
        network.eval()
        for part in network.modules():
            if isinstance(part, nn.modules.dropout._DropoutNd):
                part.train()
        with own_dropout(draws, "cpu"):
            samples = [network(inputs)[target] for _ in range(num_samples)]
        network.eval()
        return Raw(torch.stack(samples))

    return raw_heads


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
