"""Where the law asks for it, what the meter signed is billed; without a proof the session waits, and is billed by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.metering.facts import SignedSample
from tallywatt.metering.session import Evidence, SessionState
from tallywatt.stations.metrology import Metrology
from tallywatt.workflows.follow import follow
from tallywatt.workflows.register_meter_key import (
    EndMeterKey,
    RegisterMeterKey,
    end_meter_key,
    register_meter_key,
)
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tests.metering.signed.meter import Meter, reading
from tests.workflows.house_of import KWH, NINE, HouseOf, kwh
from tests.workflows.signing import asks_for_signatures, at, look_again, registered, signed_charge, stop_with

BY_THE_HOUR: dict[str, Any] = {
    "id": "hours",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1},
                {"type": "TIME", "price": 6, "vat": 20, "step_size": 60},
            ]
        }
    ],
}


def test_the_signed_energy_is_billed_and_the_rest_is_explained(house: HouseOf) -> None:
    """The station's register is rounded and coarse; the meter's signature is what counts before the law."""
    asks_for_signatures(house)
    meter = Meter()
    registered(house, meter)
    session = signed_charge(house, meter, plain=kwh(10), signed=9.876)

    assert (session.state, session.evidence) == (SessionState.BILLED, Evidence.SIGNED)
    assert session.milliwatt_hours == kwh(9.876)
    [result], [verdict] = house.rows.rated_results.by(), house.rows.signature_verdicts.by()
    assert result.milliwatt_hours == result.priced_milliwatt_hours == kwh(9.876)
    assert (verdict.signature, verdict.energy_is_billable, verdict.time_is_billable) == ("valid", True, True)
    assert (verdict.register_start, verdict.register_stop) == (kwh(100), kwh(109.876))
    assert (verdict.meter_serial, verdict.pages, verdict.reasons) == (meter.serial, "T1", ())
    assert house.adds_up()["explained_wh"] == {"signed_differs": "124"}


def test_more_signed_than_told_is_billed_as_signed(quick_house: HouseOf) -> None:
    """A station that tells no register of its own, or one that cuts off digits."""
    asks_for_signatures(quick_house)
    meter = Meter()
    registered(quick_house, meter)
    session = signed_charge(quick_house, meter, plain=kwh(9), signed=9.5)

    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(9.5))
    quick_house.adds_up()


def test_a_missing_key_holds_the_session_until_it_is_registered(house: HouseOf) -> None:
    """Nobody has to press anything: the key comes, and the session is billed."""
    asks_for_signatures(house)
    meter = Meter()
    held = signed_charge(house, meter)

    assert held.state is SessionState.HELD
    [item] = house.inbox()
    assert item.kind == "not_signed"
    assert house.rows.signature_verdicts.by()[-1].reasons == ("key_missing",)
    assert house.adds_up()["explained_wh"] == {"not_signed": "10000"}
    registered(house, Meter(serial="ANOTHER", secret=5))
    assert house.session().state is SessionState.HELD

    registered(house, meter)

    billed = house.session()
    assert (billed.state, billed.milliwatt_hours) == (SessionState.BILLED, kwh(10))
    assert house.inbox() == []
    assert [one.energy_is_billable for one in house.rows.signature_verdicts.by()] == [False, True]
    assert house.adds_up()["explained_wh"] == {}


def test_a_key_that_is_registered_twice_bills_once(quick_house: HouseOf) -> None:
    """The form is sent again, and the worker does its job again."""
    asks_for_signatures(quick_house)
    meter = Meter()
    signed_charge(quick_house, meter)
    first = registered(quick_house, meter)
    again = registered(quick_house, meter)
    look_again(quick_house)

    assert again.key_id == first.key_id
    assert len(quick_house.rows.invoices.by()) == 1
    quick_house.adds_up()


@pytest.mark.parametrize("how", ["nothing", "garbage", "wrong", "tampered", "only the end"])
def test_there_is_no_way_back_to_plain_registers(quick_house: HouseOf, how: str) -> None:
    """Not even a person may release it: it is proved, or it is written off."""
    house, meter = quick_house, Meter()
    asks_for_signatures(house)
    registered(house, meter)
    wire = house.wire()
    began, transaction = house.now, wire.start()
    ended = house.later(60)
    good = meter.record(reading("B", 1, at(began)), reading("E", 11, at(ended)))
    records = {
        "nothing": [],
        "garbage": ["not signed at all"],
        "wrong": [Meter(secret=99).transaction()],
        "tampered": [good.replace(": 11,", ": 12,")],
        "only the end": [meter.record(reading("E", 11, at(ended)))],
    }[how]
    stop_with(house, wire, transaction, kwh(10), *records)

    assert house.session().state is SessionState.HELD
    [item] = house.inbox()
    with pytest.raises(Conflict) as refused:
        house.do(resolve_item, ResolveItem(item.item_id, Decision.RELEASE))
    assert refused.value.code == "sessions.not_proven"
    house.do(resolve_item, ResolveItem(item.item_id, Decision.WRITE_OFF, "no signature came"))
    assert house.session().state is SessionState.EXPLAINED
    assert house.adds_up()["explained_wh"] == {"written_off": "10000"}


def test_energy_and_time_are_judged_apart(sqlite_house_url: str) -> None:
    """A clock that nobody has set bills no minutes, and takes nothing from the kilowatt-hours."""
    with HouseOf(sqlite_house_url) as house:
        house.furnish(BY_THE_HOUR)
        asks_for_signatures(house)
        meter = Meter()
        registered(house, meter)
        with_clock = signed_charge(house, meter, clock="S")
        house.later(5)
        without = signed_charge(house, meter, clock="U", wire=house.wire())

        sums = {one.session_id: one.gross_minor for one in house.rows.invoices.by()}
        assert sums[with_clock.session_id] == 300 + 600
        assert without.state is SessionState.BILLED
        assert sums[without.session_id] == 300
        assert house.rows.signature_verdicts.by(session_id=without.session_id)[0].time_is_billable is False
        house.adds_up()


def test_a_record_that_was_used_is_not_used_again(house: HouseOf) -> None:
    """Yesterday's record, delivered once more with today's session."""
    asks_for_signatures(house)
    meter = Meter()
    registered(house, meter)
    wire = house.wire()
    began, first = house.now, wire.start()
    ended = house.later(5)
    record = meter.record(reading("B", 1, at(began)), reading("E", 2, at(ended)))
    stop_with(house, wire, first, kwh(1), record)
    house.later(1)
    second = wire.start()
    house.later(5)
    stop_with(house, wire, second, kwh(1), record)

    assert house.session(first).state is SessionState.BILLED
    assert house.session(second).state is SessionState.HELD
    last = house.rows.signature_verdicts.by(session_id=house.session(second).session_id)[-1]
    assert last.reasons == ("record_replayed",)
    house.adds_up()


def test_a_record_of_another_day_is_of_another_session(quick_house: HouseOf) -> None:
    """Signed by the right meter, with a good clock, never used: and not about this charging."""
    asks_for_signatures(quick_house)
    meter = Meter()
    registered(quick_house, meter)
    wire = quick_house.wire()
    old = meter.record(reading("B", 1, at(Instant(NINE - 86_400_000))), reading("E", 2, at(Instant(NINE - 80_000_000))))
    transaction = wire.start()
    quick_house.later(30)
    stop_with(quick_house, wire, transaction, kwh(1), old)

    assert quick_house.rows.signature_verdicts.by()[-1].reasons == ("session_differs",)


def test_records_come_one_by_one_late_twice_and_in_any_order(house: HouseOf) -> None:
    """The start with a meter value, samples in the middle, the end after the stop: the session waits for it, and is billed."""
    asks_for_signatures(house)
    meter = Meter()
    registered(house, meter)
    wire = house.wire()
    began, transaction = house.now, wire.start()
    begin = meter.record(reading("B", 1, at(began)))
    middle = meter.record(reading("C", 4, at(house.later(30))))
    ended = house.later(30)
    end = meter.record(reading("E", 11, at(ended)))

    def deliver(*records: str) -> None:
        fact = wire.sampled(transaction, (house.now, kwh(5)))
        signed = tuple(SignedSample(house.now, one, "Sample.Periodic") for one in records)
        house.do(follow, replace(fact, signed=signed))

    deliver(middle, begin, begin)
    stop_with(house, wire, transaction, kwh(10), begin.encode().hex())
    assert house.session().state is SessionState.HELD
    house.later(1)
    deliver(end)
    look_again(house)

    assert (house.session().state, house.session().milliwatt_hours) == (SessionState.BILLED, kwh(10))
    assert len(house.rows.signed_values.by()) == 3
    deliver(end)
    look_again(house)
    assert len(house.rows.invoices.by()) == 1
    house.adds_up()


def test_meters_are_swapped_and_keys_end(quick_house: HouseOf) -> None:
    """A key holds from the day on which its meter was built in, to the day on which it was taken out, at its EVSE."""
    house, old, new = quick_house, Meter(serial="OLD"), Meter(serial="NEW", secret=7)
    code = asks_for_signatures(house)
    swapped = Instant(NINE + 10 * 86_400_000)
    key = registered(house, old, evse_code=code)
    house.do(end_meter_key, EndMeterKey(key.key_id, swapped))
    registered(house, new, evse_code=code, valid_from=swapped)
    assert signed_charge(house, old).state is SessionState.BILLED
    house.later(5)
    assert signed_charge(house, new).state is SessionState.HELD
    house.now = Instant(swapped + 60_000)
    assert signed_charge(house, old).state is SessionState.HELD
    house.later(5)
    assert signed_charge(house, new).state is SessionState.BILLED
    reasons = [one.reasons for one in house.rows.signature_verdicts.by() if not one.energy_is_billable]
    assert reasons == [("key_not_valid_then",), ("key_not_valid_then",)]


def test_a_meter_of_another_evse_is_not_expected_here(quick_house: HouseOf) -> None:
    """Its key is known, and it is built in elsewhere: the cables were mixed up, or somebody tries something."""
    house, meter = quick_house, Meter()
    asks_for_signatures(house)
    other = asks_for_signatures(house, evse=2)
    registered(house, meter, evse_code=other)

    assert signed_charge(house, meter).state is SessionState.HELD
    assert house.rows.signature_verdicts.by()[-1].reasons == ("meter_unexpected",)


@pytest.mark.parametrize("profile", [Metrology.NONE, Metrology.MID, Metrology.US_CTEP])
def test_where_no_law_asks_the_register_is_billed(quick_house: HouseOf, profile: Metrology) -> None:
    """Signatures that come all the same are kept, and change nothing."""
    asks_for_signatures(quick_house, profile)
    session = signed_charge(quick_house, Meter(), signed=3.0)

    assert (session.state, session.evidence) == (SessionState.BILLED, Evidence.METERED)
    assert session.milliwatt_hours == kwh(10)
    assert len(quick_house.rows.signed_values.by()) == 1
    quick_house.adds_up()


def test_a_profile_holds_for_sessions_that_start_from_then_on(quick_house: HouseOf) -> None:
    """Nobody who is charging already is held for a rule that was not there."""
    wire = quick_house.wire()
    transaction = wire.start()
    quick_house.later(10)
    asks_for_signatures(quick_house)
    quick_house.later(10)
    wire.stop(transaction, 2 * KWH)

    assert quick_house.session().state is SessionState.BILLED


def test_a_start_that_never_came_is_no_reason_where_the_meter_signed_both_ends(quick_house: HouseOf) -> None:
    """The record tells where the register stood before: nothing is unknown any more."""
    house, meter = quick_house, Meter()
    asks_for_signatures(house)
    registered(house, meter)
    wire = house.wire(protocol="ocpp2.0.1")
    began, ended = house.now, house.later(30)
    record = meter.record(reading("B", 1, at(began)), reading("E", 6, at(ended)))
    fact = wire.event_ended(house.now, "tx-9", 4, kwh(5), token="CARD1")
    house.do_all(replace(fact, signed=(SignedSample(house.now, record, "Transaction.End"),)))

    session = house.session("tx-9")
    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(5))
    assert house.inbox() == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (RegisterMeterKey("", Meter().key), "meter_keys.bad_serial"),
        (RegisterMeterKey("M" * 80, Meter().key), "meter_keys.bad_serial"),
        (RegisterMeterKey("M", Meter().key[:-2]), "meter_keys.unreadable"),
        (RegisterMeterKey("M", Meter().key, "NO*SUCH*EVSE"), "evses.not_found"),
        (RegisterMeterKey("M", Meter().key, None, NINE, NINE), "meter_keys.bad_validity"),
    ],
)
def test_what_is_no_key_is_refused(quick_house: HouseOf, command: RegisterMeterKey, code: str) -> None:
    """Found when it is typed, and not when the first session is held."""
    with pytest.raises((BadInput, NotFound)) as refused:
        quick_house.do(register_meter_key, command)

    assert refused.value.code == code


def test_every_change_of_the_registry_is_recorded(quick_house: HouseOf) -> None:
    """Who registered which key, and who changed the law of measurement where."""
    asks_for_signatures(quick_house)
    key = registered(quick_house, Meter())
    quick_house.do(end_meter_key, EndMeterKey(key.key_id))

    actions = {
        one.action: one.after for one in quick_house.rows.actions.by() if one.action.startswith(("meter_", "evse."))
    }
    assert set(actions) == {"evse.change", "meter_key.register", "meter_key.end"}
    assert json.loads(json.dumps(actions["meter_key.register"]))["fingerprint"] == key.fingerprint
