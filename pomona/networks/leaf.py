"""Networks on learned filterbanks, and the filters of others' LEAF checkpoints."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from pomona.foundation.errors import DataError, unknown_name
from pomona.networks.bodies import BODIES
from pomona.networks.compose import compose
from pomona.networks.spec import Block, Spec
from pomona.nn.filterbanks import ModulusBank
from pomona.nn.front_end import FrontEnd
from pomona.nn.front_ends import FRONT_ENDS
from pomona.nn.gabor import GaborFilters
from pomona.tasks.task import Task


def listening(kind: str, task: Task) -> Spec:
    """The default network for `task` with another front end in the place of its log-mel spectrogram.

    A network without a waveform among its inputs stays the default one.
    """
    return with_front_end(compose(BODIES["default"], task), kind)


def with_front_end(spec: Spec, kind: str) -> Spec:
    """`spec` with this front end wherever it has one: a drop-in, all have the same shape.

    Raises SettingError for an unknown front end.
    """
    if kind not in FRONT_ENDS:
        raise unknown_name("front end", kind, FRONT_ENDS)
    return replace(spec, blocks=tuple(_replaced(block, kind) for block in spec.blocks))


def _replaced(block: Block, kind: str) -> Block:
    count = {"melspectrogram": "bands", "leaf": "filters", "front_end": "filters"}.get(block.block)
    if count is None:
        return block
    args = {name: block.args[name] for name in ("window_ms", "hop_ms", "residual") if name in block.args}
    args |= {"filters": block.args[count]} if count in block.args else {}
    if kind == "leaf":
        return Block(block.id, "leaf", args, block.sources)
    return Block(block.id, "front_end", {"kind": kind, **args}, block.sources)


ENDINGS = {
    "filters": ("kernel", "_kernel"),
    "windows": ("pooling.weights",),
    "alpha": ("alpha",),
    "delta": ("delta",),
    "root": ("root",),
    "smooth": ("ema._weights",),
}
"""What LEAF learns → how its name ends in the checkpoints of speechbrain and of leaf-pytorch."""


@torch.no_grad()
def load_leaf(front_end: FrontEnd, weights: Mapping[str, Tensor]) -> None:
    """Takes over the filters, windows and constants of a trained LEAF.

    `weights` are those of speechbrain's Leaf or leaf-pytorch, by their names there, as from safetensors'
    load_file; names may have any beginning. Its output is that of a `faithful` front end. Raises DataError
    when something is missing, of another size, or a bias of pooled energies, which LEAF has not, is not 0.
    """
    found = {name: _ending(weights, endings) for name, endings in ENDINGS.items()}
    for name, value in weights.items():
        if name.endswith("pooling._bias") and bool(value.any()):
            raise DataError(f"{name} is not 0: LEAF adds nothing to pooled energies; retrain without it")
    bank: ModulusBank = front_end.bank  # type: ignore[assignment]
    pcen, kernel = front_end.compression, found.pop("filters").reshape(-1, 2)
    filters: GaborFilters = bank.filters  # type: ignore[assignment]
    _check_size(kernel[:, 0], filters.start_centers)
    filters.place(kernel[:, 0], kernel[:, 1])
    for name, values in found.items():
        owner = bank.windows if name == "windows" else pcen
        scale, start = ("width", "start") if name == "windows" else (name, f"start_{name}")
        _check_size(values, getattr(owner, start))
        # weights are relative to the start
        getattr(owner, scale).weight.copy_(
            values.reshape(-1).to(filters.start_centers) / getattr(owner, start)
        )


def _check_size(values: Tensor, start: Tensor) -> None:
    if values.numel() not in (1, start.numel()):
        raise DataError(f"the checkpoint has {values.numel()} filters, the front end {start.numel()}")


def _ending(weights: Mapping[str, Tensor], endings: tuple[str, ...]) -> Tensor:
    names = [name for name in weights if name.endswith(endings)]
    if len(names) != 1:
        raise DataError(f"expected one weight that ends in {' or '.join(endings)}, got {names or 'none'}")
    return weights[names[0]]
