"""Threads that coverage does not measure.

Coverage traces every line, those of the libraries too, which doubles the time that
everything takes. It is wasted on code that repeats thousands of times what other tests
have measured.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def untraced() -> Iterator[None]:
    """Start threads without the trace function of coverage, where there is one."""
    trace: Any = threading.gettrace()
    nothing: Any = None
    threading.settrace(nothing)
    try:
        yield
    finally:
        threading.settrace(trace)
