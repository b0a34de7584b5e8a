"""Looks for card numbers wherever something can be written down: every cell of every table, and what is sealed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tallywatt.adapters.storage.tables.schema import metadata
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.store import Store

CARD = "4242424242424242"
SPELLINGS = ("4242 4242 4242 4242", "4242-4242-4242-4242", "5555555555554444", "378282246310005")
_ANY = re.compile("|".join({re.sub("[ -]", "", one) for one in (CARD, *SPELLINGS)}))
SEALED = {"frames": "frame_id", "webhook_events": "event_id", "import_rows": "line", "import_parts": "number"}
"""Tables whose rows hold something under a key, and the column that names the row."""


def found_in(text: str) -> bool:
    """Whether one of the numbers is in a text, however it is spelt."""
    return _ANY.search(re.sub("[ -]", "", text)) is not None


def card_numbers_in(store: Store) -> list[str]:
    """The places of a database that hold one of the numbers."""
    with store.reading() as connection:
        found = [*_in_cells(connection), *_in_sealed(store, connection)]
        connection.rollback()
    return found


def _in_cells(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns]
        listed = ", ".join(f'"{name}"' for name in names)
        for row in connection.execute(f'SELECT {listed} FROM "{table.name}"'):
            for name, cell in zip(names, row, strict=True):
                text = bytes(cell).decode("latin-1") if isinstance(cell, bytes | memoryview) else str(cell)
                if found_in(text):
                    yield f"{table.name}.{name}: {text[:600]}"


def _in_sealed(store: Store, connection: Connection) -> Iterator[str]:
    for table, key in SEALED.items():
        for row in connection.execute(
            f"SELECT operator_id, {key}, key_id, sealed FROM {table} WHERE key_id IS NOT NULL"
        ):
            try:
                text = store.vault.open(connection, row[0], row[2], bytes(row[3])).decode("latin-1")
            except NotFound:
                continue
            if found_in(text):
                yield f"{table} {row[1]}, sealed: {text[:300]}"
