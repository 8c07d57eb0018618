"""One block's module from its kind, its arguments and what it reads."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import INJECTED, filled, wants_blocks
from pomona.networks.block_kind import BlockKind
from pomona.networks.signal import Signal
from pomona.nn import masks
from pomona.nn.scale import Scale

GATE = "residual"
"""An argument that every block has: true makes it x + gate · block(x), with a gate that starts at zero."""


def construct(
    kind: BlockKind, sources: tuple[Signal, ...], args: Mapping[str, Any], blocks: Mapping[str, BlockKind]
) -> nn.Module:
    """The block's module, with the weights that its constructor gives it.

    Raises SpecError for wrong arguments or a kind of signal that the block does not take.
    """
    is_gated, values = arguments(kind, args)
    if is_gated and kind.role == "join":
        raise SpecError(f"{GATE!r} is for blocks that read one signal; joins read several")
    for source in sources:
        if source.kind not in kind.takes:
            raise SpecError(f"takes {' or '.join(kind.takes)}, got {source}")
    if kind.role != "join" and len(sources) != 1:
        raise SpecError(f"reads one signal, got {len(sources)}; joins read several")
    injected = {INJECTED: blocks} if wants_blocks(kind.build) else {}
    module = kind.build(sources if kind.role == "join" else sources[0], **values, **injected)
    if not isinstance(module, nn.Module):
        raise SpecError(f"a block makes a torch module, got {type(module).__name__}")
    return Gated(module, sources[0]) if is_gated else module


def arguments(kind: BlockKind, args: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Whether the block is gated, and its arguments with defaults filled in. Raises SpecError."""
    is_gated = args.get(GATE, False)
    if type(is_gated) is not bool:
        raise SpecError(f"argument {GATE!r} is true or false, got {is_gated!r}")
    return is_gated, filled(kind.build, {name: value for name, value in args.items() if name != GATE})


class Gated(nn.Module):
    """x + gate · inner(x): the identity until the gate, which starts at zero, has learned otherwise."""

    def __init__(self, inner: nn.Module, signal: Signal):
        super().__init__()
        self.inner = inner
        self.gate = Scale(signal.width, is_image=signal.kind == "image")
        self._takes_mask = masks.takes_mask(inner)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x + self.gate(self.inner(x, mask=mask) if self._takes_mask else self.inner(x))
