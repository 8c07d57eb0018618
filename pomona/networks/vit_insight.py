"""What a vision transformer has learned, as arrays: the pictures of Dosovitskiy et al. 2020.

Functions on attention take maps as `attention_maps` gives them, one a layer: (batch, head, query, key).
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.attention import SelfAttention
from pomona.nn.image_tokens import ImageTokens

NUM_FILTERS = 28
"""Principal components of the first filters that the paper shows."""


def tokens_of(network: nn.Module) -> ImageTokens | None:
    """The layer that makes tokens of an image, the first one; None where there is none."""
    return next((part for part in network.modules() if isinstance(part, ImageTokens)), None)


@torch.inference_mode()
def attention_maps(network: nn.Module, inputs: Mapping[str, Tensor]) -> list[Float[np.ndarray, "..."]]:
    """The attention of every layer that reads the image's tokens, in the order of computation."""
    tokens = tokens_of(network)
    if tokens is None:
        return []
    maps: list[np.ndarray] = []
    count = tokens.grid[0] * tokens.grid[1] + num_first(tokens)

    def keep(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, SelfAttention)
        if args[0].shape[1] == count:
            maps.append(layer.weights(*args).float().cpu().numpy())

    layers = [part for part in network.modules() if type(part) is SelfAttention]
    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    was_training = network.training
    network.eval()
    try:
        network(inputs)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return maps


def num_first(tokens: ImageTokens) -> int:
    """How many tokens stand before those of patches."""
    return tokens.num_class_tokens + tokens.num_registers


def position_similarity(tokens: ImageTokens) -> Float[np.ndarray, "row column other_row other_column"]:
    """The cosine of every patch's position with every other one's."""
    assert tokens.positions is not None
    assert tokens.positions.embedding is not None
    places = tokens.positions.embedding.weight.detach().float().cpu().numpy()[tokens.num_class_tokens :]
    places = places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-12)
    return (places @ places.T).reshape(*tokens.grid, *tokens.grid)


def row_column_similarity(
    similarity: Float[np.ndarray, "row column other_row other_column"],
) -> tuple[float, float]:
    """The mean cosine with patches of the same row or column, and with all others; itself in neither."""
    rows, columns = similarity.shape[:2]
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    same_row = row[:, :, None, None] == row[None, None]
    same_column = column[:, :, None, None] == column[None, None]
    return _mean(similarity, same_row ^ same_column), _mean(similarity, ~same_row & ~same_column)


def share_of_shuffles(
    similarity: Float[np.ndarray, "row column other_row other_column"],
    *,
    generator: np.random.Generator,
    num_shuffles: int = 400,
) -> float:
    """How many of the grids whose patches are shuffled tell rows and columns from others at least as well.

    Small when positions know their row or column, about a half when they do not; the grid itself counts.
    """
    grid, count = similarity.shape[:2], similarity.shape[0] * similarity.shape[1]
    flat = similarity.reshape(count, count)

    def contrast(order: np.ndarray) -> float:
        related, others = row_column_similarity(flat[order][:, order].reshape(*grid, *grid))
        return related - others

    found = contrast(np.arange(count))
    reached = sum(contrast(generator.permutation(count)) >= found for _ in range(num_shuffles))
    return (1 + reached) / (1 + num_shuffles)


def attention_distance(
    maps: list[Float[np.ndarray, "batch head query key"]], grid: tuple[int, int], patch: int, first: int
) -> Float[np.ndarray, "layer head"]:
    """How many pixels lie, on average, between a patch and what it reads of other patches and itself.

    The mean over queries and images of distances weighted by attention, which is made to sum to 1 over
    patches; the `first` tokens do not count.
    """
    places = patch * np.stack(np.meshgrid(*map(np.arange, grid), indexing="ij"), -1).reshape(-1, 2)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    means = []
    for weights in maps:
        between = weights[:, :, first:, first:]
        between = between / np.maximum(between.sum(3, keepdims=True), 1e-12)
        means.append((between * distances).sum(3).mean((0, 2)))
    return np.array(means)


def attention_rollout(
    maps: list[Float[np.ndarray, "batch head query key"]], grid: tuple[int, int], *, first: int, classes: int
) -> Float[np.ndarray, "batch row column"]:
    """How much of every patch reaches what the head reads, all layers together; sums to 1 for every image.

    Heads are averaged, half of every layer passes by it: the product of (A + I) / 2 (Abnar and Zuidema 2020).
    What is read is the class tokens, or without them all patches.
    """
    total = np.eye(maps[0].shape[2])
    for weights in maps:
        mixed = 0.5 * weights.mean(1) + 0.5 * np.eye(weights.shape[2])
        total = mixed @ total
    read = total[:, :classes] if classes else total[:, first:]
    patches = read.mean(1)[:, first:]
    patches = patches / np.maximum(patches.sum(1, keepdims=True), 1e-12)
    return patches.reshape(-1, *grid)


def first_filters(
    tokens: ImageTokens, count: int = NUM_FILTERS
) -> tuple[Float[np.ndarray, "filter channel height width"], Float[np.ndarray, " filter"]]:
    """Principal components of the filters that embed patches, and the share of their variance in each."""
    weight = tokens.patches.convolution.weight.detach().float().cpu().numpy()
    flat = weight.reshape(len(weight), -1)
    _, strengths, components = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    shares = strengths**2 / max(float((strengths**2).sum()), 1e-12)
    return components[:count].reshape(-1, *weight.shape[1:]), shares[:count]


def _mean(values: np.ndarray, chosen: np.ndarray) -> float:
    return float(values[chosen].mean()) if chosen.any() else np.nan
