"""Table of limits: how much of a session somebody wants, and what its station keeps of that."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import instant, json_text, table, text, version
from tallywatt.metering.limits import WantedLimit

WANTED_LIMITS = Mapping(
    table(
        "wanted_limits",
        text("subject_id"),
        json_text("limits"),
        instant("chosen_at"),
        json_text("confirmed", null=True),
        json_text("told", null=True),
        version(),
        key=("subject_id",),
    ),
    WantedLimit,
)
