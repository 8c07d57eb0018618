"""What comes out of a block, found by running it on the meta device, where nothing is computed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from pomona.foundation.errors import InputError, SpecError, unknown_name
from pomona.networks.arguments import wants_blocks
from pomona.networks.block_kind import BlockKind
from pomona.networks.construct import GATE, Gated, construct
from pomona.networks.operations import FLOPS, STEPS, counted
from pomona.networks.signal import MASKED_KINDS, Signal, signal_of
from pomona.networks.spec import Block, Spec
from pomona.nn import masks
from pomona.tasks.feature import Feature

# a block that needs several examples, such as a normalisation of single values, is not one of ours
EXAMPLES = 1


@dataclass(frozen=True)
class Inferred:
    """The signal that leaves a block, its number of weights, and for one example its operations and how many
    steps of recurrences wait for one another."""

    signal: Signal
    parameters: int
    flops: int
    recurrent_steps: int


def infer_network(spec: Spec, blocks: Mapping[str, BlockKind]) -> dict[str, Inferred]:
    """Id of a block or name of an input → what is there. Raises SpecError, naming the block."""
    known = {name: Inferred(_entering(name, feature), 0, 0, 0) for name, feature in spec.inputs.items()}
    for block in spec.blocks:
        known[block.id] = infer_block(block, tuple(known[source].signal for source in block.sources), blocks)
    return known


def _entering(name: str, feature: Feature) -> Signal:
    try:
        return signal_of(feature)
    except (TypeError, ValueError) as error:
        raise SpecError(f"input {name!r}: {error}") from error


def infer_block(block: Block, sources: tuple[Signal, ...], blocks: Mapping[str, BlockKind]) -> Inferred:
    """What leaves `block` when it reads `sources`. Raises SpecError, naming the block."""
    with naming(block, sources):
        kind = block_named(block, blocks)
        if wants_blocks(kind.build):
            return _infer(kind, sources, block.args, blocks)
        return _infer_cached(kind, sources, json.dumps(dict(block.args), sort_keys=True))


@contextmanager
def naming(block: Block, sources: tuple[Signal, ...] = ()) -> Iterator[None]:
    """Turns errors inside into SpecErrors that name the block."""
    try:
        yield
    except InputError as error:
        raise SpecError(f"block {block.id!r} ({block.block}): {error}") from error
    except Exception as error:
        # torch and users' code raise anything when shapes do not fit
        shapes = ", ".join(map(str, sources))
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise SpecError(f"block {block.id!r} ({block.block}) does not fit {shapes}: {reason}") from error


def block_named(block: Block, blocks: Mapping[str, BlockKind]) -> BlockKind:
    """The kind that `block` names. Raises SettingError, with near names, when there is none."""
    if block.block not in blocks:
        raise unknown_name("block", block.block, blocks)
    return blocks[block.block]


@lru_cache(maxsize=10_000)
def _infer_cached(kind: BlockKind, sources: tuple[Signal, ...], args: str) -> Inferred:
    return _infer(kind, sources, json.loads(args), {})


def _infer(
    kind: BlockKind, sources: tuple[Signal, ...], args: Mapping[str, Any], blocks: Mapping[str, BlockKind]
) -> Inferred:
    with torch.device("meta"), torch.no_grad():
        # evaluation: what a norm over the batch needs more than one value for is training only
        module = construct(kind, sources, args, blocks).eval()
        inner = module.inner if isinstance(module, Gated) else module
        inputs = [example(source) for source in sources]
        mask = _mask(sources) if masks.takes_mask(inner) else None
        with counted(inner, FLOPS) as operations, counted(inner, STEPS) as steps:
            out = inner(*inputs) if mask is None else inner(*inputs, mask=mask)
    signal = _signal(out, sources)
    if isinstance(module, Gated) and signal.shape != sources[0].shape:
        raise SpecError(
            f"{GATE!r} is for blocks that keep the shape; this one makes {signal} of {sources[0]}"
        )
    _check_length(inner, sources, signal)
    return Inferred(signal, sum(p.numel() for p in module.parameters()), sum(operations), sum(steps))


def example(signal: Signal, num_examples: int = EXAMPLES) -> Tensor:
    """Zeros that the signal allows, on the current device."""
    dtype = torch.int64 if signal.kind == "tokens" else torch.get_default_dtype()
    return torch.zeros(num_examples, *signal.shape, dtype=dtype)


def _mask(sources: tuple[Signal, ...]) -> Tensor | None:
    for source in sources:
        if source.variable:
            return torch.ones(EXAMPLES, source.shape[0], dtype=torch.bool)
    return None


def _signal(out: Tensor, sources: tuple[Signal, ...]) -> Signal:
    if not isinstance(out, Tensor) or out.ndim == 0 or out.shape[0] != EXAMPLES:
        raise SpecError("a block gives one tensor with the batch as its first axis")
    first, shape = sources[0], tuple(out.shape[1:])
    kinds = ("vector", "vector", "series", "image")
    if len(shape) >= len(kinds):
        raise SpecError(f"gives {len(shape)} axes an example; an image has 3, a series 2, a vector 1")
    is_tokens = not out.is_floating_point()
    kind = (
        "tokens"
        if is_tokens
        else first.kind
        if shape == first.shape and first.kind != "tokens"
        else kinds[len(shape)]
    )
    is_variable = kind in MASKED_KINDS and any(source.variable for source in sources)
    return Signal(
        kind,  # type: ignore[arg-type]
        shape,
        num_tokens=first.num_tokens if is_tokens else None,
        rate=first.rate if kind == "audio" else None,
        variable=is_variable,
    )


def _check_length(module: nn.Module, sources: tuple[Signal, ...], signal: Signal) -> None:
    """A block that changes the length of a series with a mask must say what becomes of the mask."""
    variable = [source for source in sources if source.variable]
    if not signal.variable or not variable:
        return
    with torch.device("meta"):
        mask = masks.mask_after(module, _mask(sources))
    if mask is not None and mask.shape[1] != signal.shape[0]:
        raise SpecError(
            f"makes {signal.shape[0]} steps of {variable[0].shape[0]} but its mask has {mask.shape[1]}: "
            "give the module a method mask_after(mask)"
        )
