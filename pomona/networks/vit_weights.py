"""A checkpoint of a vision transformer as a network of ours, as it was or made ready for another task."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pomona.foundation.errors import SpecError
from pomona.networks.build import build
from pomona.networks.compose import compose
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec
from pomona.networks.vit import grid_of, vit_body
from pomona.networks.vit_checkpoint import VitCheckpoint
from pomona.nn.position_grid import resized_positions
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

IMAGE, CLASS, FEATURES = "image", "class", "features"
"""Names of the input, of the head, and of the output where there is no head."""


def whole_network(checkpoint: VitCheckpoint) -> tuple[Spec, dict[str, Tensor]]:
    """The network as it was saved, its input `image` and its output `class`, or `features` without a head."""
    feature = Feature(IMAGE, "image", (checkpoint.channels, *checkpoint.image_size))
    signal = Signal("image", feature.shape)
    blocks = vit_body(signal, IMAGE, shape=checkpoint.shape)
    state = body_state(checkpoint, checkpoint.grid)
    if not checkpoint.classes:
        return Spec({IMAGE: feature}, tuple(blocks), {FEATURES: blocks[-1].id}), state
    blocks.append(Block("head", "head", {"shape": (len(checkpoint.classes),)}, (blocks[-1].id,)))
    return Spec({IMAGE: feature}, tuple(blocks), {CLASS: "head"}), state | _head_state(checkpoint)


def network_for_task(checkpoint: VitCheckpoint, task: Task) -> tuple[Spec, dict[str, Tensor]]:
    """The network for a task with one image as its input, and all weights to start from; its heads are zero.

    Positions are resized to the task's images (the paper fine-tunes so), kernels of colours are summed for
    grey images, and the first layer takes over the difference between how the task and how the checkpoint
    standardise pixels. The representation layer, which is for pre-training, is left out. Raises SpecError for
    tasks with other inputs.
    """
    if [feature.kind for feature in task.inputs.values()] != ["image"]:
        raise SpecError(f"a vision transformer from a folder reads one image; {task.name} has other inputs")
    (feature,) = task.inputs.values()
    signal = Signal("image", feature.shape)
    shape = replace(checkpoint.shape, representation=0)
    spec = compose(partial(vit_body, shape=shape), task)
    state = body_state(replace(checkpoint, shape=shape), grid_of(signal, shape))
    _read_pixels_as(state, checkpoint, task, signal)
    start, heads = build(spec, 0).state_dict(), set(spec.outputs.values())
    for name, tensor in start.items():
        block_id = name.split(".")[1]
        start[name] = torch.zeros_like(tensor) if block_id in heads else state.get(name, tensor)
    return spec, start


def body_state(checkpoint: VitCheckpoint, grid: tuple[int, int]) -> dict[str, Tensor]:
    """The weights of all blocks but the head, at another grid of patches if need be."""
    tensors, shape = checkpoint.tensors, checkpoint.shape
    state = _token_state(checkpoint, grid)
    for index in range(shape.depth):
        state |= _layer_state(tensors, f"blocks.{index}", f"blocks.layer{index + 1}")
    if shape.norm == "after":
        state |= _both(tensors, "fc_norm", "blocks.vector.1")
    elif "norm.weight" in tensors:
        state |= _both(tensors, "norm", "blocks.vector.0")
    if shape.representation:
        state |= _both(tensors, "pre_logits.fc", "blocks.representation.0")
    return state


def _token_state(checkpoint: VitCheckpoint, grid: tuple[int, int]) -> dict[str, Tensor]:
    tensors, shape, prefix = checkpoint.tensors, checkpoint.shape, "blocks.tokens"
    state = _both(tensors, "patch_embed.proj", f"{prefix}.patches.convolution")
    first = [
        tensors[name].reshape(-1, shape.width) for name in ("cls_token", "dist_token") if name in tensors
    ]
    registers = tensors["reg_token"].reshape(-1, shape.width) if "reg_token" in tensors else None
    if "pos_embed" in tensors:
        places = tensors["pos_embed"].reshape(-1, shape.width)
        before = len(places) - checkpoint.grid[0] * checkpoint.grid[1]
        of_first, of_registers = (
            places[: min(before, shape.class_tokens)],
            places[shape.class_tokens : before],
        )
        if len(of_first) < shape.class_tokens:
            of_first = torch.zeros(shape.class_tokens, shape.width)
        if registers is not None and len(of_registers) == len(registers):
            registers = registers + of_registers
        ours = torch.cat((of_first, places[before:]))
        ours = resized_positions(ours, shape.class_tokens, checkpoint.grid, grid)
        state[f"{prefix}.positions.embedding.weight"] = ours
    if first:
        state[f"{prefix}.class_tokens.weight"] = torch.cat(first)
    if registers is not None:
        state[f"{prefix}.registers.weight"] = registers
    return state


def _layer_state(tensors: Mapping[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    state = _both(tensors, f"{theirs}.norm1", f"{ours}.0.branch.0")
    for part in ("weight", "bias"):
        state[f"{ours}.0.branch.1.project_in.{part}"] = _queries_keys_values(tensors, theirs, part)
    state |= _both(tensors, f"{theirs}.attn.proj", f"{ours}.0.branch.1.project_out")
    state |= _both(tensors, f"{theirs}.norm2", f"{ours}.1.branch.0")
    state |= _both(tensors, f"{theirs}.mlp.fc1", f"{ours}.1.branch.1")
    state |= _both(tensors, f"{theirs}.mlp.fc2", f"{ours}.1.branch.3")
    if f"{theirs}.ls1.gamma" in tensors:
        state[f"{ours}.0.branch.3.weight"] = tensors[f"{theirs}.ls1.gamma"]
        state[f"{ours}.1.branch.5.weight"] = tensors[f"{theirs}.ls2.gamma"]
    return state


def _queries_keys_values(tensors: Mapping[str, Tensor], layer: str, part: str) -> Tensor:
    """Those of a layer, whether saved together or apart; a missing bias is zero."""
    if f"{layer}.attn.qkv.{part}" in tensors:
        return tensors[f"{layer}.attn.qkv.{part}"]
    if f"{layer}.attn.q.{part}" in tensors:
        return torch.cat([tensors[f"{layer}.attn.{name}.{part}"] for name in "qkv"])
    return torch.zeros(3 * tensors[f"{layer}.attn.proj.weight"].shape[1])


def _head_state(checkpoint: VitCheckpoint) -> dict[str, Tensor]:
    """Of two interleaved tokens the mean of both heads, or the first one's alone, as one layer."""
    state = _both(checkpoint.tensors, "head", "blocks.head.linear")
    weight, bias = state.values()
    if checkpoint.shape.class_tokens == 2 and "head_dist.weight" in checkpoint.tensors:
        other, other_bias = _both(checkpoint.tensors, "head_dist", "").values()
        weight, bias = torch.stack((weight / 2, other / 2), 2).flatten(1), (bias + other_bias) / 2
    elif checkpoint.shape.class_tokens == 2:
        weight = torch.stack((weight, torch.zeros_like(weight)), 2).flatten(1)
    return dict(zip(state, (weight, bias), strict=True))


def _read_pixels_as(state: dict[str, Tensor], checkpoint: VitCheckpoint, task: Task, signal: Signal) -> None:
    """Changes the first layer so that the task's pixels give what the checkpoint's own would give."""
    weight, bias = (f"blocks.tokens.patches.convolution.{part}" for part in ("weight", "bias"))
    mean, std = torch.tensor(checkpoint.mean), torch.tensor(checkpoint.std)
    step = next((step for step in task.preprocessing.steps if step.kind == "image"), None)
    ours = step.settings if step is not None else {"mean": [0.0], "std": [1.0]}
    our_mean, our_std = (torch.tensor(ours[name]).expand(len(mean)) for name in ("mean", "std"))
    shift = ((our_mean - mean) / std)[:, None, None]
    state[bias] = state[bias] + (state[weight] * shift).sum((1, 2, 3))
    scaled = state[weight] * (our_std / std)[:, None, None]
    channels = signal.shape[0]
    if channels == 1 < scaled.shape[1]:
        scaled = scaled.sum(1, keepdim=True)
    elif channels != scaled.shape[1]:
        raise SpecError(f"the network reads {scaled.shape[1]} channels, {task.name} has {channels}")
    state[weight] = scaled


def _both(tensors: Mapping[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    """Weight and bias of one layer under our name."""
    return {
        f"{ours}.{part}": tensors[f"{theirs}.{part}"]
        for part in ("weight", "bias")
        if f"{theirs}.{part}" in tensors
    }
