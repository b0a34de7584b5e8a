"""`python -m tallywatt`: the command line."""

from __future__ import annotations

from tallywatt.entrypoints.cli import main

if __name__ == "__main__":
    main()
