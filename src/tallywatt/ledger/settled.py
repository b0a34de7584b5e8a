"""Pure: what a settlement line and a booked difference do to the books.

Captures and refunds stand on the clearing account before the provider lists them, so their lines book the fee alone, and the
exchange where the provider has changed the currency. What is in its list and not in our books goes to suspense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.ledger.chart import clearing, differences, exchange, fees, suspense, transit
from tallywatt.ledger.post import Draft, Leg
from tallywatt.payments.settlement import OF_PAYMENTS, DifferenceKind, LineKind, LineState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.payments.settlement import SettlementDifference, SettlementLine


@dataclass(frozen=True, slots=True)
class Move:
    """Money from one account to another in one currency; below zero it is the other way round."""

    currency: str
    debit: str
    credit: str
    minor: int

    @property
    def back(self) -> Move:
        """The move undone."""
        return Move(self.currency, self.debit, self.credit, -self.minor)


def moves_of(line: SettlementLine) -> tuple[Move, ...]:
    """What a line moves. Every figure enters in proportion, so sums of lines move the sums."""
    own, unit = clearing(line.account_id), line.currency
    moves = [Move(unit, fees(line.account_id), own, line.fee_minor)]
    if line.kind is LineKind.PAYOUT:
        moves.append(Move(unit, own, transit(line.account_id), line.amount_minor))
    elif line.kind is LineKind.FEE:
        moves.append(Move(unit, own, fees(line.account_id), line.amount_minor))
    elif line.kind not in OF_PAYMENTS or line.state is LineState.EXTRA:
        moves.append(Move(unit, own, suspense(line.account_id), line.amount_minor))
    elif line.is_converted:
        other = exchange(line.account_id)
        moves += [
            Move(line.source_currency, other, own, line.source_minor),
            Move(unit, own, other, line.amount_minor),
        ]
    return tuple(one for one in moves if one.minor)


def moves_of_difference(difference: SettlementDifference, minor: int) -> Move:
    """What booking so much of a difference moves: found above expected is ours to keep, below is lost."""
    odd = differences(difference.account_id)
    if difference.kind is DifferenceKind.EXTRA:
        return Move(difference.currency, suspense(difference.account_id), odd, minor)
    sign = -1 if difference.kind is DifferenceKind.REFUNDED else 1
    return Move(difference.currency, clearing(difference.account_id), odd, sign * minor)


def drafts(kind: str, cause_kind: str, cause_id: str, moves: Iterable[Move]) -> tuple[Draft, ...]:
    """The entries of some moves: one a currency."""
    by_currency: dict[str, list[Leg]] = {}
    for one in moves:
        sides = (one.debit, one.credit) if one.minor >= 0 else (one.credit, one.debit)
        by_currency.setdefault(one.currency, []).append(Leg(*sides, abs(one.minor)))
    return tuple(
        Draft(kind, cause_kind, f"{cause_id}/{code}", code, tuple(legs)) for code, legs in sorted(by_currency.items())
    )
