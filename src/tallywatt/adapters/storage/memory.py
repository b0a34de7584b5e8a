"""What one connection knows to be in its database: a row is not read twice, and only what changed in it is written.

It belongs to the transaction: whatever was undone is forgotten, so it never says more than the database would. SQLite's one
writer may ask it instead of the database for as long as nobody else has written. On PostgreSQL it lasts for one command, and a
row that is to be held is always asked for there; whether what was seen still holds when it is written over is for the version.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

MOST_ROWS = 20_000
NOT_KEPT = {
    "jobs": "changed by statements of their own too",
    "frames": "large, and never asked for by what wrote them",
    "webhook_endpoints": "changed by statements of their own too",
    "webhook_deliveries": "as above",
    "webhook_messages": "large, and never asked for by what wrote them",
    "webhook_attempts": "as above",
    "import_parts": "large, and never asked for by what wrote them",
    "import_rows": "changed by statements of their own too",
}
"""Tables whose rows are not remembered, and why."""

Key = tuple[Any, ...]
Known = tuple[tuple[Any, ...], Any]


class Memory:
    """Rows by table, operator and key: the values of their columns, and the row that was made of them."""

    __slots__ = ("_places", "_rows", "alone", "answers")

    def __init__(self) -> None:
        self._rows: dict[Key, Known] = {}
        self._places: dict[Key, Key] = {}
        self.answers = False
        """Whether it may be asked instead of the database."""
        self.alone = False
        """Whether nobody else can write, so that every row is held."""

    def known(self, key: Key) -> Known | None:
        """A row, if it is known."""
        return self._rows.get(key)

    def keep(self, key: Key, values: tuple[Any, ...], row: Any) -> None:
        """Remember a row as it was read, or as it was just written. Rows are frozen: the same one may be handed out again."""
        if len(self._rows) >= MOST_ROWS:
            self.forget()
        self._rows[key] = (values, row)

    def key_at(self, place: Key) -> Key | None:
        """The key of the row that had these values of a natural key."""
        return self._places.get(place)

    def keep_place(self, place: Key, key: Key) -> None:
        """Remember which row has these values of a natural key."""
        self._places[place] = key

    def forget(self) -> None:
        """Know nothing: what was written may have been undone, or somebody else may have written."""
        self._rows.clear()
        self._places.clear()


def plain(value: Any) -> Any:
    """A value as columns hold it: drivers have opinions of their own about enums and booleans."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if isinstance(value, Enum):
        return value.value
    return int(value) if isinstance(value, bool) else value
