"""Memory of models that were let go."""

import ctypes
import gc
import sys


def give_back_memory() -> None:
    """Returns freed memory to the system, where the C library does not by itself (glibc).

    Models are loaded and freed on several threads, each of which glibc gives a heap of its own: without
    this, a client that changes its models a few times leaves half a gigabyte of nothing.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
