"""Compile: how fast does a network run, and where?"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "SparseSession": "pomona.compile.sparse.session",
        "prune": "pomona.compile.pruning.command",
        "prune_network": "pomona.compile.pruning.network",
        "tflite_as_onnx": "pomona.compile.tflite.convert",
        "bench": "pomona.compile.stopwatch.command",
        "place": "pomona.compile.placement.command",
        "partition": "pomona.compile.pipeline.command",
        "Pipeline": "pomona.compile.pipeline.pipeline",
        "Placed": "pomona.compile.placement.running.placed",
        "PlacedStep": "pomona.compile.placement.running.placed_step",
        "device_map": "pomona.compile.placement.running.device_map",
        "split_points": "pomona.compile.placement.running.split_points",
        "balanced_split_points": "pomona.compile.placement.running.split_points",
    },
)
