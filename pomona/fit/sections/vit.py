"""What a vision transformer has learned: positions, distances of attention, filters and roll-outs."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import nn

from pomona.fit.assessment import Assessment
from pomona.fit.evaluate import place_of
from pomona.fit.feeds import to_tensors
from pomona.fit.sections.pictures import pictures
from pomona.foundation.randomness import stream
from pomona.foundation.report import (
    bars,
    matrix,
    number,
    numbers,
    scatter,
    table,
    text,
    write_section,
)
from pomona.networks import vit_insight
from pomona.nn.image_tokens import ImageTokens

ORDER = 40

NUM_IMAGES = 128
"""Test images over which attention is averaged, as in the paper."""

NUM_SHOWN = 12
MOST_PLACES = 100
"""The most patches whose similarities are also shown one by one."""


def write_vit_sections(folder: Path, network: nn.Module, assessment: Assessment) -> None:
    """Writes the sections into folder/sections; none for a network that makes no tokens of an image."""
    tokens = vit_insight.tokens_of(network)
    if tokens is None:
        return
    if tokens.positions is not None:
        write_section(folder, ORDER, "positions", "Positions", positions_section(tokens))
    write_section(folder, ORDER + 1, "filters", "First filters", filters_section(tokens))
    shown = assessment.source.read(np.arange(min(NUM_IMAGES, assessment.source.size)))
    maps = vit_insight.attention_maps(network, to_tensors(shown, assessment.task, place_of(network)))
    if not maps:
        return
    write_section(folder, ORDER + 2, "attention", "Attention distance", distance_section(maps, tokens))
    name = next(name for name, feature in assessment.task.inputs.items() if feature.kind == "image")
    examples = shown[name][:NUM_SHOWN]
    few = [layer[:NUM_SHOWN] for layer in maps]
    write_section(folder, ORDER + 3, "rollout", "Attention roll-out", rollout_section(few, tokens, examples))


def positions_section(tokens: ImageTokens) -> list[dict[str, Any]]:
    """The items of the section: the similarity of every patch's position with all, as picture and numbers."""
    similarity = vit_insight.position_similarity(tokens)
    same, other = vit_insight.row_column_similarity(similarity)
    chance = vit_insight.share_of_shuffles(similarity, generator=stream(0, "shuffled grids"))
    items = [
        numbers(
            number("cosine within a row or column", same, format="number"),
            number("cosine with the others", other, format="number"),
            number("shuffled grids that do as well", chance, format="percent"),
        ),
        pictures(
            [(coloured(tiled(similarity)), "every tile is a patch: its similarity with all patches", "")],
            smallest=360,
            caption="Cosine similarity of position embeddings, brighter is more alike.",
        ),
    ]
    rows, columns = tokens.grid
    if rows * columns <= MOST_PLACES:
        names = [f"{row + 1}.{column + 1}" for row in range(rows) for column in range(columns)]
        flat = similarity.reshape(rows * columns, -1)
        items.append(matrix(names, names, flat, "patch (row.column)", "patch", format="number"))
    return items


def filters_section(tokens: ImageTokens) -> list[dict[str, Any]]:
    """The items of the section: principal components of the first filters, and their shares of variance."""
    filters, shares = vit_insight.first_filters(tokens)
    caption = "Principal components of the filters that embed patches, strongest first."
    shown = [(f, f"{share:.1%} of variance", "") for f, share in zip(filters, shares, strict=True)]
    if filters.shape[1] in (1, 3):
        items = [pictures(shown, smallest=64, caption=caption)]
    else:
        items = [text("The filters read features of a stem, not pixels: they have no picture.")]
    named = {str(index + 1): float(share) for index, share in enumerate(shares)}
    return [*items, bars(named, "share of variance", format="percent")]


def distance_section(maps: list[np.ndarray], tokens: ImageTokens) -> list[dict[str, Any]]:
    """The items of the section: the mean attention distance of every head, by layer."""
    first, patch = vit_insight.num_first(tokens), tokens.patches.size
    distances = vit_insight.attention_distance(maps, tokens.grid, patch, first)
    points = [
        (float(layer + 1), float(value), f"layer {layer + 1}, head {head + 1}")
        for layer, heads in enumerate(distances)
        for head, value in enumerate(heads)
    ]
    columns = ["layer", *((f"head {head + 1}", "number", "px") for head in range(distances.shape[1]))]
    rows = [[layer + 1, *map(float, heads), float(heads.mean())] for layer, heads in enumerate(distances)]
    caption = f"Mean distance, in pixels that the patches read, over {len(maps[0])} test images."
    return [
        scatter(points, "layer", "mean attention distance (px)", caption=caption),
        table([*columns, ("mean", "number", "px")], rows),
    ]


def rollout_section(
    maps: list[np.ndarray], tokens: ImageTokens, examples: Float[np.ndarray, "batch channel height width"]
) -> list[dict[str, Any]]:
    """The items of the section: which patches of test images reach the head, as pictures and numbers."""
    rolled = vit_insight.attention_rollout(
        maps, tokens.grid, first=vit_insight.num_first(tokens), classes=tokens.num_class_tokens
    )
    shown, rows = [], []
    for index, (picture, share) in enumerate(zip(examples, rolled, strict=True)):
        row, column = np.unravel_index(share.argmax(), share.shape)
        shown.append((picture, f"image {index + 1}", ""))
        shown.append((lit(picture, share), f"strongest patch {row + 1}.{column + 1}", f"{share.max():.1%}"))
        spread = float(np.exp(-(share * np.log(np.maximum(share, 1e-12))).sum()))
        rows.append([index + 1, int(row) + 1, int(column) + 1, float(share.max()), spread])
    mean = rolled.mean(0)
    names = [[str(index + 1) for index in range(size)] for size in mean.shape]
    return [
        pictures(shown, caption="Test images, and beside each what of it reaches the head."),
        table(
            ["image", "row", "column", ("share", "percent"), ("patches in effect", "number")],
            rows,
            caption="The strongest patch, its share, and the number of equal patches that would spread so.",
        ),
        matrix(*names, mean, "column", "row", format="percent", caption="The mean over these images."),
    ]


def tiled(
    similarity: Float[np.ndarray, "row column other_row other_column"],
) -> Float[np.ndarray, "high wide"]:
    """A tile for every patch, a line of the lowest value between tiles."""
    low = float(similarity.min())
    framed = np.pad(similarity, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=low)
    return framed.transpose(0, 2, 1, 3).reshape(framed.shape[0] * framed.shape[2], -1)[:-1, :-1]


def coloured(values: Float[np.ndarray, "high wide"]) -> Float[np.ndarray, "3 high wide"]:
    """The values as colours from dark blue to yellow."""
    from matplotlib import colormaps

    low, high = float(values.min()), float(values.max())
    shades = colormaps["viridis"]((values - low) / max(high - low, 1e-12))
    return np.moveaxis(shades[..., :3], 2, 0)


def lit(
    picture: Float[np.ndarray, "channel height width"], share: Float[np.ndarray, "row column"]
) -> Float[np.ndarray, "channel height width"]:
    """The picture, darker where less of it reaches the head."""
    _, height, width = picture.shape
    size = -(-height // share.shape[0]), -(-width // share.shape[1])
    light = np.kron(share / share.max(), np.ones(size))[:height, :width]
    low = picture.min()
    return low + (picture - low) * (0.15 + 0.85 * light)
