"""Pure: what an invoice shows: what was sold, where, when, at which price and why, and how it was paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.invoicing.invoice import InvoiceKind

if TYPE_CHECKING:
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import Evidence, Session
    from tallywatt.rating.records import RatedLine, RatedTax, TaxBasis
    from tallywatt.rating.results import RatedRows


@dataclass(frozen=True, slots=True)
class PaperParty:
    """Who sells or who buys, as printed."""

    name: str
    address: tuple[str, ...] = ()
    """Line by line."""
    tax_id: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class PaperSite:
    """Where it was."""

    name: str
    address: tuple[str, ...]
    evse_id: str
    """Empty: not known."""
    connector: str | None = None
    current: str | None = None
    """`ac` or `dc`."""
    max_watts: int | None = None


@dataclass(frozen=True, slots=True)
class PaperSignature:
    """What the meter signed of it, so that whoever pays can check it."""

    meter_serial: str
    pages: str
    """Page numbers of the records: T17 T18."""
    fingerprint: str
    """Of the meter's key."""
    register_start: int
    register_stop: int
    """Milliwatt-hours, as signed."""


@dataclass(frozen=True, slots=True)
class PaperSession:
    """When it was, and what the meter said. Instants are shown in the location's zone."""

    session_id: str
    zone: str
    started_at: Instant
    energy_ended_at: Instant | None
    transaction_ended_at: Instant
    occupancy_ended_at: Instant | None
    milliwatt_hours: int
    meter_start: int | None
    """Register at the start, in milliwatt-hours."""
    meter_stop: int | None
    evidence: Evidence
    token: str | None = None
    """What the driver showed, as far as it may be printed."""
    signature: PaperSignature | None = None

    @property
    def ended_at(self) -> Instant:
        """The last of its ends."""
        return max(self.transaction_ended_at, self.occupancy_ended_at or self.transaction_ended_at)


@dataclass(frozen=True, slots=True)
class PaperPayment:
    """Money that came or went back for it."""

    method: str
    """A code that `words` knows: card, balance, transfer, cash, external; another one is printed as it is."""
    at: Instant
    minor: int
    """Negative: given back."""
    reference: str = ""
    """By which the payer finds it again: brand and last digits, or the provider's id."""


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """How what was bought on invoice is to be paid."""

    due_on: str
    """A date."""
    pay_to: str = ""
    """Where to, in the seller's words."""
    mandate: str | None = None
    """Reference of the mandate by which the seller collects it instead."""


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """All that a paper shows, from stored integers; `words.printed` makes texts of it, an adapter a PDF."""

    invoice: Invoice
    rated: RatedRows
    seller: PaperParty
    buyer: PaperParty | None
    """None: an ad hoc driver who did not say who it is."""
    site: PaperSite
    session: PaperSession
    payments: tuple[PaperPayment, ...] = ()
    terms: PaperTerms | None = None
    """None: it was not bought on invoice."""
    corrects: str | None = None
    """The number of the invoice that a credit note takes back."""
    replaces: str | None = None
    """The number of the invoice for which this one stands."""
    replaced_by: str | None = None
    """Of a credit note that takes an invoice back because another one stands for it: that one's number."""
    link: str | None = None
    """Where the driver finds the session, its readings and this paper again."""
    locale: str = "en"
    tax_name: str = "VAT"

    def __post_init__(self) -> None:
        assert self.invoice.rated_id == self.rated.result.rated_id, "an invoice is printed from its own rated result"
        assert sum(line.gross_minor for line in self.rated.lines) == self.invoice.gross_minor, "printed lines add up"

    @property
    def tax_basis(self) -> TaxBasis:
        """What line amounts are printed with: gross where prices include tax, net where tax is added."""
        return self.rated.result.tax_basis

    @property
    def lines(self) -> list[RatedLine]:
        """The lines in their order, however they came out of storage."""
        return sorted(self.rated.lines, key=lambda line: line.line_number)

    @property
    def taxes(self) -> list[RatedTax]:
        """The taxes in their order."""
        return sorted(self.rated.taxes, key=lambda tax: tax.tax_number)

    @property
    def paid_minor(self) -> int:
        """What came, less what went back."""
        return sum(payment.minor for payment in self.payments)

    @property
    def owed_minor(self) -> int:
        """What is still to be paid; for a credit note, still to be given back."""
        sign = -1 if self.invoice.kind is InvoiceKind.CREDIT_NOTE else 1
        return self.invoice.gross_minor - sign * self.paid_minor


def session_paper(session: Session, token: str | None = None, signature: PaperSignature | None = None) -> PaperSession:
    """What a paper shows of a session that has ended. Registers that the meter signed stand for those of the station."""
    assert session.transaction_ended_at is not None, "a session is printed after its end"
    return PaperSession(
        session_id=session.session_id,
        zone=session.zone,
        started_at=session.started_at,
        energy_ended_at=session.energy_ended_at,
        transaction_ended_at=session.transaction_ended_at,
        occupancy_ended_at=session.occupancy_ended_at,
        milliwatt_hours=session.milliwatt_hours,
        meter_start=session.meter_start if signature is None else signature.register_start,
        meter_stop=session.meter_stop if signature is None else signature.register_stop,
        evidence=session.evidence,
        token=token,
        signature=signature,
    )
