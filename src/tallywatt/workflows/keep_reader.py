"""An operator's card readers: which provider account each belongs to, and which EVSEs are paid for there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.payments.capabilities import CAPABILITIES, capabilities_of
from tallywatt.payments.reader import LONGEST_LABEL, LONGEST_REF, Reader
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import settle
from tallywatt.workflows.note_reader import open_items
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.identity import LocationId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

CHECK_READER: Final = "check_reader"
"""Job: see whether its provider knows the reader of that id."""
MOST_EVSES = 100


@dataclass(frozen=True, slots=True)
class AddReader:
    """A reader as the operator describes it: of an account by its name, for a location by its reference, or for EVSEs."""

    account: str
    reader_ref: str
    label: str
    location: str | None = None
    evses: tuple[str, ...] = ()
    """Their codes."""


def add_reader(work: UnitOfWork, command: AddReader) -> Reader:
    """The reader as a row; the same again is the same reader, other places at the same one are a conflict."""
    account = _account(work, command.account)
    ref, label = _named(command)
    location, evse_ids = _place(work, command)
    known = next(iter(work.readers.by(account_id=account.account_id, reader_ref=ref, removed_at=None)), None)
    if known is not None:
        if (known.label, known.location_id, known.evse_ids) != (label, location, evse_ids):
            msg = f"the reader {ref} is there already, with another label or other places"
            raise Conflict(msg, code="readers.exists", remedy="remove it first: tallywatt reader remove")
        return known
    reader = Reader(work.draw.id(f"reader/{ref}"), account.account_id, ref, label, location, evse_ids, work.now)
    if not work.readers.add(reader):
        msg = f"the reader {ref} is there already"
        raise Conflict(msg, code="readers.exists", remedy="remove it first: tallywatt reader remove")
    work.jobs.add(Job(CHECK_READER, reader.reader_id))
    work.events.append(Event("reader", reader.reader_id, "ReaderAdded", {"account_id": account.account_id}))
    after = {"reader": ref, "label": label, "location": command.location, "evses": ", ".join(command.evses) or None}
    record_action(work, "reader.add", "reader", reader.reader_id, after=after)
    return reader


def account_of_reader(work: UnitOfWork, command: AddReader) -> ProviderAccount:
    """Where a reader is looked for before it is added. Writes nothing, and refuses what adding it refuses."""
    account = _account(work, command.account)
    _named(command)
    _place(work, command)
    return account


def _account(work: UnitOfWork, name: str) -> ProviderAccount:
    account = work.provider_accounts.one_by(name=name)
    if account is None or account.closed_at is not None:
        msg = "there is no such provider account"
        raise NotFound(msg, code="provider_accounts.not_found")
    if not capabilities_of(account.provider).card_present:
        able = ", ".join(name for name, one in CAPABILITIES.items() if one.card_present)
        msg = f"{account.provider} has no readers that could be asked from here"
        raise BadInput(msg, code="readers.not_there", remedy=f"take an account at one of: {able}")
    return account


def _named(command: AddReader) -> tuple[str, str]:
    ref, label = command.reader_ref.strip(), " ".join(command.label.split())
    plain = ref.isascii() and ref.isprintable() and not any(one.isspace() or one in "/?#%" for one in ref)
    if not ref or not plain or len(ref) > LONGEST_REF:
        msg = "a reader is named as its provider names it, without spaces"
        raise BadInput(msg, code="readers.bad_name", remedy="like tmr_F5XZ... at Stripe, S1F2-000158213605011 at Adyen")
    if not label or not label.isprintable() or len(label) > LONGEST_LABEL or hide_card_numbers(label)[1]:
        msg = f"a label tells drivers where the reader is, in at most {LONGEST_LABEL} characters"
        raise BadInput(msg, code="readers.bad_label")
    return ref, label


def _place(work: UnitOfWork, command: AddReader) -> tuple[LocationId | None, tuple[str, ...]]:
    """Where it stands, and the EVSEs that it is there for; none are named: for all of its location."""
    if not command.evses:
        found = work.locations.one_by(reference=command.location) if command.location else None
        if command.location and found is None:
            msg = f"there is no location {command.location!r}"
            raise NotFound(msg, code="locations.not_found")
        if found is None:
            msg = "a reader serves a location, or EVSEs that are named"
            raise BadInput(msg, code="readers.where", remedy="say which")
        return found.location_id, ()
    if len(command.evses) > MOST_EVSES or command.location:
        msg = f"a reader serves all of a location, or at most {MOST_EVSES} EVSEs by name"
        raise BadInput(msg, code="readers.where", remedy="give the one or the other")
    return _of_evses(work, frozenset(command.evses))


def _of_evses(work: UnitOfWork, codes: frozenset[str]) -> tuple[LocationId | None, tuple[str, ...]]:
    named = [one for code in sorted(codes) if (one := work.evses.one_by(code=code)) is not None]
    lost = codes - {one.code for one in named}
    if lost:
        msg = f"there is no EVSE {min(lost)}"
        raise NotFound(msg, code="evses.not_found")
    stations = {one.station_id for one in named}
    places = {work.stations.get(one).location_id for one in stations}
    if len(places) > 1:
        msg = "a reader stands in one place, and these EVSEs are at several locations"
        raise BadInput(msg, code="readers.where", remedy="name EVSEs of one location")
    return places.pop(), tuple(sorted(one.evse_id for one in named))


@dataclass(frozen=True, slots=True)
class RemoveReader:
    """A reader that serves nobody any more."""

    reader_id: str


def remove_reader(work: UnitOfWork, command: RemoveReader) -> Reader:
    """The reader, offered no longer. Who is paying there now goes on; removed twice it changes nothing."""
    if work.readers.find(command.reader_id) is None:
        msg = "there is no such reader"
        raise NotFound(msg, code="readers.not_found")
    reader = work.readers.lock(command.reader_id)
    if reader.removed_at is not None:
        return reader
    gone = work.readers.put(replace(reader, removed_at=work.now))
    for item in open_items(work, reader.reader_id):
        settle(work, item, "the reader was removed")
    work.events.append(Event("reader", reader.reader_id, "ReaderRemoved", {"account_id": reader.account_id}))
    record_action(work, "reader.remove", "reader", reader.reader_id, before={"label": reader.label})
    return gone
