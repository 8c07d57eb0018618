"""Landmarks to files and back: Parquet, JSON lines, COCO-WholeBody, OpenPose and BVH."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "FORMATS": "table",
        "ParquetWriter": "parquet",
        "convert": "table",
        "read_coco": "coco_wholebody",
        "read_json_lines": "json_lines",
        "read_openpose": "openpose",
        "read_parquet": "parquet",
        "write_bvh": "bvh",
        "write_coco": "coco_wholebody",
        "write_json_lines": "json_lines",
        "write_openpose": "openpose",
        "write_parquet": "parquet",
    },
)
