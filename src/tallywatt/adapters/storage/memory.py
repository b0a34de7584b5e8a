"""What one connection knows to be in its database: a row is not read twice, and only what changed in it is written.

It belongs to the transaction: whatever was undone is forgotten, so it never says more than the database would. SQLite's one
writer may ask it instead of the database for as long as nobody else has written. On PostgreSQL it lasts for one group: all its
commands were handed in before the first of them read anything, so none sees less than what was durable when it came. A row that
is to be held is asked for there until this transaction holds it; whether what was seen still holds when it is written over is
for the version. Rows that are never changed are kept for as long as nothing was undone.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

MOST_ROWS = 40_000
"""Of those that may change. Beyond half of it the younger half becomes the older one, of which only what is asked for again is
kept: a fleet that is at work is never forgotten as a whole."""
NOT_KEPT = {
    "jobs": "changed by statements of their own too",
    "frames": "large, and never asked for by what wrote them",
    "message_chunks": "large, and never asked for by what wrote them",
    "webhook_endpoints": "changed by statements of their own too",
    "webhook_deliveries": "as above",
    "webhook_messages": "large, and never asked for by what wrote them",
    "webhook_attempts": "as above",
    "import_parts": "large, and never asked for by what wrote them",
    "import_rows": "changed by statements of their own too",
}
"""Tables whose rows are not remembered, and why."""
LISTED = {
    "belongings",
    "coupon_uses",
    "evse_roles",
    "payment_methods",
    "provider_accounts",
    "restorations",
    "tariff_assignments",
    "tokens",
}
"""Tables of which it is remembered which rows have the same values: often asked for, seldom written."""
NEVER_CHANGED = {"offers", "policy_versions", "tariff_versions"}
"""Tables whose rows are as they were written, for ever."""

Key = tuple[Any, ...]
Known = tuple[tuple[Any, ...], Any]


class Memory:
    """Rows by table, operator and key: the values of their columns, and the row that was made of them."""

    __slots__ = (
        "_lists",
        "_noted",
        "_nowhere",
        "_older",
        "_places",
        "_rows",
        "_unchanging",
        "absent",
        "alone",
        "answers",
        "held",
    )

    def __init__(self) -> None:
        self._rows: dict[Key, Known] = {}
        self._older: dict[Key, Known] = {}
        self._unchanging: dict[Key, Known] = {}
        self._lists: dict[str, dict[Key, list[Any]]] = {}
        self.held: set[Key] = set()
        """Rows that this transaction holds: nobody else can change them before its end."""
        self.absent: set[Key] = set()
        """Keys that were asked for beforehand and that no row has."""
        self._places: dict[Key, Key] = {}
        self._noted: set[Key] = set()
        self._nowhere: dict[str, set[Key]] = {}
        self.answers = False
        """Whether it may be asked instead of the database."""
        self.alone = False
        """Whether nobody else can write, so that every row is held."""

    def known(self, key: Key) -> Known | None:
        """A row, if it is known."""
        found = self._rows.get(key)
        if found is not None:
            return found
        found = self._older.pop(key, None)
        if found is None:
            return self._unchanging.get(key)
        self._rows[key] = found
        return found

    def holds(self, key: Key) -> bool:
        """Whether nobody else can change this row at the moment."""
        return self.alone or key in self.held

    def hold(self, key: Key) -> None:
        """Remember that this transaction holds a row."""
        if not self.alone:
            self.held.add(key)

    def hold_late(self, key: Key) -> None:
        """The same of a row that was not held when the group asked beforehand: what was not there then may be there behind it.

        Whoever had it before has perhaps just written the fact that orders itself by it.
        """
        self.hold(key)
        if not self.alone:
            self.absent.clear()
            self._nowhere.clear()

    def keep(self, key: Key, values: tuple[Any, ...], row: Any) -> None:
        """Remember a row as it was read, or as it was just written. Rows are frozen: the same one may be handed out again."""
        kept = self._unchanging if key[0] in NEVER_CHANGED else self._rows
        kept[key] = (values, row)
        if len(kept) >= MOST_ROWS // 2:
            if kept is self._rows:
                self._older, self._rows = kept, {}
                self._places = {place: key for place, key in self._places.items() if key in kept}
            else:
                kept.clear()

    def first_note(self, key: Key) -> bool:
        """Whether nothing is known of this row yet; from now on it is known to be there."""
        if key in self._noted or self.known(key) is not None:
            return False
        if len(self._noted) >= MOST_ROWS:
            self._noted.clear()
        self._noted.add(key)
        return True

    def key_at(self, place: Key) -> Key | None:
        """The key of the row that had these values of a natural key."""
        return self._places.get(place)

    def keep_place(self, place: Key, key: Key) -> None:
        """Remember which row has these values of a natural key."""
        self._places[place] = key

    def listed(self, table: str, place: Key) -> list[Any] | None:
        """The rows that had these values, if they were asked for and the table was not written since."""
        return self._lists.get(table, {}).get(place)

    def keep_list(self, table: str, place: Key, rows: list[Any]) -> None:
        """Remember which rows had these values."""
        lists = self._lists.setdefault(table, {})
        if len(lists) >= MOST_ROWS:
            lists.clear()
        lists[place] = rows

    def written(self, table: str) -> None:
        """A table was written: which rows are alike in it must be asked for again."""
        if self._lists:
            self._lists.pop(table, None)
        if self._nowhere:
            self._nowhere.pop(table, None)

    def keep_nowhere(self, table: str, place: Key) -> None:
        """Remember that no row had these values of a natural key."""
        self._nowhere.setdefault(table, set()).add(place)

    def nowhere(self, table: str, place: Key) -> bool:
        """Whether no row had these values, and the table was not written since."""
        return place in self._nowhere.get(table, ())

    def forget(self) -> None:
        """Know nothing: what was written may have been undone."""
        self.forget_changeable()
        self._unchanging.clear()

    def forget_changeable(self) -> None:
        """Know nothing that somebody else may have changed."""
        self._rows.clear()
        self._older.clear()
        self._places.clear()
        self._noted.clear()
        self._nowhere.clear()
        self._lists.clear()
        self.held.clear()
        self.absent.clear()


def plain(value: Any) -> Any:
    """A value as columns hold it: drivers have opinions of their own about enums and booleans."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if isinstance(value, Enum):
        return value.value
    return int(value) if isinstance(value, bool) else value
