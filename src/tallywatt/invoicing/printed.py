"""Pure: an invoice as it was printed: made once, kept as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import InvoiceId


@dataclass(frozen=True, slots=True)
class PrintedInvoice:
    """The bytes that the recipient gets."""

    invoice_id: InvoiceId
    media_type: str
    sha256: str
    content: bytes
    printed_at: Instant
