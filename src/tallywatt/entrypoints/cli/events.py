"""Prints the page of all events: `python -m tallywatt.entrypoints.cli.events > docs/reference/events.md`."""

from __future__ import annotations

import sys

from tallywatt.partners.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
