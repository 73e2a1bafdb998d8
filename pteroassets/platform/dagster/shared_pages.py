"""Leave as few pages as possible that a forked process has to copy (decision 41)."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable

_SECONDS = 30
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # glibc's malloc.h
_CLASS = re.compile(r"^ *\d+ +(\d+) +\d+ +\d+ +(\d+)$", flags=re.MULTILINE)
"""A line of CPython's statistics of its allocator: bytes of a block, and blocks that are free."""


def settle() -> None:
    """Make what this process has loaded ready to be shared with those that are forked from it."""
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page
    occupy_gaps()
    give_back()


def keep_giving_back() -> None:
    """Give free memory back now and then for as long as this process lives, in a thread."""
    set_option = _c_library("mallopt")
    if set_option is not None:
        set_option(_ARENA_MAX, 2)
        set_option(_MMAP_THRESHOLD, 128 << 10)

    def go_on() -> None:
        while True:
            time.sleep(_SECONDS)
            give_back()

    threading.Thread(target=go_on, name="gives memory back", daemon=True).start()


def give_back() -> None:
    """Give what the C library keeps of freed memory back to the kernel, where it can."""
    trim = _c_library("malloc_trim")
    if trim is not None:
        trim(0)


def _c_library(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; there is none elsewhere."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def occupy_gaps() -> int:
    """Take what is free in pages that have something else in them, for good; return how many bytes."""
    allocate = ctypes.pythonapi.PyObject_Malloc
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_void_p
    taken = 0
    for size, number in free_blocks():
        for _ in range(number):
            allocate(size)
        taken += size * number
    return taken


def free_blocks() -> list[tuple[int, int]]:
    """Return how many blocks are free in pages in use, by their bytes."""
    show = getattr(sys, "_debugmallocstats", None)
    if show is None:
        return []
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as told:
        os.dup2(told.fileno(), 2)
        try:
            show()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        told.seek(0)
        return [(int(size), int(number)) for size, number in _CLASS.findall(told.read().decode())]
