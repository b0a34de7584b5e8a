"""The command line: `tallywatt`."""

from __future__ import annotations

from tallywatt.entrypoints.cli.program import main

__all__ = ["main"]
