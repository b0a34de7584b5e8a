"""Run all benchmarks, or those that are named: `python -m benchmarks start statements`.

A benchmark is a module beside this one with a function `measure() -> list[Figure]`. Over budget is exit code 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from benchmarks.figure import Figure

WIDE = 140
"""Columns for a file or a build log, which have no width of their own."""

NOT_BENCHMARKS = {"__init__", "__main__", "figure", "filling", "ocpp_load", "page_viewers"}
BY_NAME_ONLY = {"growth"}
"""Those that take many minutes."""


def names() -> list[str]:
    """The benchmarks that there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def main() -> int:
    """Measure, print, and say whether every budget was kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of {', '.join(names())}; without one, all but {', '.join(BY_NAME_ONLY)}",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    wanted = parser.parse_args()
    figures: list[Figure] = []
    for name in wanted.names or [one for one in names() if one not in BY_NAME_ONLY]:
        if not wanted.json:
            Console(stderr=True).print(f"measuring {name} ...", style="dim")
        figures.extend(import_module(f"benchmarks.{name}").measure())
    if wanted.json:
        print(json.dumps([{**asdict(one), "ratio": one.ratio, "kept": one.kept} for one in figures], indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else WIDE).print(table(figures))
    return 0 if all(one.kept for one in figures) else 1


def table(figures: list[Figure]) -> Table:
    """The figures for people."""
    shown = Table("what", "measured", "budget", "instead", "takes", box=None, pad_edge=False)
    for one in figures:
        shown.add_row(
            one.what,
            f"{one.value:,.1f} {one.unit}",
            "" if one.budget is None else f"{_number(one.budget)} {one.unit} {'kept' if one.kept else 'MISSED'}",
            one.instead,
            "" if one.ratio is None else f"{one.ratio:.1f} times as much",
        )
    return shown


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


if __name__ == "__main__":
    sys.exit(main())
