"""The tables of invoicing: invoices and credit notes, and the counters of their numbers."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    blob,
    check,
    choice,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.invoicing.invoice import Invoice, InvoiceKind, NumberSeries
from tallywatt.invoicing.printed import PrintedInvoice
from tallywatt.invoicing.skipped import SkippedNumbers
from tallywatt.metering.session import PayerKind

INVOICES = Mapping(
    table(
        "invoices",
        text("invoice_id"),
        text("number"),
        text("series"),
        whole("year"),
        whole("sequence"),
        choice("kind", InvoiceKind),
        text("session_id"),
        text("rated_id"),
        choice("payer", PayerKind),
        text("payer_id", null=True),
        text("issue_date"),
        instant("issued_at"),
        text("currency"),
        whole("net_minor"),
        whole("tax_minor"),
        whole("gross_minor"),
        text("corrects_invoice_id", null=True),
        unique("number"),
        unique("series", "year", "sequence"),
        unique("rated_id", "kind"),
        check("net_minor + tax_minor = gross_minor", "adds_up"),
        check("(kind = 'credit_note') = (corrects_invoice_id IS NOT NULL)", "corrects"),
        refers("rated_id", "rated_results"),
        refers("corrects_invoice_id", "invoices", "invoice_id"),
        index("session_id"),
        index("payer", "payer_id", "issued_at"),
        index("payer_id", "invoice_id"),
        index("issued_at", "invoice_id"),
        key=("invoice_id",),
    ),
    Invoice,
)

NUMBER_SERIES = Mapping(
    table(
        "number_series",
        text("series"),
        whole("year"),
        whole("next_number"),
        text("last_issue_date"),
        version(),
        check("next_number >= 1", "next_number"),
        key=("series", "year"),
    ),
    NumberSeries,
)

SKIPPED_NUMBERS = Mapping(
    table(
        "skipped_numbers",
        text("series"),
        whole("year"),
        whole("first"),
        whole("last"),
        text("reason"),
        text("cause"),
        instant("created_at"),
        check("first >= 1 AND last >= first", "run"),
        key=("series", "year", "first"),
    ),
    SkippedNumbers,
)

PRINTED_INVOICES = Mapping(
    table(
        "printed_invoices",
        text("invoice_id"),
        text("media_type"),
        text("sha256"),
        blob("content"),
        instant("printed_at"),
        refers("invoice_id", "invoices"),
        key=("invoice_id", "media_type"),
        personal="invoice",
    ),
    PrintedInvoice,
)
