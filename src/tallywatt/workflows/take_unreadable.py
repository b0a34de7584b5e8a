"""A message that carries money or energy and cannot be read: kept, flagged, put before a person, and acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.metering.facts import TransactionAnswer
from tallywatt.workflows.listen import keep_frame, to_inbox

if TYPE_CHECKING:
    from tallywatt.metering.facts import Unreadable
    from tallywatt.workflows.ports import UnitOfWork


def take_unreadable(work: UnitOfWork, fact: Unreadable) -> TransactionAnswer:
    """Keep the frame and say what is wrong with it. A start still gets a transaction id of its own, above 0."""
    frame_id = keep_frame(work, fact.heard)
    to_inbox(
        work,
        "unreadable",
        f"{fact.heard.action}: {fact.problem}",
        fact.heard.station_id,
        fact.heard.action,
        fact.heard.payload.hex(),
        station_id=fact.heard.station_id,
        frame_id=frame_id,
    )
    if fact.heard.action != "StartTransaction":
        return TransactionAnswer(fact.transaction_id or "", "Accepted")
    return TransactionAnswer(next_transaction_id(work, fact), "Invalid")


def next_transaction_id(work: UnitOfWork, fact: Unreadable) -> str:
    """A number that was never used at this station."""
    counter = work.transaction_counters.lock(fact.heard.station_id)
    after = work.transaction_counters.put(replace(counter, last_transaction_id=counter.last_transaction_id + 1))
    return str(after.last_transaction_id)
