"""Loads the server without what its parts would draw in and never use: a tenth of the start."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

NOT_THERE = cast("ModuleType", None)
"""What Python takes for "cannot be imported" in its list of modules."""


def lean() -> None:
    """Get ready to load a server. The collector stays off until `settled`: what is loaded now stays for good anyway."""
    gc.disable()
    # structlog would take rich for tracebacks with colours and values, which never go into our logs.
    with without("rich"):
        import_module("structlog")


SELDOM: Final = (10_000, 10, 10)
"""How many new objects the collector waits for. By its own measure it looks at all there are every few seconds, and with
thousands of stations nobody is answered for a quarter of a second then. Only what hangs together in circles waits for it."""


def settled() -> None:
    """All is loaded: the collector need never look at that again, only at what comes, and seldom at all of it."""
    gc.freeze()
    gc.set_threshold(*SELDOM)
    gc.enable()


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let a package seem not to be installed, if it was not loaded yet."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = NOT_THERE
    try:
        yield
    finally:
        del sys.modules[name]
