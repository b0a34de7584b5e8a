"""Pure: the operator, whose stations, customers and books these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

SPOKEN_IN: Final = {"AT": "de", "CH": "de", "DE": "de", "LI": "de"}
"""The languages of countries, as far as they are not English."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A charge point operator or e-mobility provider. Its id is the `operator_id` that every row carries."""

    slug: str
    """Short name in URLs and on the command line: `dundee`."""
    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    party_code: str
    """The three letters of OCPI and of EVSE ids: `TWA` in GB*TWA*E1."""
    zone: str
    """IANA zone of day close and number series."""
    currency: str
    address: str
    """As printed on invoices."""
    tax_id: str | None
    policy_version_id: str | None
    """The rating policy of new offers."""
    clock_floor: Instant
    """Station times before this come from a clock that is not set (1970): they are kept, and not trusted."""
    hold_minor: int
    """What is held on an ad hoc driver's card before the start, in minor units."""
    start_deadline_seconds: int
    """How long a remote start may take from Accepted to the transaction, before the hold is given back."""
    lost_stop_after_seconds: int
    """How long a connector may be free, or in use by another transaction, before an open transaction counts as lost."""
    created_at: Instant
    approval_hours: int = 168
    """How long a request for a second pair of eyes waits before it expires."""
    pay_to: str = ""
    """Where transfers for invoices go to, in words as printed: a name and a number of an account."""
    version: int = 1

    @property
    def language(self) -> str:
        """What the operator speaks to those who have not said what they speak: the language of its country."""
        return SPOKEN_IN.get(self.country.upper(), "en")


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation that sells, owns, is paid, or owes: the operator itself, a site host, an employer, a roaming partner."""

    party_id: str
    kind: str
    name: str
    reference: str
