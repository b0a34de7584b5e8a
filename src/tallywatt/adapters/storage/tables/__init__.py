"""The tables, one module a room. Importing this package fills `schema.metadata`."""

from __future__ import annotations

from tallywatt.adapters.storage.tables import (
    customers,
    invoicing,
    ledger,
    machinery,
    metering,
    partners,
    payments,
    rating,
    stations,
)

__all__ = ["customers", "invoicing", "ledger", "machinery", "metering", "partners", "payments", "rating", "stations"]
