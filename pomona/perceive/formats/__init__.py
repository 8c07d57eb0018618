"""Landmarks to files and back: Parquet, JSON lines, COCO-WholeBody, OpenPose and BVH."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "ParquetWriter": "parquet",
        "read_parquet": "parquet",
        "write_parquet": "parquet",
    },
)
