"""The provider's own books, read from its state file: what a demonstration and an audit compare ours with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Movement:
    """One payment intent as the provider knows it. Currencies are ISO 4217 codes in upper case."""

    payment_intent: str
    currency: str
    status: str
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    held_minor: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Totals:
    """All that the provider did, by currency and one by one."""

    movements: tuple[Movement, ...]
    captured_minor: dict[str, int] = field(default_factory=dict)
    refunded_minor: dict[str, int] = field(default_factory=dict)
    held_minor: dict[str, int] = field(default_factory=dict)
    """Holds that are open, by currency."""
    holds_open: int = 0
    voided: int = 0
    """Holds that were let go."""

    def captured_by(self, metadata_key: str) -> dict[str, int]:
        """Minor units captured by a value of the metadata: our payment or operation ids."""
        sums: dict[str, int] = {}
        for one in self.movements:
            if one.captured_minor and metadata_key in one.metadata:
                name = one.metadata[metadata_key]
                sums[name] = sums.get(name, 0) + one.captured_minor
        return sums


def read(path: Path) -> Totals:
    """The totals of a state file; a torn last line was never answered and does not count."""
    kept: dict[str, dict[str, Any]] = {}
    if path.exists():
        for raw in path.read_bytes().splitlines(keepends=True):
            if raw.endswith(b"\n"):
                kept.update((one["id"], one) for one in json.loads(raw).get("put", []))
    movements = tuple(_movement(one, kept) for one in kept.values() if one["object"] == "payment_intent")
    held = [one for one in movements if one.held_minor]
    return Totals(
        movements=movements,
        captured_minor=_sums(movements, "captured_minor"),
        refunded_minor=_sums(movements, "refunded_minor"),
        held_minor=_sums(movements, "held_minor"),
        holds_open=len(held),
        voided=sum(1 for one in movements if one.status == "canceled" and one.authorised_minor),
    )


def _movement(intent: dict[str, Any], kept: dict[str, dict[str, Any]]) -> Movement:
    charge = kept.get(intent["latest_charge"] or "", {})
    good = charge.get("status") == "succeeded"
    return Movement(
        payment_intent=intent["id"],
        currency=intent["currency"].upper(),
        status=intent["status"],
        authorised_minor=charge["amount"] if good else 0,
        captured_minor=charge.get("amount_captured", 0),
        refunded_minor=charge.get("amount_refunded", 0),
        held_minor=intent["amount_capturable"],
        metadata=intent["metadata"],
    )


def _sums(movements: tuple[Movement, ...], name: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in movements:
        amount = getattr(one, name)
        if amount:
            sums[one.currency] = sums.get(one.currency, 0) + amount
    return sums
