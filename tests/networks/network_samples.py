"""Every block on every kind of signal that it takes, random networks, and random inputs for them."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pomona.networks.adapt import adapt
from pomona.networks.blocks import BLOCKS
from pomona.networks.shapes import signals
from pomona.networks.signal import signal_of
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature, mask_key

FEATURES = {
    "image": Feature("x", "image", (16, 8, 9)),
    "audio": Feature("x", "audio", (1200,), rate=8000, variable=True),
    "series": Feature("x", "series", (12, 16), variable=True),
    "vector": Feature("x", "vector", (16,)),
    "tokens": Feature("x", "tokens", (12,), num_tokens=20, variable=True),
}

ARGS: dict[str, dict[str, Any]] = {
    "head": {"shape": (3, 2)},
    "step_head": {"classes": 5},
    "pixel_head": {"classes": 3, "size": (10, 11)},
    "as_grid": {"shape": (2, 3)},
    "network": {"name": "residual"},
}
"""Arguments without a default."""


def one_block(
    name: str, kind: str, args: Mapping[str, Any] | None = None, feature: Feature | None = None
) -> Spec:
    """A network of one block."""
    feature = feature or FEATURES[kind]
    args = {
        **ARGS.get(name, {}),
        **({"shape": (20,) if kind == "series" else (5, 7)} if name == "resize" else {}),
        **(args or {}),
    }
    count = 2 if BLOCKS[name].role == "join" else 1
    return Spec({"x": feature}, (Block("b", name, args, ("x",) * count),), {"y": "b"})


CASES = [(name, kind) for name, block in BLOCKS.items() for kind in block.takes]


def variants() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every block with every choice of every argument once, the others at their defaults."""
    for name, kind in CASES:
        yield name, kind, {}
        for argument, values in BLOCKS[name].choices.items():
            for value in values:
                yield name, kind, {argument: value}
        if BLOCKS[name].causal and kind != "image":
            yield name, kind, dict(BLOCKS[name].causal)


def inputs_of(
    spec: Spec, seed: int = 0, num_examples: int = 3, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    """Random inputs, with masks of unlike lengths for variable ones."""
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, feature in spec.inputs.items():
        if feature.kind in ("tokens", "category"):
            high = feature.num_tokens or len(feature.classes)
            result[name] = torch.randint(0, high, (num_examples, *feature.shape), generator=generator)
        else:
            result[name] = torch.randn(num_examples, *feature.shape, generator=generator, dtype=dtype)
        if feature.variable:
            num_steps = feature.shape[0]
            lengths = torch.linspace(num_steps, num_steps // 2, num_examples).long()
            result[mask_key(name)] = torch.arange(num_steps) < lengths[:, None]
    return result


@torch.no_grad()
def shaken(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The network with noise on every weight, so that nothing is zero any more."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return network


@functools.cache
def random_spec(seed: int) -> Spec:
    """A random network of up to 8 blocks: adapters where kinds differ, some joins, a head at the end."""
    random = np.random.default_rng(seed)
    kind = str(random.choice(list(FEATURES)))
    feature = FEATURES[kind]
    blocks: list[Block] = []
    ends = {"x": signal_of(feature)}
    bodies = [name for name, block in BLOCKS.items() if block.role in ("body", "stem") and name != "network"]
    for index in range(int(random.integers(3, 9))):
        source = str(random.choice(list(ends)[-3:]))
        name = str(random.choice(bodies))
        wanted = ends[source].kind
        if wanted not in BLOCKS[name].takes:
            candidates = [k for k in BLOCKS[name].takes if k in ("image", "series", "vector")]
            if not candidates:
                continue
            try:
                steps = adapt(ends[source], candidates[0], source, f"a{index}")  # type: ignore[arg-type]
            except ValueError:
                continue
            blocks += steps
            source = steps[-1].id
        choices = BLOCKS[name].choices
        args = {
            key: values[random.integers(len(values))]
            for key, values in choices.items()
            if random.random() < 0.5
        }
        blocks.append(Block(f"b{index}", name, args, (source,)))
        try:
            ends = signals(Spec({"x": feature}, tuple(blocks), {"y": blocks[-1].id}))
        except ValueError:
            blocks.pop()
    same = [
        (a, b) for a, b in itertools.combinations(ends, 2) if ends[a] == ends[b] and ends[a].kind != "tokens"
    ]
    if same and ends[same[-1][0]].kind in BLOCKS["add"].takes:
        blocks.append(Block("join", str(random.choice(["add", "concatenate"])), {}, same[-1]))
    if not blocks:
        return random_spec(seed + 10_000)
    last = signals(Spec({"x": feature}, tuple(blocks), {"y": blocks[-1].id}))[blocks[-1].id]
    blocks += adapt(last, "vector", blocks[-1].id, "end")
    blocks.append(Block("head", "head", {"shape": (4,)}, (blocks[-1].id,)))
    return Spec({"x": feature}, tuple(blocks), {"y": "head"})
