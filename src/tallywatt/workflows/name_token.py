"""A token that is a card number gets another name, before anything is looked up or written (docs/decisions/0013)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from tallywatt.kernel.card_numbers import SHORTEST, card_number_in

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

Said = TypeVar("Said", bound=Any)
NAMES = "card_token"
"""The class of the operator's key under which names are made. It belongs to no month: the same card keeps its name."""


def safe_uid(work: UnitOfWork, uid: str) -> str:
    """The uid as it may be kept: itself, or for a card number `card-` with its last digits and what only we can work out.

    The same number has the same name at this operator, so that whoever charges with it stays one driver; it is 20 characters
    long, so that OCPP 1.6 can carry it back to a station.
    """
    number = card_number_in(uid) if len(uid) >= SHORTEST else None
    return uid if number is None else f"card-{number[-4:]}-{work.vault.name_of(NAMES, number)}"


def with_safe_token(work: UnitOfWork, said: Said) -> Said:
    """What was said, with a token that may be kept."""
    uid: str | None = said.token_uid
    if not uid or (safe := safe_uid(work, uid)) is uid:
        return said
    changed: Said = replace(said, token_uid=safe)
    return changed
