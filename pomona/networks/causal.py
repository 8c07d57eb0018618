"""Which blocks of a network let a step of a series see a later one."""

from collections.abc import Mapping
from typing import Any

import torch

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.construct import arguments, construct
from pomona.networks.hashing import living
from pomona.networks.infer import block_named
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec


def looking_ahead(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> tuple[str, ...]:
    """The ids of the blocks by which a step may see a later one; none if a network can predict the next.

    Told from the `causal` arguments of the kinds of blocks; the blocks of a network as one block have their
    ids after the block's own and a slash.
    """
    known = signals(spec, blocks=blocks)
    found: list[str] = []
    for block in living(spec):
        if all(known[source].kind in ("vector", "image") for source in block.sources):
            continue
        inner = block.args.get("spec")
        if inner is not None:
            spec_inside = Spec.from_json(inner) if isinstance(inner, dict) else inner
            found += [f"{block.id}/{name}" for name in looking_ahead(spec_inside, blocks=blocks)]
        elif not _is_causal(block, blocks):
            found.append(block.id)
    return tuple(found)


def _is_causal(block: Block, blocks: Mapping[str, BlockKind]) -> bool:
    kind = block_named(block, blocks)
    if kind.causal is None:
        return False
    _, values = arguments(kind, block.args)
    return all(values[name] == value for name, value in kind.causal.items())


@torch.no_grad()
def keeps_from_ahead(kind: BlockKind, args: Mapping[str, Any], num_steps: int = 12) -> bool:
    """Whether no step of a series sees a later one, told by changing later ones.

    True for a block that reads no series. Weights are drawn at random, also those that start at zero.
    """
    if not {"series", "tokens"} & set(kind.takes):
        return True
    is_series = "series" in kind.takes
    signal = Signal("series", (num_steps, 8)) if is_series else Signal("tokens", (num_steps,), num_tokens=32)
    count = 2 if kind.role == "join" else 1
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        module = construct(kind, (signal,) * count, args, BLOCKS).eval().double()
    for parameter in module.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) / 2)
    if is_series:
        first, other = torch.randn(2, 3, *signal.shape, generator=generator, dtype=torch.float64)
    else:
        first, other = torch.randint(1, 32, (2, 3, num_steps), generator=generator)
    for change in range(1, num_steps):
        second = torch.cat((first[:, :change], other[:, change:]), 1)
        outputs = [module(*[x] * count) for x in (first, second)]
        if outputs[0].ndim != 3 or outputs[0].shape[1] != num_steps:
            return False
        if not torch.allclose(outputs[0][:, :change], outputs[1][:, :change], rtol=1e-9, atol=1e-9):
            return False
    return True
