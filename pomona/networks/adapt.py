"""Shape adapters: the blocks that turn one signal into another."""

import math

from pomona.foundation.errors import SpecError
from pomona.networks.shapes import signal_after
from pomona.networks.signal import Signal, SignalKind
from pomona.networks.spec import Block

PATHS: dict[tuple[str, str], tuple[str, ...]] = {
    ("image", "vector"): ("global_pool",),
    ("image", "series"): ("rows",),
    ("series", "vector"): ("global_pool",),
    ("series", "image"): ("as_image",),
    ("vector", "series"): ("steps",),
    ("vector", "image"): ("steps", "as_image"),
    ("tokens", "series"): ("embed",),
    ("tokens", "vector"): ("embed", "global_pool"),
    ("tokens", "image"): ("embed", "as_image"),
    ("audio", "series"): ("melspectrogram",),
    ("audio", "vector"): ("melspectrogram", "global_pool"),
    ("audio", "image"): ("melspectrogram", "as_image"),
}


def adapt(
    signal: Signal, want: SignalKind | Signal, source: str = "input", prefix: str = "adapt"
) -> list[Block]:
    """The blocks, one after another from `source`, that turn `signal` into kind or signal `want`.

    Ids are `<prefix>_<block>`. Empty when nothing is to be done. Raises SpecError when there is no way:
    nothing becomes audio or tokens, and a vector of one width only changes its width.
    """
    kind = want if isinstance(want, str) else want.kind
    if signal.kind != kind and (signal.kind, kind) not in PATHS:
        raise SpecError(f"no adapter turns {signal} into {kind}")
    blocks: list[Block] = []
    for name in PATHS.get((signal.kind, kind), ()):
        args = {"size": max(1, math.isqrt(signal.shape[0]))} if name == "steps" else {}
        signal = _append(blocks, Block(f"{prefix}_{name}", name, args, (source,)), signal)
        source = blocks[-1].id
    if isinstance(want, Signal):
        _reshape(blocks, signal, want, source, prefix)
    return blocks


def _reshape(blocks: list[Block], signal: Signal, want: Signal, source: str, prefix: str) -> None:
    sizes, wanted = _sizes(signal), _sizes(want)
    if sizes != wanted:
        signal = _append(blocks, Block(f"{prefix}_resize", "resize", {"shape": wanted}, (source,)), signal)
        source = blocks[-1].id
    if signal.kind in ("image", "series", "vector") and signal.width != want.width:
        args = {"width": want.width, "activation": "none"}
        if signal.kind == "image":
            args |= {"kernel": 1, "norm": "none"}
        block = "convolution" if signal.kind == "image" else "dense"
        _append(blocks, Block(f"{prefix}_{block}", block, args, (source,)), signal)


def _sizes(signal: Signal) -> tuple[int, ...]:
    """Height and width, or time: what a resize changes."""
    return {"image": signal.shape[1:], "series": signal.shape[:1]}.get(signal.kind, ())


def _append(blocks: list[Block], block: Block, signal: Signal) -> Signal:
    blocks.append(block)
    return signal_after(block, (signal,))
