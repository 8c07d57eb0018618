"""What comes out of a block, found by running it on the meta device, where nothing is computed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import filled
from pomona.networks.block_kind import BlockKind
from pomona.networks.signal import MASKED_KINDS, Signal
from pomona.nn import masks
from pomona.nn.scale import Scale

GATE = "residual"
"""An argument of every block: y = x + gate · block(x), with a gate that starts at zero."""

EXAMPLES = 2


class Gated(nn.Module):
    """x + gate · inner(x): the identity until the gate, which starts at zero, has learned otherwise."""

    def __init__(self, inner: nn.Module, signal: Signal):
        super().__init__()
        self.inner = inner
        self.gate = Scale(signal.width, is_image=signal.kind == "image")
        self._takes_mask = masks.takes_mask(inner)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + self.gate(self.inner(x, mask) if self._takes_mask else self.inner(x))


def construct(
    kind: BlockKind, signals: tuple[Signal, ...], args: Mapping[str, Any], blocks: Mapping
) -> nn.Module:
    """The block's module, with the weights that its constructor gives it. Raises SpecError for wrong arguments."""
    args = dict(args)
    is_gated = args.pop(GATE, False)
    values = filled(kind.build, args)
    for signal in signals:
        if signal.kind not in kind.takes:
            raise SpecError(f"takes {' or '.join(kind.takes)}, got {signal}")
    if kind.role != "join" and len(signals) != 1:
        raise SpecError(f"reads one block, got {len(signals)}")
    injected = {"blocks": blocks} if "blocks" in kind.build.__code__.co_varnames else {}
    module = kind.build(signals if kind.role == "join" else signals[0], **values, **injected)
    return Gated(module, signals[0]) if is_gated else module


def infer(kind: BlockKind, signals: tuple[Signal, ...], args: Mapping[str, Any], blocks: Mapping) -> Signal:
    """The signal that leaves a block. Raises SpecError when the block does not fit what it reads."""
    with torch.device("meta"):
        module = construct(kind, signals, args, blocks)
        out = _run(module, signals)
    result = _signal(out, signals)
    if args.get(GATE) and result.shape != signals[0].shape:
        raise SpecError(f"{GATE} needs a block that keeps the shape; {signals[0]} becomes {result}")
    return result


def _run(module: nn.Module, signals: tuple[Signal, ...]) -> Tensor:
    inputs = [example(signal, "meta") for signal in signals]
    has_mask = masks.takes_mask(module) and any(signal.variable for signal in signals)
    extra = (
        {"mask": torch.ones(EXAMPLES, signals[0].shape[0], dtype=torch.bool, device="meta")}
        if has_mask
        else {}
    )
    with torch.no_grad():
        return module(*inputs, **extra)


def example(signal: Signal, device: str = "cpu") -> Tensor:
    """A tensor of zeros that the signal allows."""
    dtype = torch.int64 if signal.kind == "tokens" else torch.get_default_dtype()
    return torch.zeros(EXAMPLES, *signal.shape, dtype=dtype, device=device)


def _signal(out: Tensor, signals: tuple[Signal, ...]) -> Signal:
    if not isinstance(out, Tensor) or len(out) != EXAMPLES:
        raise SpecError("must give one tensor with the batch as its first axis")
    shape = tuple(out.shape[1:])
    kinds = {0: "vector", 1: "vector", 2: "series", 3: "image"}
    if len(shape) not in kinds:
        raise SpecError(f"gives {len(shape)} axes an example; an image has 3, a series 2, a vector 1")
    kind = signals[0].kind if shape == signals[0].shape and out.is_floating_point() else kinds[len(shape)]
    is_variable = any(signal.variable for signal in signals) and kind in MASKED_KINDS
    return Signal(kind, shape, variable=is_variable, rate=signals[0].rate if kind == "audio" else None)  # type: ignore[arg-type]
