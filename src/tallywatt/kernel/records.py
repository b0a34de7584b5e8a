"""Pure: what a workflow may ask of a set of stored rows. One protocol for every aggregate of every room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Records(Protocol[T]):
    """All rows of one kind of one operator, as if they were in memory.

    A row is a frozen dataclass; the unit of work adds and checks the operator. `key` below is the primary key
    without it.
    """

    def find(self, *key: str | int) -> T | None:
        """The row of that key, or None."""
        ...

    def get(self, *key: str | int) -> T:
        """The row of that key, or NotFound."""
        ...

    def lock(self, *key: str | int) -> T:
        """The row of that key, held until the transaction ends, or NotFound.

        A workflow decides only on rows it has locked.
        """
        ...

    def lock_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, held until the transaction ends, or None."""
        ...

    def add(self, row: T) -> bool:
        """Write a new row. False, and nothing written, when its key or one of its natural keys is there already."""
        ...

    def add_all(self, rows: Iterable[T]) -> int:
        """Write new rows in one statement, leaving out those whose key is there already; how many were written."""
        ...

    def add_new(self, row: T) -> None:
        """Write a new row whose key was drawn for it, so that it cannot be there; Stale, at the latest at the end, if it is."""
        ...

    def note(self, rows: Iterable[T]) -> None:
        """Write rows, leaving out those that are there already; for whoever does not ask which they were.

        They are written together with others, at the latest before anybody could miss them.
        """
        ...

    def put(self, row: T) -> T:
        """Write a changed row over the version that was seen and return it as stored; Stale when somebody was first.

        At the latest at the end: several changes of one row may be written as one.
        """
        ...

    def change(self, row: T, **columns: object) -> T:
        """What `put` does with the row of which these columns are changed: for the few workflows that are run all the time."""
        ...

    def by(self, **columns: str | int | None) -> list[T]:
        """The rows whose columns have these values, in order of key."""
        ...

    def one_by(self, **columns: str | int | None) -> T | None:
        """The only row whose columns have these values, or None."""
        ...
