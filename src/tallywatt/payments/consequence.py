"""Pure: what follows from news about a payment. The workflow books, starts, lists; it never decides again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Money is held: charging may start."""

    minor: int


@dataclass(frozen=True, slots=True)
class HoldReleased:
    """Nothing is held any more, and nothing was taken. `minor` was held; `how`: voided, expired or abandoned."""

    minor: int
    how: str


@dataclass(frozen=True, slots=True)
class Captured:
    """Money was taken that was due."""

    minor: int


@dataclass(frozen=True, slots=True)
class Surplus:
    """Money was taken that the payment's state forbids: it goes to suspense and to the inbox."""

    minor: int
    why: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Money went back to the payer."""

    minor: int


@dataclass(frozen=True, slots=True)
class Declined:
    """The issuer said no; what is due stays owed."""

    code: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The provider says what cannot be true of this payment: nothing is changed, and a person is asked."""

    code: str
    detail: str


Consequence = HoldPlaced | HoldReleased | Captured | Surplus | GivenBack | Declined | Contradicted
