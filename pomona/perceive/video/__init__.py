"""Frames in: pictures, videos, folders, cameras, standard input, as upright RGB. Frames out: videos."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "VideoFrame": "frame",
        "FrameSource": "source",
        "open_frames": "opening",
        "read_picture": "picture",
        "VideoWriter": "writer",
        "join_videos": "writer",
    },
)
