"""Loads the server without what its parts would draw in and never use: a tenth of the start."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, cast

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


def settled() -> None:
    """All is loaded: the collector need never look at that again, only at what comes."""
    gc.freeze()
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
