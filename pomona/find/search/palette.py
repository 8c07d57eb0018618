"""What a search may build with: the kinds of blocks it may use, and their arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.foundation.errors import SettingError, SpecError, unknown_name
from pomona.networks.arguments import wants_blocks
from pomona.networks.block_kind import BlockKind, Role
from pomona.networks.construct import GATE, arguments
from pomona.networks.shapes import signal_after
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

RARITY = 0.15


@dataclass(frozen=True)
class Palette:
    """All kinds of blocks there are, and the names of those that may be added to a network.

    With `is_causal` no step of a series may see a later one: blocks are added as their kind says how, and
    those that cannot be causal are not added.
    """

    blocks: Mapping[str, BlockKind]
    allowed: tuple[str, ...]
    is_causal: bool = False

    def kinds_for(self, signal: Signal, role: Role = "body") -> list[str]:
        """Names of the allowed kinds that read such a signal."""
        fitting = [(name, self.blocks[name]) for name in self.allowed]
        return [
            name
            for name, kind in fitting
            if kind.role == role
            and signal.kind in kind.takes
            and (not self.is_causal or kind.causal is not None)
            and not wants_blocks(kind.build)
        ]

    def draw_kind(
        self, signal: Signal, generator: np.random.Generator, *, role: Role = "body", but: str = ""
    ) -> str | None:
        """A kind, other than `but`, that reads such a signal; None when there is none.

        Blocks without a width, such as poolings and normalisations, come up less often: they add little.
        """
        kinds = [name for name in self.kinds_for(signal, role) if name != but]
        if not kinds:
            return None
        weights = np.array([1.0 if self.blocks[name].widens else RARITY for name in kinds])
        return kinds[int(generator.choice(len(kinds), p=weights / weights.sum()))]

    def role(self, block: Block) -> Role:
        """What part a block plays."""
        return self.blocks[block.block].role

    def arguments(self, block: Block) -> dict[str, Any]:
        """A block's arguments, defaults filled in, without the gate."""
        return arguments(self.blocks[block.block], block.args)[1]

    def choices(self, name: str) -> dict[str, tuple[Any, ...]]:
        """What may be chosen for each argument of a kind of block."""
        kind = self.blocks[name]
        fixed = (kind.causal or {}) if self.is_causal else {}
        return {argument: options for argument, options in kind.choices.items() if argument not in fixed}

    def draw(self, name: str, generator: np.random.Generator) -> dict[str, Any]:
        """Arguments for a kind of block, each drawn evenly from its choices."""
        kind = self.blocks[name]
        fixed = dict(kind.causal or {}) if self.is_causal else {}
        return {
            argument: pick(options, generator) for argument, options in self.choices(name).items()
        } | fixed

    def gated(self, block: Block, signal: Signal) -> Block | None:
        """The block made as wide as what it reads, behind a gate; None when it cannot keep the shape.

        Such a block computes the identity until it is trained.
        """
        kind = self.blocks[block.block]
        if not kind.widens:
            return None
        keeping = {"width": signal.width, "stride": 1}
        kept = {name: value for name, value in keeping.items() if name in kind.choices}
        gated = block.with_args(**kept, **{GATE: True})
        try:
            signal_after(gated, (signal,), blocks=self.blocks)
        except SpecError:
            return None
        return gated


def make_palette(
    blocks: Mapping[str, BlockKind], allowed: tuple[str, ...] = (), *, is_causal: bool = False
) -> Palette:
    """The palette of the `allowed` kinds, all when there are none. Raises SettingError for an unknown one."""
    for name in allowed:
        if name not in blocks:
            raise unknown_name("block", name, blocks)
    if allowed and not any(blocks[name].role == "body" for name in allowed):
        raise SettingError(f"none of the allowed blocks {', '.join(allowed)} can be the body of a network")
    # heads and what adapts shapes are no matter of taste
    needed = tuple(name for name, kind in blocks.items() if kind.role in ("adapter", "join", "stem"))
    names = tuple(dict.fromkeys((*allowed, *needed))) if allowed else tuple(blocks)
    return Palette(blocks, names, is_causal)


def name_of(block: Block) -> str:
    """How a person would call a block: its kind and, where it has one, its width."""
    width = block.args.get("width")
    return f"{block.block} {width}" if width is not None else block.block


def pick(options: Any, generator: np.random.Generator) -> Any:
    """One of some options, each as likely; None when there are none."""
    return options[int(generator.integers(len(options)))] if len(options) else None
