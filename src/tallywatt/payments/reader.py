"""Pure: readers: card terminals that are asked through a provider, and the EVSEs at which drivers pay there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.payments.payment import RELEASED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, LocationId, ProviderAccountId

PRESENT_MS: Final = 2 * 60 * 1000
"""How long a driver has to hold a card to it: whoever has not by then is gone, and the next one waits."""
PLUG_IN_MS: Final = 10 * 60 * 1000
"""How long the driver then has to plug in before the hold is let go."""
MOST_UNPAID: Final = 5
"""Payments in a row for which a reader has asked and nobody has paid: then it rests."""
PAUSE_MS: Final = 15 * 60 * 1000
"""Within which time they were begun, and so how long it rests at most."""
NEVER_ASKED: Final = ("reader_offline", "reader_busy")
LONGEST_REF: Final = 64
LONGEST_LABEL: Final = 60
SHOWN_END: Final = 4
"""So much of a name is printed on a reader, or shown by it, and tells two of one label apart."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A card terminal of one provider account: a kiosk beside the stations, or a terminal in one of them."""

    reader_id: str
    account_id: ProviderAccountId
    reader_ref: str
    """The provider's own name of it: `tmr_...` at Stripe, model and serial number at Adyen."""
    label: str
    """How drivers find it: what is written on it, or where it stands."""
    location_id: LocationId | None
    """Where it stands; None: with stations that belong to no location."""
    evse_ids: tuple[str, ...]
    """The EVSEs that are paid for there; empty: all of its location."""
    added_at: Instant
    removed_at: Instant | None = None
    version: int = 1

    def serves(self, evse_id: EvseId) -> bool:
        """Whether an EVSE of its location is paid for there."""
        return self.removed_at is None and (not self.evse_ids or evse_id in self.evse_ids)


def told_apart(readers: Sequence[tuple[str, str]]) -> list[str]:
    """What to call readers of these labels and names beside each other: one that is labelled like another by its end, too."""
    labels = [label.casefold() for label, _ in readers]
    return [f"{label} (…{ref[-SHOWN_END:]})" if labels.count(label.casefold()) > 1 else label for label, ref in readers]


def is_unpaid(state: str, authorised_minor: int, reason: str | None) -> bool:
    """Whether the reader of a payment asked in vain: no card was taken, none was declined, and it is over."""
    return state in RELEASED and not authorised_minor and reason not in NEVER_ASKED
