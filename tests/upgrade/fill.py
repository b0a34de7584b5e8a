"""Fills a small house with the code of whatever version runs this, and writes its rows to a file: `python fill.py FILE`.

It was run once in the tree of each revision (a work tree of the last commit that had it); the files beside it are what every
later version must be able to take over. It speaks to `tests/workflows/house_of.py` alone, which all those trees have.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tallywatt.adapters.storage.migrations import HEAD, upgrade
from tallywatt.adapters.storage.tables.schema import metadata
from tests.workflows.house_of import KWH, HouseOf


def filled(folder: str) -> dict[str, Any]:
    """Sessions that are paid, held, running and lost, with all that belongs to them."""
    url = f"sqlite:///{folder}/house.db"
    upgrade(url)
    with HouseOf(url) as house:
        house.furnish()
        house.keep_a_card()
        wire = house.wire()
        for _ in range(2):
            wire.charge(8 * KWH)
            house.collect()
        wire.charge(3 * KWH, token="NOBODY", evse=2)
        wire.start(meter=16 * KWH)
        house.later(20)
        wire.start(meter=5 * KWH, evse=2)
        wire.stop(999_999, KWH)
        assert house.adds_up()["invoices"] == 2
        reader = house.reader
        rows = {table.name: _rows(reader, table) for table in metadata.sorted_tables}
    return {"revision": HEAD, "tables": {name: found for name, found in rows.items() if found["rows"]}}


def _rows(reader: Any, table: Any) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    found = reader.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY rowid')
    return {"columns": names, "rows": [[_plain(value) for value in row] for row in found]}


def _plain(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        told = filled(made)
    Path(sys.argv[1]).write_text(json.dumps(told, separators=(",", ":")) + "\n", encoding="utf-8")
