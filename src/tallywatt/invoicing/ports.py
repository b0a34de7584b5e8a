"""What invoicing needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tallywatt.invoicing.paper import InvoiceDocument


class Papers(Protocol):
    """Makes paper of documents. The same document gives the same bytes."""

    def pdf(self, document: InvoiceDocument) -> bytes:
        """The document as PDF."""
        ...
