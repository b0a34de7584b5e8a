"""The tables of circles: fleets, groups and memberships, and who belongs to them from when to when."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    version,
)
from tallywatt.customers.circle import Belonging, Circle, CircleKind

CIRCLES = Mapping(
    table(
        "circles",
        text("circle_id"),
        choice("kind", CircleKind),
        text("name"),
        text("title"),
        instant("created_at"),
        version(),
        unique("kind", "name"),
        key=("circle_id",),
    ),
    Circle,
)

BELONGINGS = Mapping(
    table(
        "belongings",
        text("belonging_id"),
        text("circle_id"),
        text("customer_id"),
        instant("valid_from"),
        instant("valid_until", null=True),
        instant("created_at"),
        version(),
        check("valid_until IS NULL OR valid_until >= valid_from", "valid_until"),
        refers("circle_id", "circles"),
        refers("customer_id", "customers"),
        index("customer_id"),
        index("circle_id", "belonging_id"),
        key=("belonging_id",),
        personal="account",
    ),
    Belonging,
)
