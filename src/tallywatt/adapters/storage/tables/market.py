"""The table of the market: a price for each slot."""

from __future__ import annotations

from sqlalchemy import Index

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import decimal_text, instant, table, text, version, whole
from tallywatt.market.price import MarketPrice

MARKET_PRICES = Mapping(
    table(
        "market_prices",
        text("market"),
        whole("minutes"),
        text("currency"),
        instant("starts_at"),
        decimal_text("per_mwh"),
        instant("created_at"),
        instant("changed_at", null=True),
        version(),
        Index(None, "operator_id", "starts_at", "market", "minutes", "currency"),
        key=("market", "minutes", "currency", "starts_at"),
    ),
    MarketPrice,
)
