"""LSTM and GRU as one operator each while a network is exported.

torch's exporter works through every time step of a recurrent layer to find its shapes, several times over:
four seconds for two layers of 48 steps. One opaque operator in its place takes no time and becomes the same
ONNX node, whose weights need no rearranging at run time.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

# the gates in ONNX's order, by their places in torch's
_GATES = {nn.LSTM: (0, 3, 1, 2), nn.GRU: (1, 0, 2)}


def with_recurrent_operators(module: nn.Module) -> nn.Module:
    """A copy of `module` for export, whose recurrent layers cannot be run; `module` itself if it has none."""
    layers = [name for name, layer in module.named_modules() if _is_plain(layer)]
    if not layers:
        return module
    copied = copy.deepcopy(module)
    for name in layers:
        parent, _, last = name.rpartition(".")
        setattr(copied.get_submodule(parent), last, _Operator(copied.get_submodule(name)))
    return copied


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Operator → the function that writes it as ONNX, for `torch.onnx.export(custom_translation_table=…)`."""
    from onnxscript import opset20

    op: Any = opset20

    def to_lstm(x, weight, recurrence, bias, width: int):
        y, _, _ = op.LSTM(op.Transpose(x, perm=[1, 0, 2]), weight, recurrence, bias, hidden_size=width)
        return op.Transpose(op.Squeeze(y, [1]), perm=[1, 0, 2])

    def to_gru(x, weight, recurrence, bias, width: int):
        # torch applies the reset gate after the recurrent product
        y, _ = op.GRU(
            op.Transpose(x, perm=[1, 0, 2]),
            weight,
            recurrence,
            bias,
            hidden_size=width,
            linear_before_reset=1,
        )
        return op.Transpose(op.Squeeze(y, [1]), perm=[1, 0, 2])

    return {torch.ops.pomona.lstm.default: to_lstm, torch.ops.pomona.gru.default: to_gru}


class _Operator(nn.Module):
    """Stands for one layer in one direction, with its weights in ONNX's order."""

    def __init__(self, layer: Any):
        super().__init__()
        self.is_lstm = isinstance(layer, nn.LSTM)
        self.width = layer.hidden_size
        gates = _GATES[type(layer)]
        biases = [_ordered(bias, gates) for bias in (layer.bias_ih_l0, layer.bias_hh_l0)]
        self.register_buffer("weight", _ordered(layer.weight_ih_l0, gates)[None])
        self.register_buffer("recurrence", _ordered(layer.weight_hh_l0, gates)[None])
        self.register_buffer("bias", torch.cat(biases)[None])

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        operator = torch.ops.pomona.lstm if self.is_lstm else torch.ops.pomona.gru
        return operator(x, self.weight, self.recurrence, self.bias, self.width), None


def _is_plain(layer: Any) -> bool:
    return (
        type(layer) in _GATES
        and layer.num_layers == 1
        and layer.batch_first
        and layer.bias
        and not layer.bidirectional
        and not layer.proj_size
    )


def _ordered(weight: Tensor, gates: tuple[int, ...]) -> Tensor:
    parts = weight.detach().chunk(len(gates))
    return torch.cat([parts[gate] for gate in gates])


def _shape_only(x: Tensor, weight: Tensor, recurrence: Tensor, bias: Tensor, width: int) -> Tensor:
    return x.new_empty((*x.shape[:2], width))


def _never_run(x: Tensor, weight: Tensor, recurrence: Tensor, bias: Tensor, width: int) -> Tensor:
    raise NotImplementedError("this operator stands in networks that are being exported, it computes nothing")


for _name in ("lstm", "gru"):
    torch.library.custom_op(f"pomona::{_name}", _never_run, mutates_args=()).register_fake(_shape_only)
