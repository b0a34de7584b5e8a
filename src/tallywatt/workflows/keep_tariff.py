"""Stations of OCPP 2.1 are told the tariffs that hold at their EVSEs, so that they count by what bills; and a session its own.

Best effort: nothing waits for it, and whatever a station counts, the house's own price is charged. A tariff that cannot be said
whole is not said; a person is told which part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import (
    SessionId,
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.rating.audience import ANYBODY
from tallywatt.rating.choose import choose_tariff
from tallywatt.rating.explain import headline
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import Scope
from tallywatt.rating.station_tariff import Abilities, StationTariff, is_our_name, say_tariff
from tallywatt.stations.command import Action
from tallywatt.stations.display import TARIFF
from tallywatt.stations.messages import NEWEST
from tallywatt.stations.station import StationState
from tallywatt.stations.told_tariff import (
    CHANGE,
    CLEAR,
    CONTROLLER,
    GET,
    HAS_IT_ALREADY,
    MOST_SILENCES,
    NO_SUCH,
    NO_WORDS,
    SET,
    SETTLED,
    TariffState,
    ToldTariff,
    abilities,
    are_gone,
    told_ids,
)
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import settle, to_inbox
from tallywatt.workflows.offer_price import assignments_for, place_of, policy_of
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.show_price import KEEP_TARIFFS, SPREAD_TARIFFS, is_shown, language_of, look_at_tariffs
from tallywatt.workflows.use_coupon import granted_to

if TYPE_CHECKING:
    from tallywatt.kernel.identity import TariffVersionId
    from tallywatt.metering.facts import Booted, Started
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.records import TariffAssignment
    from tallywatt.rating.tariff import Tariff
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.reports import Variable
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

VERIFY_TARIFFS: Final = "verify_tariffs"
"""Job: ask that station which tariffs it has."""
KEEP_SESSION_TARIFF: Final = "keep_session_tariff"
"""Job: tell the station of that session its own price."""
TARIFF_MESSAGES: Final = frozenset({SET, CHANGE, CLEAR, GET})
UNSAYABLE: Final = "tariff_not_sayable"
REFUSED: Final = "tariff_refused"
ANSWER_SECONDS: Final = 60
GRACE_MS: Final = 30_000
AFTER_BOOT_MS: Final = 60_000
"""By then it has told what it can, and what it has queued is worth more."""
AWAY: Final = "not connected"
NO_ANSWER: Final = "no answer"
MOST_OLDER: Final = 16
"""So many names a message that clears them has room for."""
MOST_SPREAD: Final = 200
"""Stations of one round: everybody else waits for the writer while it is written."""
BEHIND: Final = "/"
AWAY_MS: Final = 600_000
"""After that a session is told its price again whose station was away."""
FIRST_MS: Final = 2_000
"""The answer to the start goes first."""
DRIVER: Final = "driver"


def tariffs_after_boot(work: UnitOfWork, fact: Booted) -> None:
    """A station may have lost its tariffs, or have learned to take them."""
    verify_tariffs_soon(work, fact.heard.station_id, fact.heard.protocol, Instant(work.machine_now + AFTER_BOOT_MS))


@dataclass(frozen=True, slots=True)
class Returned:
    """A station is connected again; nothing else is known of it yet."""

    station_id: StationId


def tariffs_after_return(work: UnitOfWork, fact: Returned) -> int:
    """What never reached a station that was away is told now; of how many EVSEs. No boot says that a line has come back."""
    rows = work.told_tariffs.by(station_id=fact.station_id, session_id=None)
    awaited = {one.command_id for one in rows if one.state is TariffState.SENT}
    if awaited:
        # What is still open goes out by itself now; what has ended meanwhile has not been looked at yet.
        since = Instant(work.machine_now - 2 * ANSWER_SECONDS * 1000)
        awaited -= {one.command_id for one in work.queries.open_commands(fact.station_id, since)}
    missed = [
        one
        for one in rows
        if (one.state is TariffState.SILENT and one.reason == AWAY)
        or (one.state is TariffState.SENT and one.command_id in awaited)
    ]
    for row in missed:
        _put(work, row, state=TariffState.NONE)
    if missed:
        work.jobs.add(Job(KEEP_TARIFFS, fact.station_id))
    return len(missed)


def verify_tariffs_soon(work: UnitOfWork, station_id: StationId, protocol: str | None, not_before: Instant) -> None:
    """Ask a station which tariffs it has, where it can have any."""
    if protocol == NEWEST:
        work.jobs.add(Job(VERIFY_TARIFFS, station_id, not_before=not_before))


def hear_abilities(work: UnitOfWork, station_id: StationId, told: list[Variable]) -> None:
    """A station has told what it can do with tariffs."""
    if any(one.component.casefold() == CONTROLLER.casefold() for one in told):
        work.jobs.add(Job(KEEP_TARIFFS, station_id))


def tariff_changes(work: UnitOfWork, row: TariffAssignment) -> None:
    """Another tariff may hold at some EVSEs, from the beginning of an assignment and from its end."""
    moments = [row.valid_from] if row.valid_until is None else [row.valid_from, row.valid_until]
    station_id = _only_station(work, row)
    for at in moments:
        look_at_tariffs(work, station_id, Instant(work.machine_now + max(0, at - work.now)))


def _only_station(work: UnitOfWork, row: TariffAssignment) -> str:
    """The one at which it holds; nothing where it may be more."""
    if row.scope is Scope.EVSE:
        evse = work.evses.find(row.scope_id)
        return "" if evse is None else str(evse.station_id)
    return row.scope_id if row.scope is Scope.STATION else ""


def spread_tariffs(work: UnitOfWork, subject: str) -> int:
    """Look at the next stations that can count for themselves, behind the one that the job names; how many."""
    _, _, after = subject.partition(BEHIND)
    stations = work.queries.stations_speaking(NEWEST, after, MOST_SPREAD)
    for one in stations:
        work.jobs.add(Job(KEEP_TARIFFS, one.station_id))
    if len(stations) == MOST_SPREAD:
        work.jobs.add(Job(SPREAD_TARIFFS, f"{work.operator}{BEHIND}{stations[-1].station_id}"))
    return len(stations)


@dataclass(frozen=True, slots=True)
class KeepTariffs:
    """Which station."""

    station_id: StationId


def ask_tariffs(work: UnitOfWork, command: KeepTariffs) -> int:
    """A person wants its tariffs told now, also those that it has refused, or that were cleared; of how many EVSEs."""
    station = _that_counts(work, command.station_id)
    rows = work.told_tariffs.by(station_id=station.station_id, session_id=None)
    was_cleared = any(one.is_cleared for one in rows)
    for row in rows:
        if row.state in SETTLED:
            _put(work, row, state=TariffState.NONE, silences=0, is_cleared=False)
        elif row.is_cleared:
            _put(work, row, is_cleared=False)
    work.jobs.add(Job(KEEP_TARIFFS, station.station_id))
    record_action(
        work, "station.tell_tariffs", "station", station.station_id, before={"cleared": was_cleared},
        after={"cleared": False},
    )  # fmt: skip
    return len(rows)


def clear_tariffs(work: UnitOfWork, command: KeepTariffs) -> int:
    """A person wants it to count by no tariff of ours, until it is to be told again; of how many EVSEs."""
    station = _that_counts(work, command.station_id)
    known = {one.subject_id: one for one in work.told_tariffs.by(station_id=station.station_id, session_id=None)}
    was_cleared = any(one.is_cleared for one in known.values())
    evses = work.evses.by(station_id=station.station_id)
    for evse in evses:
        row = known.get(evse.evse_id) or _new(work, evse.evse_id, station, evse)
        state = TariffState.NONE if row.state in SETTLED else row.state
        _put(work, row, state=state, silences=0, is_cleared=True)
    work.jobs.add(Job(KEEP_TARIFFS, station.station_id))
    record_action(
        work, "station.clear_tariffs", "station", station.station_id, before={"cleared": was_cleared},
        after={"cleared": True},
    )  # fmt: skip
    return len(evses)


def _that_counts(work: UnitOfWork, station_id: StationId) -> Station:
    station = work.stations.lock(station_id)
    if station.state is not StationState.ADOPTED or station.protocol != NEWEST:
        spoken = station.protocol or "no version yet"
        msg = f"station {station.identity} is {station.state.value} and speaks {spoken}"
        raise Conflict(msg, code="stations.counts_not", remedy="only adopted stations of OCPP 2.1 count for themselves")
    return station


def _is_cleared(work: UnitOfWork, station: Station) -> bool:
    rows = work.told_tariffs.by(station_id=station.station_id, session_id=None)
    return any(one.is_cleared for one in rows)


def verify_tariffs(work: UnitOfWork, command: KeepTariffs) -> None:
    """Ask a station which tariffs it has, where it should have one; bring the others on their way."""
    station = work.stations.lock(command.station_id)
    if station.protocol != NEWEST or station.state is not StationState.ADOPTED:
        return
    rows = work.told_tariffs.by(station_id=station.station_id, session_id=None)
    to_go = any(_may_count(work, one) for one in rows)
    if not to_go and not _counts(work, station):
        return
    for row in rows:
        if row.state is TariffState.SILENT:
            # Whatever kept it from answering may be over.
            _put(work, row, state=TariffState.NONE, silences=0)
    if to_go or any(one.state is TariffState.HELD or one.older for one in rows):
        _send(work, station, GET, {"evseId": 0}, 0)
    work.jobs.add(Job(KEEP_TARIFFS, station.station_id))


def _may_count(work: UnitOfWork, row: ToldTariff) -> bool:
    """Whether it was to forget a tariff, and has not said that it has."""
    has_some = row.tariff_id is not None or bool(row.older)
    return has_some and row.state is not TariffState.HELD and _is_clear(work, row)


def keep_tariffs(work: UnitOfWork, command: KeepTariffs) -> int:
    """Bring every EVSE's tariff one message nearer; how many messages go out."""
    station = work.stations.lock(command.station_id)
    if station.protocol != NEWEST or station.state is not StationState.ADOPTED:
        return 0
    known = {one.subject_id: one for one in work.told_tariffs.by(station_id=station.station_id, session_id=None)}
    is_cleared = any(one.is_cleared for one in known.values())
    counts = not is_cleared and _counts(work, station)
    if not counts and not known:
        return 0
    able = _able(work, station)
    sent, waits = 0, False
    for evse in sorted(work.evses.by(station_id=station.station_id), key=lambda one: one.number):
        row = known.get(evse.evse_id) or _new(work, evse.evse_id, station, evse, is_cleared=is_cleared)
        row = _looked_after(work, row, station)
        if row.state is TariffState.SENT:
            waits = True
            continue
        version, said = _default_of(work, station, evse, able) if counts else (None, None)
        sent += _bring(work, station, evse, row, version, said)
    if sent or waits:
        # Whatever became of it is known by then, also of what nobody answered.
        later = Instant(work.machine_now + ANSWER_SECONDS * 1000 + GRACE_MS)
        work.jobs.add(Job(KEEP_TARIFFS, station.station_id, not_before=later))
    return sent


def _counts(work: UnitOfWork, station: Station) -> bool:
    adopted = station.state is StationState.ADOPTED and station.protocol == NEWEST
    return adopted and is_shown(work, station.station_id, NEWEST, TARIFF)


def _able(work: UnitOfWork, station: Station) -> Abilities:
    return Abilities(*abilities(work.station_variables.by(station_id=station.station_id, component=CONTROLLER)))


def _new(work: UnitOfWork, subject_id: str, station: Station, evse: Evse, *, is_cleared: bool = False) -> ToldTariff:
    row = ToldTariff(
        subject_id,
        station.station_id,
        evse.number,
        None,
        None,
        None,
        TariffState.NONE,
        None,
        None,
        0,
        work.machine_now,
        is_cleared=is_cleared,
    )
    work.told_tariffs.add(row)
    return row


def _looked_after(work: UnitOfWork, row: ToldTariff, station: Station) -> ToldTariff:
    """What became of the last message, where no answer has told it; and another try after a boot."""
    if row.state is TariffState.SENT:
        last = None if row.command_id is None else work.station_commands.find(row.command_id)
        if last is not None and last.is_open:
            return row
        return _unanswered(work, row, was_sent=last is None or last.sent_at is not None)
    tried = {TariffState.REFUSED, TariffState.UNSUPPORTED, TariffState.SILENT}
    if row.state in tried and station.booted_at is not None and station.booted_at > row.changed_at:
        return _put(work, row, state=TariffState.NONE, silences=0)
    return row


def _unanswered(work: UnitOfWork, row: ToldTariff, *, was_sent: bool) -> ToldTariff:
    """A message has come to nothing. One that never went out is no silence: it waits for the station's return."""
    if not was_sent:
        return _put(work, row, state=TariffState.SILENT, reason=AWAY)
    silences = row.silences + 1
    if silences < MOST_SILENCES:
        return _put(work, row, state=TariffState.NONE, silences=silences, reason=NO_ANSWER)
    after = _put(work, row, state=TariffState.SILENT, silences=silences, reason=NO_ANSWER)
    _tell_refused(work, after, NO_ANSWER)
    return after


def _put(work: UnitOfWork, row: ToldTariff, **changes: Any) -> ToldTariff:
    after = replace(row, **changes)
    return row if after == row else work.told_tariffs.put(replace(after, changed_at=work.machine_now))


def _default_of(
    work: UnitOfWork, station: Station, evse: Evse, able: Abilities
) -> tuple[TariffVersionId | None, StationTariff | None]:
    """What holds at an EVSE for whoever comes, and how it is said."""
    place = place_of(station, evse)
    chosen = choose_tariff(assignments_for(work, place), place, work.now, ANYBODY)
    if chosen is None:
        return None, None
    version = chosen.assignment.tariff_version_id
    tariff = read_tariff_text(work.tariff_versions.get(version).canonical)
    words = _words(work, station, tariff, work.operators.get().language)
    return version, say_tariff(tariff, policy_of(work), able, words, subject=str(evse.number))


def _words(work: UnitOfWork, station: Station, tariff: Tariff, locale: str) -> str:
    """What a display shows of it. Of prices that change, the words of this moment would be wrong in the next."""
    location = None if station.location_id is None else work.locations.find(station.location_id)
    zone = work.operators.get().zone if location is None else location.zone
    shown = shown_data(price_shown(tariff, work.now, zone))
    if any(not line["applies_now"] for line in shown["lines"]):
        return ""
    return headline(shown, tariff.currency.code, locale)


def _bring(
    work: UnitOfWork,
    station: Station,
    evse: Evse,
    row: ToldTariff,
    version: TariffVersionId | None,
    said: StationTariff | None,
) -> int:
    """Send what is missing, clear what holds no more; 1 for a message."""
    wanted = None if said is None else said.tariff_id
    was_cleared = _may_count(work, row)
    if wanted is not None and said is not None:
        is_same = wanted == row.tariff_id and not was_cleared
        if is_same and row.state in SETTLED:
            _put(work, row, tariff_version_id=version)
            return 0
        # Another tariff is another try; the same one is told three times at most.
        silences = row.silences if is_same else 0
        command = _send(work, station, SET, {"evseId": evse.number, "tariff": said.said}, evse.number)
        _put(
            work, row, state=TariffState.SENT, tariff_id=wanted, tariff_version_id=version, silences=silences,
            reason=None, command_id=command.command_id, older=_older(row, wanted), verified_at=None,
        )  # fmt: skip
        return 1
    reason = None if said is None else "; ".join(one.sentence for one in said.unsaid)
    state = TariffState.NONE if said is None else TariffState.UNSAID
    if said is not None and version is not None:
        _tell_unsaid(work, version, said)
    names = [*([] if row.tariff_id is None else [row.tariff_id]), *row.older]
    if not names:
        _put(work, row, state=state, tariff_version_id=version, reason=reason)
        return 0
    if was_cleared and row.state in SETTLED:
        return 0
    # What it counts by is no price of ours any more. Until it has said so, it may still count by it.
    content = {"evseId": evse.number, "tariffIds": names}
    command = _send(work, station, CLEAR, content, evse.number)
    _put(
        work, row, state=TariffState.SENT, tariff_version_id=version, reason=reason, command_id=command.command_id,
        silences=row.silences if was_cleared else 0,
    )  # fmt: skip
    return 1


def _older(row: ToldTariff, wanted: str) -> tuple[str, ...]:
    """What it may count by as long as it has not said that it has the wanted one."""
    names = row.older if row.tariff_id is None else (*row.older, row.tariff_id)
    return tuple(dict.fromkeys(one for one in names if one != wanted))[-MOST_OLDER:]


def _is_clear(work: UnitOfWork, row: ToldTariff) -> bool:
    """Whether the last that was asked of it is to forget a tariff."""
    last = None if row.command_id is None else work.station_commands.find(row.command_id)
    return last is not None and last.name == CLEAR


def _send(work: UnitOfWork, station: Station, name: str, content: dict[str, Any], part: int) -> StationCommand:
    payload = {"name": name, "content": content}
    asked = CommandStation(station.station_id, Action.MESSAGE, payload, deadline_seconds=ANSWER_SECONDS, part=part)
    return command_station(work, asked)


def _tell_unsaid(work: UnitOfWork, version: TariffVersionId, said: StationTariff) -> None:
    """One item for a tariff, however many stations it holds at."""
    parts = "; ".join(one.sentence for one in said.unsaid)
    name = work.tariff_versions.get(version).reference
    to_inbox(
        work,
        UNSAYABLE,
        f"stations are not told tariff {name}, which they could not count by: {parts}"[:500],
        version,
        *sorted({one.gap.value for one in said.unsaid}),
        detail={"tariff_version_id": version, "parts": [one.sentence for one in said.unsaid]},
    )


# A session's own price


def begin_tariff(work: UnitOfWork, session: Session, station: Station, fact: Started) -> None:
    """A session has begun at a station that counts for itself: see that it counts by the session's price."""
    if fact.heard.protocol != NEWEST or session.offer_id is None or not _counts(work, station):
        return
    if _is_cleared(work, station):
        return
    work.told_tariffs.add(
        ToldTariff(
            session.session_id, station.station_id, fact.evse_number, session.session_id, None,
            fact.tariff_id if is_our_name(fact.tariff_id) else None,
            TariffState.NONE, None, None, 0, work.machine_now,
        )
    )  # fmt: skip
    work.jobs.add(Job(KEEP_SESSION_TARIFF, session.session_id, not_before=Instant(work.machine_now + FIRST_MS)))


@dataclass(frozen=True, slots=True)
class KeepSessionTariff:
    """Which session."""

    session_id: SessionId


def keep_session_tariff(work: UnitOfWork, command: KeepSessionTariff) -> ToldTariff | None:
    """Tell the price that a session has frozen, unless its station counts by it already."""
    row = work.told_tariffs.lock(command.session_id)
    session = work.sessions.get(command.session_id)
    if row.state is TariffState.SENT:
        row = _session_looked_after(work, row, is_over=not session.is_open)
    if row.state is not TariffState.NONE or not session.is_open or session.transaction_id is None:
        return None
    assert session.offer_id is not None, "only written down with an offer"
    offer = work.offers.get(session.offer_id)
    default = None if session.evse_id is None else work.told_tariffs.find(session.evse_id)
    is_granted = bool(granted_to(work, offer.offer_id))
    if default is not None and default.tariff_version_id == offer.tariff_version_id and not is_granted:
        held = default.state is TariffState.HELD
        if held or default.state in {TariffState.UNSUPPORTED, TariffState.UNSAID}:
            return _put(
                work, row, state=default.state, tariff_version_id=offer.tariff_version_id, reason=default.reason
            )
    if default is not None and default.state is TariffState.UNSUPPORTED:
        return _put(work, row, state=TariffState.UNSUPPORTED, tariff_version_id=offer.tariff_version_id)
    station = work.stations.get(row.station_id)
    policy = read_policy_text(work.policy_versions.get(offer.policy_version_id).canonical)
    said = driver_tariff(work, station, offer.tariff_version_id, policy, language_of(work, session))
    if is_granted or said.said is None:
        reason = "; ".join(one.sentence for one in said.unsaid) or "a coupon"
        return _put(work, row, state=TariffState.UNSAID, tariff_version_id=offer.tariff_version_id, reason=reason)
    if row.command_id is None and row.tariff_id == said.tariff_id:
        # It said so itself when the session began.
        return _put(work, row, state=TariffState.HELD, tariff_version_id=offer.tariff_version_id)
    told = _send(work, station, CHANGE, {"transactionId": session.transaction_id, "tariff": said.said}, 0)
    _look_again(work, session.session_id, ANSWER_SECONDS * 1000 + GRACE_MS)
    return _put(
        work, row, state=TariffState.SENT, tariff_id=said.tariff_id, tariff_version_id=offer.tariff_version_id,
        command_id=told.command_id, reason=None,
    )  # fmt: skip


def _session_looked_after(work: UnitOfWork, row: ToldTariff, *, is_over: bool) -> ToldTariff:
    """What became of the last message about a session's price, where no answer has told it."""
    assert row.session_id is not None, "only called for sessions"
    last = None if row.command_id is None else work.station_commands.find(row.command_id)
    if last is not None and last.is_open:
        _look_again(work, row.session_id, GRACE_MS)
        return row
    was_sent = last is None or last.sent_at is not None
    if is_over:
        # Nobody looks at that display any more.
        return _put(work, row, state=TariffState.SILENT, reason=NO_ANSWER if was_sent else AWAY)
    if was_sent:
        return _unanswered(work, row, was_sent=True)
    # It goes on without a line, maybe for days: each try is a command.
    if row.reason == AWAY:
        return _put(work, row, state=TariffState.NONE)
    _look_again(work, row.session_id, AWAY_MS)
    return _put(work, row, reason=AWAY)


def _look_again(work: UnitOfWork, session_id: SessionId, after_ms: int) -> None:
    work.jobs.add(Job(KEEP_SESSION_TARIFF, session_id, not_before=Instant(work.machine_now + after_ms)))


def driver_tariff(
    work: UnitOfWork, station: Station, version: TariffVersionId, policy: Policy, locale: str
) -> StationTariff:
    """A tariff for one driver, as that station is told it."""
    tariff = read_tariff_text(work.tariff_versions.get(version).canonical)
    return say_tariff(tariff, policy, _able(work, station), _words(work, station, tariff, locale), subject=DRIVER)


def own_tariff(work: UnitOfWork, station: Station, version: TariffVersionId, locale: str) -> dict[str, Any] | None:
    """What a station is to count by for one driver; None where it counts by that anyhow, or not at all."""
    rows = work.told_tariffs.by(station_id=station.station_id, session_id=None)
    counts = any(one.state is TariffState.HELD for one in rows)
    if not counts or all(one.tariff_version_id == version for one in rows):
        return None
    return driver_tariff(work, station, version, policy_of(work), locale).said


# What stations answer


def hear_tariff(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """A station has taken a tariff, or has not; or it has named those that it has."""
    if asked.name == GET:
        _hear_told(work, asked, answer)
        return
    row = work.told_tariffs.one_by(command_id=asked.command_id)
    if row is None or row.state not in {TariffState.SENT, TariffState.SILENT}:
        return
    row = work.told_tariffs.lock(row.subject_id)
    word = str((answer.told or {}).get("status") or answer.detail or answer.outcome)
    if asked.name == CLEAR:
        is_gone = answer.outcome == "accepted" or word == NO_SUCH or are_gone(answer.told or {})
        _hear_cleared(work, row, word, is_gone=is_gone)
    elif answer.outcome == "accepted" or word == HAS_IT_ALREADY:
        # The one before has given way to it.
        _put(work, row, state=TariffState.HELD, reason=None, silences=0, older=(), verified_at=work.machine_now)
        _settle_refused(work, row, "the station has taken a tariff since")
    elif word in NO_WORDS:
        _put(work, row, state=TariffState.UNSUPPORTED, reason=word)
    else:
        _put(work, row, state=TariffState.REFUSED, reason=word[:64])
        _tell_refused(work, row, word)


def _hear_cleared(work: UnitOfWork, row: ToldTariff, word: str, *, is_gone: bool) -> None:
    """It counts by that tariff no more, or goes on; also one that does not know the message goes on by the old price."""
    if is_gone:
        state = TariffState.NONE if row.reason is None else TariffState.UNSAID
        _put(work, row, state=state, tariff_id=None, silences=0, older=(), verified_at=None)
        _settle_refused(work, row, "the station counts by no tariff of ours any more")
    else:
        _put(work, row, state=TariffState.REFUSED, reason=word[:64])
        _tell_refused(work, row, word)


def _tell_refused(work: UnitOfWork, row: ToldTariff, word: str) -> None:
    if word == NO_ANSWER and _waiting(work, row):
        return
    station = work.stations.get(row.station_id)
    what = "its EVSE" if row.session_id is None else "a session"
    number = "" if row.evse_number is None else f" {row.evse_number}"
    # A refusal is the same each time; a station that is silent again, after somebody has looked at it, is news.
    again = (row.command_id,) if word == NO_ANSWER else ()
    to_inbox(
        work,
        REFUSED,
        f"station {station.identity} does not take the tariff of {what}{number}: {word[:64]}",
        row.station_id,
        row.tariff_id,
        *again,
        station_id=row.station_id,
        session_id=row.session_id,
        detail={
            "tariff_version_id": row.tariff_version_id,
            "tariff_id": row.tariff_id,
            "word": word[:64],
            "subject": row.subject_id,
        },
    )


def _waiting(work: UnitOfWork, row: ToldTariff) -> list[InboxItem]:
    """What waits for a person about the tariff of that EVSE or session."""
    items = work.inbox.by(station_id=row.station_id, kind=REFUSED, state="open")
    return [one for one in items if (one.detail or {}).get("subject") == row.subject_id]


def _settle_refused(work: UnitOfWork, row: ToldTariff, why: str) -> None:
    for item in _waiting(work, row):
        settle(work, item, why)


def _hear_told(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """What a station should have and does not name is told again."""
    told = answer.told or {}
    if "tariffAssignments" not in told and str(told.get("status") or answer.detail) != NO_SUCH:
        return
    lost = False
    for known in work.told_tariffs.by(station_id=asked.station_id, session_id=None):
        if known.changed_at > asked.requested_at:
            continue
        names = told_ids(told, known.evse_number)
        has_it = known.tariff_id in names
        row = _noted(work, known, names, has_it=has_it)
        if row.state is TariffState.HELD and not has_it:
            _put(work, row, state=TariffState.NONE, reason="the station does not have it any more", verified_at=None)
            lost = True
        elif _may_count(work, row):
            # It is to be cleared once more, or is gone whatever became of the message.
            _put(work, row, state=TariffState.NONE, silences=0, tariff_id=row.tariff_id if has_it else None)
            lost = True
    if lost:
        work.jobs.add(Job(KEEP_TARIFFS, asked.station_id))


def _noted(work: UnitOfWork, row: ToldTariff, names: frozenset[str], *, has_it: bool) -> ToldTariff:
    """What it has named, and when: how the row stands is not changed by that, nor since when."""
    older = tuple(one for one in row.older if one in names)
    is_held = has_it and row.state is TariffState.HELD
    at = work.machine_now if is_held else row.verified_at
    after = replace(row, named=tuple(sorted(names)[:MOST_OLDER]), older=older, verified_at=at)
    return row if after == row else work.told_tariffs.put(after)
