"""The tables, one module a room. Importing this package fills `schema.metadata`."""

from __future__ import annotations

from tallywatt.adapters.storage.tables import (
    approvals,
    certificates,
    circles,
    corrections,
    coupons,
    customers,
    evidence,
    imports,
    invoicing,
    ledger,
    machinery,
    market,
    metering,
    partners,
    payments,
    rating,
    reports,
    settlements,
    signed,
    stations,
)

__all__ = [
    "approvals",
    "certificates",
    "circles",
    "corrections",
    "coupons",
    "customers",
    "evidence",
    "imports",
    "invoicing",
    "ledger",
    "machinery",
    "market",
    "metering",
    "partners",
    "payments",
    "rating",
    "reports",
    "settlements",
    "signed",
    "stations",
]
