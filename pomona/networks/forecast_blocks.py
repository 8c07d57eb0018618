"""The table of blocks that forecasting networks are made of: all others, and parts that know a horizon."""

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.blocks.forecasting import (
    beside,
    cross_attention,
    last_step,
    missing_steps,
    multi_rate,
    seasonal_repeat,
    series_patches,
    time_linear,
)

SERIES = ("series",)

FORECAST_BLOCKS: dict[str, BlockKind] = {
    **BLOCKS,
    "missing_steps": BlockKind(missing_steps, SERIES),
    "time_linear": BlockKind(time_linear, SERIES),
    "seasonal_repeat": BlockKind(seasonal_repeat, SERIES),
    "multi_rate": BlockKind(multi_rate, SERIES),
    "series_patches": BlockKind(series_patches, SERIES),
    "last_step": BlockKind(last_step, SERIES, role="adapter"),
    "beside": BlockKind(beside, ("series", "vector"), role="join"),
    "cross_attention": BlockKind(cross_attention, SERIES, role="join"),
}
"""They stand in a table of their own, since a search over other tasks has no use for them."""
