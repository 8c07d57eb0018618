"""FLOPs of one operation of an fx graph.

Matrix products, convolutions, attention and recurrent layers count what torch.utils.flop_counter counts, two
a multiply-add; where torch has no formula for attention, its products are counted here. Light operations
follow `op_costs`.
"""

import contextlib
import warnings
from collections.abc import Iterator
from math import prod
from typing import Any

import torch
from torch.fx import Node, map_arg
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from pomona.compile.placement.op_costs import light_flops
from pomona.compile.placement.op_names import HEAVY, OP_NAMES


def node_flops(node: Node, word: str) -> float:
    """FLOPs of a node with its real shapes; `word` is the house's word for its operator."""
    if word in HEAVY or word not in OP_NAMES:
        counted = _counted(node)
        if counted == 0 and word in ("attention", "attention_backward"):
            counted = _attention_flops(node, word)
        if counted or word in HEAVY:
            return counted
    made = [_elements(one) for one in _tensors(node.meta.get("val"))]
    read = [_elements(one) for source in node.all_input_nodes for one in _tensors(source.meta.get("val"))]
    return light_flops(word, max(read, default=0), max(made, default=0), num_inputs=len(read))


@contextlib.contextmanager
def plain_kernels() -> Iterator[None]:
    """Switches off the kernels that would hide a recurrent layer's matrix products in one operator."""
    with warnings.catch_warnings():
        # torch warns of a setting for GPUs that are not there
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def _counted(node: Node) -> float:
    args, kwargs = map_arg((node.args, dict(node.kwargs)), lambda source: source.meta.get("val"))
    formula = flop_registry.get(getattr(node.target, "overloadpacket", None))
    if formula is not None:
        return float(formula(*args, **kwargs, out_val=node.meta["val"]))
    return _counted_inside(node.target, args, kwargs)


def _counted_inside(target: Any, args: Any, kwargs: Any) -> float:
    # what has no formula of its own may consist of operations that have one
    fakes = [one for one in _tensors((args, kwargs)) if isinstance(one, torch._subclasses.FakeTensor)]
    if not fakes or not callable(target):
        return 0.0
    try:
        with fakes[0].fake_mode, plain_kernels(), FlopCounterMode(display=False) as counter:
            target(*args, **kwargs)
    except (RuntimeError, TypeError, NotImplementedError):
        return 0.0
    return float(counter.get_total_flops())


def _attention_flops(node: Node, word: str) -> float:
    # forward two products, backward these again for what was not kept and four for the gradients: five in all
    at = 1 if word == "attention_backward" else 0
    query, key, value = (_tensors(source.meta["val"])[0] for source in node.all_input_nodes[at : at + 3])
    pairs = 2.0 * prod(query.shape[:-1]) * key.shape[-2]
    width, value_width = query.shape[-1], value.shape[-1]
    if word == "attention":
        return pairs * (width + value_width)
    return pairs * (3 * width + 2 * value_width)


def _tensors(value: Any) -> list[torch.Tensor]:
    return [one for one in tree_leaves(value) if isinstance(one, torch.Tensor)]


def _elements(tensor: torch.Tensor) -> int:
    return prod(int(size) for size in tensor.shape)
