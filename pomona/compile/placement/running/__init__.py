"""Plans that run: a captured module on real workers, and plans in the words of other tools."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Placed": "placed",
        "PlacedStep": "placed_step",
        "device_map": "device_map",
        "split_points": "split_points",
        "balanced_split_points": "split_points",
    },
)
