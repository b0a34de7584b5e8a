"""Table of card readers that are asked through a provider, and the EVSEs that are paid for there."""

from __future__ import annotations

from sqlalchemy import column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import index, instant, refers, table, text, texts, unique_where, version
from tallywatt.payments.reader import Reader

READERS = Mapping(
    table(
        "readers",
        text("reader_id"),
        text("account_id"),
        text("reader_ref"),
        text("label"),
        text("location_id", null=True),
        texts("evse_ids"),
        instant("added_at"),
        instant("removed_at", null=True),
        version(),
        refers("account_id", "provider_accounts"),
        refers("location_id", "locations"),
        unique_where("uq_readers_in_use", "account_id", "reader_ref", where=column("removed_at").is_(None)),
        index("location_id"),
        key=("reader_id",),
    ),
    Reader,
)
