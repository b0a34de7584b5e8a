"""A session is over: measure it, decide whether it can be billed, price it, number the invoice, book it, intend the payment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.invoicing.invoice import INVOICES, Invoice, InvoiceKind, fresh_series, series_year, take_number
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.energy import wh
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, InvoiceId, RatedId
from tallywatt.kernel.money import Money, currency
from tallywatt.ledger.chart import REVENUE, receivable, tax
from tallywatt.ledger.post import Draft, Leg
from tallywatt.metering.habits import AS_SPECIFIED, Profile, Registers, habits_of, read_habits
from tallywatt.metering.judge import Rule, Told, judge
from tallywatt.metering.measure import Flag, is_plausible, metered
from tallywatt.metering.reserved import with_reserved_time
from tallywatt.metering.session import Evidence, PayerKind, Reason, SessionState, Source
from tallywatt.rating.ends import WaitsFor, waits_for
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.rate import Doubt
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import Dimension
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import plain
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.collect import Collection, intend_collection
from tallywatt.workflows.count_events import waits_for_events
from tallywatt.workflows.explain import explain, unexplain
from tallywatt.workflows.gather_before import before_session
from tallywatt.workflows.hear_cost import compare_cost
from tallywatt.workflows.hold_ends import look_before_it_ends
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import to_inbox, with_flags
from tallywatt.workflows.post_entry import post
from tallywatt.workflows.prove import prove
from tallywatt.workflows.show_price import end_showing
from tallywatt.workflows.use_coupon import granted_to, settle_uses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.habits import Habits
    from tallywatt.metering.judge import Judged
    from tallywatt.metering.measure import Measured
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.rating.records import Offer
    from tallywatt.rating.results import RatedRows
    from tallywatt.workflows.ports import UnitOfWork
    from tallywatt.workflows.prove import Proof


@dataclass(frozen=True, slots=True)
class FinishSession:
    """The wait for a vehicle to leave has reached the limit that policy sets."""

    session_id: SessionId


def finish_session(work: UnitOfWork, command: FinishSession) -> Session:
    """Price a session whose vehicle has not left in time, as if it had left now or at the limit."""
    session = work.sessions.lock(command.session_id)
    if session.state is not SessionState.ENDED:
        return session
    flagged = replace(session, flags=with_flags(session.flags, Flag.OCCUPANCY_LIMIT))
    return bill_or_hold(work, work.sessions.put(flagged))


@dataclass(frozen=True, slots=True)
class BillSession:
    """A session that was ready for its price while the house could not give numbers."""

    session_id: SessionId


def bill_session(work: UnitOfWork, command: BillSession) -> bool:
    """Price it now; False while the house is still not compared with its providers."""
    session = work.sessions.lock(command.session_id)
    if session.state is not SessionState.ENDED:
        return True
    if not_compared(work) is not None:
        return False
    bill_or_hold(work, session)
    return True


def finish_when_ready(work: UnitOfWork, session: Session) -> Session:
    """Go on to the price if the last end that the tariff needs has come; else wait for it, at most as long as policy says."""
    if session.state is not SessionState.ENDED or waits_for_events(work, session):
        return session
    offer = work.offers.find(session.offer_id) if session.offer_id else None
    if offer is not None and session.occupancy_ended_at is None and _tariff_waits(work, offer):
        policy = read_policy_text(work.policy_versions.get(offer.policy_version_id).canonical)
        limit = Instant(work.machine_now + policy.longest_wait_seconds * 1000)
        work.jobs.add(Job("finish_session", session.session_id, not_before=limit))
        work.events.append(Event("session", session.session_id, "SessionWaitsForVehicle"))
        return session
    return bill_or_hold(work, session)


def _tariff_waits(work: UnitOfWork, offer: Offer) -> bool:
    tariff = read_tariff_text(work.tariff_versions.get(offer.tariff_version_id).canonical)
    return waits_for(tariff) is WaitsFor.OCCUPANCY


def bill_or_hold(work: UnitOfWork, session: Session) -> Session:
    """Measure the session, then bill it, or say in rows why not."""
    judged = judge_session(work, session)
    measured = judged.measured
    session = replace(
        session,
        milliwatt_hours=measured.milliwatt_hours,
        energy_ended_at=measured.energy_ended_at or session.transaction_ended_at,
        flags=with_flags(session.flags, *measured.flags),
    )
    proof = prove(work, session)
    if proof is not None and not proof.energy_is_billable:
        return hold(work, session, Reason.NOT_SIGNED, judged)
    decided = Flag.RELEASED in session.flags or Flag.ACCEPTED in session.flags
    reason = None if decided else reason_against(work, session, judged, proof)
    if reason is not None:
        return hold(work, session, reason, judged)
    if proof is not None:
        return bill(work, session, proof.applied(measured, session), measured, proof)
    return bill(work, session, measured if Flag.RELEASED in session.flags else judged.proposed, measured)


def judge_session(work: UnitOfWork, session: Session, more: Sequence[MeterReading] = ()) -> Judged:
    """What a session's registers show, and whether that can be believed of a station of its model at that EVSE.

    `more` are readings that it does not have yet.
    """
    ended_at = session.transaction_ended_at or session.last_reading_at or session.started_at
    readings = {one.reading_key: one for one in (*work.meter_readings.by(session_id=session.session_id), *more)}
    registers = Registers(session.meter_start, tuple(readings.values()), session.meter_stop)
    evse = work.evses.find(session.evse_id) if session.evse_id else None
    told = Told(
        session.started_at,
        ended_at,
        registers,
        evse.max_watts if evse else None,
        clock_is_usable=Flag.CLOCK_NOT_SET not in session.flags,
    )
    return judge(told, _habits(work, session))


def _habits(work: UnitOfWork, session: Session) -> Habits:
    """What is known of the session's station; only what a station has metered itself is read by it."""
    rows = work.meter_profiles.by() if session.source is Source.OCPP and session.station_id is not None else []
    if not rows or session.station_id is None:
        return AS_SPECIFIED
    station = work.stations.get(session.station_id)
    profiles = [Profile(one.vendor, one.model, one.firmware, read_habits(one.habits)) for one in rows]
    return habits_of(profiles, station.vendor, station.model, station.firmware)


def price_of(work: UnitOfWork, session: Session, measured: Measured) -> Money | None:
    """What so much energy of a session would cost, gross; None without a price to work it out by."""
    offer = work.offers.find(session.offer_id) if session.offer_id else None
    if offer is None:
        return None
    result = _price(work, session, measured, offer, clock_is_usable=True).result
    return Money(result.gross_minor, currency(result.currency))


def price_beyond_doubt(work: UnitOfWork, session: Session, measured: Measured) -> Money | None:
    """As `price_of`; None too where a part of the price is only awaited."""
    offer = work.offers.find(session.offer_id) if session.offer_id else None
    if offer is None:
        return None
    result = _price(work, session, measured, offer, clock_is_usable=True).result
    awaited = Doubt.MARKET_PRICE_AWAITED in result.warnings
    return None if awaited else Money(result.gross_minor, currency(result.currency))


def reason_against(work: UnitOfWork, session: Session, judged: Judged, proof: Proof | None = None) -> Reason | None:
    """Why a session may not be billed without a person, or None. What the meter signed needs no plain register."""
    if proof is not None:
        if not _is_plausible(work, session, proof):
            return Reason.IMPLAUSIBLE
    elif Flag.START_MISSING in session.flags:
        return Reason.START_MISSING
    elif judged.breaches:
        return _REASON_OF[judged.breaches[0].rule]
    if session.payer is PayerKind.UNKNOWN:
        return Reason.UNKNOWN_PAYER
    return Reason.NO_TARIFF if session.offer_id is None else None


def _is_plausible(work: UnitOfWork, session: Session, proof: Proof) -> bool:
    """Whether the EVSE can have delivered what was signed; a meter may know of a start that the station never told."""
    evse = work.evses.find(session.evse_id) if session.evse_id else None
    ended_at = session.transaction_ended_at or session.started_at
    lasted = max(ended_at - session.started_at, proof.milliseconds)
    unknown = evse is None or Flag.CLOCK_NOT_SET in session.flags
    return unknown or is_plausible(proof.milliwatt_hours, lasted, evse.max_watts if evse else None)


_REASON_OF = {
    Rule.NEVER_FALLS: Reason.METER_RESET,
    Rule.WITHIN_POWER: Reason.IMPLAUSIBLE,
    Rule.AGREES_WITH_POWER: Reason.IMPLAUSIBLE,
    Rule.IS_MEASURED: Reason.MISSING_ENERGY,
}


def hold(work: UnitOfWork, session: Session, reason: Reason, judged: Judged) -> Session:
    """Keep a session back with its reason: its energy is explained, and a person is asked."""
    noted = _FLAG_OF.get(reason)
    flags = with_flags(session.flags, noted) if noted else session.flags
    session = work.sessions.put(replace(session, state=SessionState.HELD, flags=flags))
    explain(work, session, session.milliwatt_hours, reason, session.stop_frame_id or session.session_id)
    to_inbox(
        work,
        reason.value,
        f"session of transaction {session.transaction_id}: {_SENTENCES[reason]}",
        session.session_id,
        station_id=session.station_id,
        session_id=session.session_id,
        frame_id=session.stop_frame_id,
        detail={
            "breaches": [{"rule": one.rule.value, "says": one.says} for one in judged.breaches],
            "measured_wh": wh(judged.measured.milliwatt_hours),
            "proposed_wh": wh(judged.proposed.milliwatt_hours),
            "proposed_by": judged.by.value,
        },
    )
    look_before_it_ends(work, session)
    data = {"reason": reason.value, "milliwatt_hours": session.milliwatt_hours}
    work.events.append(Event("session", session.session_id, "SessionHeld", data))
    return session


_FLAG_OF = {
    Reason.IMPLAUSIBLE: Flag.IMPLAUSIBLE_ENERGY,
    Reason.MISSING_ENERGY: Flag.MISSING_ENERGY,
    Reason.NO_TARIFF: Flag.NO_TARIFF,
}

_SENTENCES = {
    Reason.START_MISSING: "its start never came, so what it took before its first value is not known",
    Reason.METER_RESET: "the register fell while it ran; what was counted before and after is held",
    Reason.IMPLAUSIBLE: "its energy does not go together with the power and the time",
    Reason.MISSING_ENERGY: "no register tells what flowed until its end",
    Reason.UNKNOWN_PAYER: "energy flowed for a token that nobody owns",
    Reason.NO_TARIFF: "no tariff held there when it started",
    Reason.NOT_SIGNED: "the meter's signature is asked for there, and there is none that holds",
    Reason.PRICE_AWAITED: "the price of its market was not known for all of it, and its tariff asks for a person",
}


def bill(
    work: UnitOfWork, session: Session, billable: Measured, measured: Measured, proof: Proof | None = None
) -> Session:
    """Price, number, book, and intend the payment: one transaction, all or nothing. What is not billed is explained."""
    assert session.offer_id is not None, "only sessions with an offer are billed"
    unexplain(work, session, "billed")
    if not_compared(work) is not None:
        # Its number may be on somebody's paper, and its money may have been taken already: see `begin_restoration`.
        work.jobs.add(Job("bill_session", session.session_id))
        return work.sessions.put(replace(session, state=SessionState.ENDED))
    offer = work.offers.get(session.offer_id)
    rows = _price(work, session, billable, offer, clock_is_usable=proof is None or proof.time_is_billable)
    if Doubt.MARKET_PRICE_AWAITED in rows.result.warnings and not _price_is_decided(work, session):
        return hold(work, session, Reason.PRICE_AWAITED, judge_session(work, session))
    session = replace(session, milliwatt_hours=billable.milliwatt_hours)
    if proof is not None:
        session = replace(session, evidence=Evidence.SIGNED)
    if billable.milliwatt_hours != measured.milliwatt_hours:
        rest = measured.milliwatt_hours - billable.milliwatt_hours
        reason = Reason.METER_CORRECTED if proof is None else Reason.SIGNED_DIFFERS
        explain(work, session, rest, reason, session.stop_frame_id or session.session_id)
    settle_uses(
        work,
        offer.offer_id,
        session.session_id,
        took_something=any(line.reason_code == "coupon" for line in rows.lines),
    )
    work.rated_results.add_new(rows.result)
    work.rated_lines.note(rows.lines)
    work.rated_taxes.note(rows.taxes)
    invoice = number_invoice(work, session, rows)
    work.invoices.add_new(invoice)
    post(work, earned(work, session, rows))
    session = work.sessions.put(
        replace(
            session,
            state=SessionState.BILLED,
            energy_ended_at=_energy_ended(session, rows),
            rated_id=rows.result.rated_id,
            invoice_id=invoice.invoice_id,
        )
    )
    intend_collection(
        work,
        Collection(
            session.session_id,
            invoice.invoice_id,
            Money(invoice.gross_minor, currency(invoice.currency)),
            CustomerId(session.payer_id) if session.payer is PayerKind.CUSTOMER and session.payer_id else None,
            session.payment_id,
        ),
    )
    _afterwards(work, session, invoice)
    return session


def _afterwards(work: UnitOfWork, session: Session, invoice: Invoice) -> None:
    """Who is told of a bill: paper, the station's display, and everybody who listens."""
    work.jobs.add(Job("print_invoice", invoice.invoice_id))
    end_showing(work, session)
    compare_cost(work, session)
    work.events.append(
        Event(
            "session",
            session.session_id,
            "SessionBilled",
            {
                "invoice_id": invoice.invoice_id,
                "issue_date": invoice.issue_date,
                "milliwatt_hours": session.milliwatt_hours,
                "currency": invoice.currency,
                "net_minor": invoice.net_minor,
                "tax_minor": invoice.tax_minor,
                "gross_minor": invoice.gross_minor,
            },
        )
    )


def _price_is_decided(work: UnitOfWork, session: Session) -> bool:
    """Whether somebody has decided to bill it without the price that is awaited. Who accepts an energy was not asked that."""
    if Flag.ACCEPTED not in session.flags:
        return Flag.RELEASED in session.flags
    asked = work.inbox.by(session_id=session.session_id)
    return any(one.kind == Reason.PRICE_AWAITED.value for one in asked)


def _price(work: UnitOfWork, session: Session, measured: Measured, offer: Offer, *, clock_is_usable: bool) -> RatedRows:
    end = session.occupancy_ended_at or session.transaction_ended_at or session.started_at
    states = work.queries.states_between(session.evse_id, session.started_at, end) if session.evse_id else []
    usable = clock_is_usable and Flag.CLOCK_NOT_SET not in session.flags
    held = work.reservations.find(session.reservation_id) if session.reservation_id is not None else None
    meter = with_reserved_time(metered(session, measured, states, end, clock_is_usable=usable), held)
    tariff = read_tariff_text(work.tariff_versions.get(offer.tariff_version_id).canonical)
    policy = read_policy_text(work.policy_versions.get(offer.policy_version_id).canonical)
    payer = session.payer, session.payer_id
    before = before_session(work, tariff, payer, session.started_at, session.zone, session.session_id)
    before = replace(before, granted=granted_to(work, offer.offer_id))
    rated, amounts = price(meter, tariff, policy, before)
    return rated_rows(
        RatedId(work.draw.id(f"rated/{session.session_id}")),
        meter,
        rated,
        amounts,
        created_at=work.now,
        zone_data_version=work.zone_data_version,
        offer_id=offer.offer_id,
        supersedes=session.rated_id,
    )


def _energy_ended(session: Session, rows: RatedRows) -> Instant | None:
    """When the last energy had flowed: a status may tell it before the next reading shows it, and rating knows both."""
    ends = [line.period_end for line in rows.lines if line.dimension is Dimension.ENERGY]
    known = [end for end in (session.energy_ended_at, max(ends, default=None)) if end is not None]
    return min(known, default=None)


def number_invoice(work: UnitOfWork, session: Session, rows: RatedRows) -> Invoice:
    """The invoice with the next number of the operator's series. The counter's row is the last that is locked."""
    operator = work.operators.get()
    year = series_year(work.now, operator.zone)
    work.number_series.add(fresh_series(INVOICES, year))
    taken, after = take_number(work.number_series.lock(INVOICES, year), work.now, operator.zone)
    work.number_series.put(after)
    return Invoice(
        invoice_id=InvoiceId(work.draw.id(f"invoice/{session.session_id}")),
        number=taken.number,
        series=taken.series,
        year=taken.year,
        sequence=taken.sequence,
        kind=InvoiceKind.INVOICE,
        session_id=session.session_id,
        rated_id=rows.result.rated_id,
        payer=session.payer,
        payer_id=session.payer_id,
        issue_date=taken.issue_date,
        issued_at=work.now,
        currency=rows.result.currency,
        net_minor=rows.result.net_minor,
        tax_minor=rows.result.tax_minor,
        gross_minor=rows.result.gross_minor,
        corrects_invoice_id=None,
    )


def earned(work: UnitOfWork, session: Session, rows: RatedRows) -> Draft:
    """What was sold: the payer owes the gross, of which the net is revenue and the rest tax of each rate."""
    owed = receivable(session.payer.value, session.payer_id)
    country = work.operators.get().country
    taxes = tuple(
        _leg(owed, tax(country, plain(row.tax_rate) if row.tax_rate is not None else "none"), row.tax_minor)
        for row in rows.taxes
    )
    return Draft(
        "session_billed",
        "rated",
        rows.result.rated_id,
        rows.result.currency,
        (_leg(owed, REVENUE, rows.result.net_minor), *taxes),
    )


def _leg(debit: str, credit: str, amount: int) -> Leg:
    return Leg(debit, credit, amount) if amount >= 0 else Leg(credit, debit, -amount)
