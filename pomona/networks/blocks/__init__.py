"""The table of blocks: what a network may be made of.

A block is a plain function `block(signal, *, …) -> nn.Module`; its signature is its documentation. `choices`
are what a search may pick, small to large; `widens` may be doubled without changing what the network
computes.
"""

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks.audio import front_end, leaf, melspectrogram
from pomona.networks.blocks.bigbird import bigbird
from pomona.networks.blocks.bottleneck import bottleneck, standardised_convolution
from pomona.networks.blocks.cell import cell
from pomona.networks.blocks.convolution import convolution, residual
from pomona.networks.blocks.dense import dense, residual_dense
from pomona.networks.blocks.dilated import dilated
from pomona.networks.blocks.elementwise import activation, dropout, normalisation
from pomona.networks.blocks.etc import etc
from pomona.networks.blocks.heads import head, pixel_head, step_head
from pomona.networks.blocks.inverted_residual import inverted_residual, squeeze_excite
from pomona.networks.blocks.joins import add, concatenate
from pomona.networks.blocks.mobile import linear_bottleneck, mobile_convolution
from pomona.networks.blocks.nested import network
from pomona.networks.blocks.pooling import global_pool, pool, resize, upsample
from pomona.networks.blocks.recurrent import gru, lstm
from pomona.networks.blocks.shape import as_image, flatten, patches, rows, steps
from pomona.networks.blocks.tokens import embed, positions
from pomona.networks.blocks.transformer import transformer
from pomona.networks.blocks.vision import as_grid, image_tokens, token_vector
from pomona.nn.front_ends import FRONT_ENDS

CHANNELS = (16, 32, 64, 128)
FEATURES = (32, 64, 128, 256)
KERNELS = (3, 5)
RATES = (0.0, 0.1, 0.2, 0.4)
ACTIVATIONS = ("relu", "silu", "gelu")

FLAT = ("vector", "series")
GRIDS = ("image", "series")
ALL = ("image", "series", "vector")
CAUSAL = {"causal": True}

BLOCKS: dict[str, BlockKind] = {
    "dense": BlockKind(
        dense,
        FLAT,
        {"width": FEATURES, "activation": ACTIVATIONS, "norm": ("none", "layer"), "dropout": RATES},
        ("width",),
        causal={},
    ),
    "residual_dense": BlockKind(
        residual_dense,
        FLAT,
        {"expand": (1, 2, 4), "activation": ACTIVATIONS, "dropout": RATES},
        ("expand",),
        causal={},
    ),
    "convolution": BlockKind(
        convolution,
        GRIDS,
        {"width": CHANNELS, "kernel": KERNELS, "stride": (1, 2), "activation": ACTIVATIONS},
        ("width",),
        causal=CAUSAL,
    ),
    "residual": BlockKind(
        residual,
        GRIDS,
        {"width": CHANNELS, "kernel": KERNELS, "stride": (1, 2), "activation": ACTIVATIONS},
        ("width",),
        causal=CAUSAL,
    ),
    "inverted_residual": BlockKind(
        inverted_residual,
        GRIDS,
        {
            "width": CHANNELS,
            "expand": (2, 4, 6),
            "kernel": KERNELS,
            "stride": (1, 2),
            "squeeze": (False, True),
        },
        ("width", "expand"),
        causal={"causal": True, "squeeze": False},
    ),
    "bottleneck": BlockKind(bottleneck, ("image",), {"width": (64, 128, 256), "stride": (1, 2)}),
    "standardised_convolution": BlockKind(
        standardised_convolution, ("image",), {"width": CHANNELS, "kernel": KERNELS, "stride": (1, 2)}
    ),
    "mobile_convolution": BlockKind(mobile_convolution, ("image",), role="published"),
    "linear_bottleneck": BlockKind(linear_bottleneck, ("image",), role="published"),
    "squeeze_excite": BlockKind(squeeze_excite, GRIDS, {"ratio": (8, 4, 2)}),
    "dilated": BlockKind(
        dilated,
        GRIDS,
        {"width": CHANNELS, "kernel": KERNELS, "dilation": (1, 2, 4, 8)},
        ("width",),
        causal=CAUSAL,
    ),
    "cell": BlockKind(cell, ("image",), {"width": CHANNELS}, ("width",)),
    "lstm": BlockKind(
        lstm,
        ("series",),
        {"width": FEATURES, "bidirectional": (False, True)},
        ("width",),
        causal={"bidirectional": False},
    ),
    "gru": BlockKind(
        gru,
        ("series",),
        {"width": FEATURES, "bidirectional": (False, True)},
        ("width",),
        causal={"bidirectional": False},
    ),
    "transformer": BlockKind(
        transformer,
        ("series",),
        {"heads": (2, 4, 8), "head_width": (8, 16, 32), "expand": (1, 2, 4), "dropout": RATES},
        ("heads", "expand"),
        causal=CAUSAL,
    ),
    "bigbird": BlockKind(
        bigbird,
        ("series",),
        {
            "heads": (2, 4, 8),
            "head_width": (8, 16, 32),
            "expand": (1, 2, 4),
            "block_size": (16, 32, 64),
            "random_blocks": (0, 1, 3),
            "dropout": RATES,
        },
        ("expand",),
        causal=CAUSAL,
    ),
    "etc": BlockKind(
        etc,
        ("series",),
        {
            "heads": (2, 4, 8),
            "head_width": (8, 16, 32),
            "expand": (1, 2, 4),
            "radius": (4, 8, 16),
            "stretch": (8, 16, 32),
            "dropout": RATES,
        },
        ("expand",),
    ),
    "pool": BlockKind(pool, GRIDS, {"method": ("mean", "max", "strided"), "size": (2, 3)}),
    "upsample": BlockKind(upsample, GRIDS, {"size": (2, 3)}),
    "normalisation": BlockKind(normalisation, ALL, {"norm": ("layer", "group")}, causal={}),
    "dropout": BlockKind(dropout, ALL, {"rate": RATES[1:]}, causal={}),
    "activation": BlockKind(activation, ALL, {"name": ACTIVATIONS}, causal={}),
    "positions": BlockKind(positions, ("series",), {"method": ("sine", "learned")}, causal={}),
    "network": BlockKind(network, ("image", "audio", "series", "vector", "tokens")),
    "embed": BlockKind(
        embed,
        ("tokens",),
        {"width": FEATURES, "positions": ("none", "sine", "learned")},
        ("width",),
        "stem",
        causal={},
    ),
    "melspectrogram": BlockKind(melspectrogram, ("audio",), {"bands": (20, 40, 80)}, role="stem"),
    "leaf": BlockKind(leaf, ("audio",), {"filters": (20, 40, 80)}, role="stem"),
    "front_end": BlockKind(
        front_end, ("audio",), {"kind": tuple(FRONT_ENDS), "filters": (20, 40, 80)}, role="stem"
    ),
    "patches": BlockKind(patches, ("image",), {"size": (2, 4, 8), "width": FEATURES}, ("width",), "stem"),
    "image_tokens": BlockKind(
        image_tokens,
        ("image",),
        {"size": (2, 4, 8), "width": FEATURES, "class_tokens": (0, 1), "registers": (0, 4), "dropout": RATES},
        ("width",),
    ),
    "token_vector": BlockKind(token_vector, ("series",), {"method": ("first", "mean")}, role="adapter"),
    "as_grid": BlockKind(as_grid, ("series",), role="adapter"),
    "flatten": BlockKind(flatten, GRIDS, role="adapter"),
    "global_pool": BlockKind(global_pool, GRIDS, {"method": ("mean", "max", "attentive")}, role="adapter"),
    "rows": BlockKind(rows, ("image",), role="adapter"),
    "steps": BlockKind(steps, ("vector",), {"size": (1, 2, 4, 8)}, role="adapter"),
    "as_image": BlockKind(as_image, ("series",), role="adapter"),
    "resize": BlockKind(resize, GRIDS, role="adapter"),
    "add": BlockKind(add, ALL, role="join", causal={}),
    "concatenate": BlockKind(concatenate, ALL, role="join", causal={}),
    "head": BlockKind(head, ("vector",), role="head"),
    "step_head": BlockKind(step_head, ("series",), role="head", causal={}),
    "pixel_head": BlockKind(pixel_head, ("image",), role="head"),
}
