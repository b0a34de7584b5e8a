"""What signed records prove: each curve, each tampering, each way in which energy or time must not be billed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tallywatt.metering.signed.curves import CURVES
from tallywatt.metering.signed.pipeline import verify_line
from tests.metering.signed.meter import BEGIN_AT, END_AT, SPEC_NAMES, Meter, der, der_figure, reading


def verify(data: Any, meter: Meter | None = None, **more: Any) -> dict[str, Any]:
    key = {} if meter is None else {"public_key": meter.key}
    return verify_line({"id": 1, "data": data, **key, **more})


def billable(answer: dict[str, Any]) -> tuple[bool, bool]:
    return answer["billable"]["energy"], answer["billable"]["time"]


@pytest.mark.parametrize("name", CURVES)
def test_a_transaction_holds_on_each_curve(name: str) -> None:
    """All seven of OCMF's table, begin and end in one record."""
    meter = Meter(name)
    answer = verify(meter.transaction(), meter, format="OCMF")

    assert answer["id"] == 1
    assert answer["format"] == "OCMF"
    assert answer["signature"] == "valid"
    assert billable(answer) == (True, True)
    assert answer["reasons"] == answer["warnings"] == []
    assert answer["energy_wh"] == 12345
    assert (answer["started_at"], answer["ended_at"]) == ("2026-11-21T09:00:00.000Z", "2026-11-21T09:30:00.000Z")


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize(
    "how", ["raw", "base64", "raw_base64", "bare_key", "compressed_key", "library_name", "no_sign_byte"]
)
def test_each_curve_in_the_ways_of_the_field(name: str, how: str) -> None:
    """Makers read the format differently; what is certain by the bytes is not refused on form."""
    meter = Meter(name)
    payload = meter.payload(reading("B", 1, BEGIN_AT), reading("E", 2, END_AT))
    data, key, section = payload.encode(), meter.key, {}
    r, s = meter.figures(data)
    match how:
        case "raw":
            section = {"SD": meter.raw(data).hex()}
        case "base64":
            section = {"SE": "base64", "SM": "application/x-der", "SD": base64.b64encode(meter.der(data)).decode()}
        case "raw_base64":
            section = {"SE": "base64", "SD": base64.b64encode(meter.raw(data)).decode()}
        case "bare_key":
            key = meter.point.hex()
        case "compressed_key":
            key = base64.b64encode(meter.compressed).decode()
        case "library_name":
            section = {"SA": f"ECDSA-{name}-SHA256"}
        case _:
            unsigned = der(0x30, der_figure(r, signed=False) + der_figure(s, signed=False))
            section = {"SD": unsigned.hex()}
    answer = verify_line({"data": meter.sign(payload, **section), "public_key": key})

    assert answer["signature"] == "valid"
    assert billable(answer) == (True, True)


def test_a_pair_of_records_is_one_transaction() -> None:
    """Most meters sign the start and the end apart."""
    meter = Meter()
    begin, end = meter.pair()

    for data in (f"{begin}\n{end}", [begin, end], f"  {begin}\r\n{end}\n"):
        answer = verify(data, meter)
        assert (answer["signature"], *billable(answer), answer["energy_wh"]) == ("valid", True, True, 12345)
    assert [one["pagination"] for one in answer["records"]] == ["T1", "T2"]


def test_records_in_the_middle_belong_to_it() -> None:
    """A tariff change at the quarter of an hour is signed, too; the page numbers go on."""
    meter = Meter()
    records = [
        meter.record(reading("B", 1, BEGIN_AT)),
        meter.record(reading("T", 2, "2026-11-21T10:15:00,000+0100 S")),
        meter.record(reading("E", 3, END_AT)),
    ]

    assert verify(records, meter)["energy_wh"] == 2000
    assert billable(verify(records, meter)) == (True, True)
    without = verify([records[0], records[2]], meter)
    assert billable(without) == (True, True)
    assert without["warnings"] == ["pagination_gap"]


@pytest.mark.parametrize("name", CURVES)
def test_a_payload_with_one_digit_changed_does_not_hold(name: str) -> None:
    """The first thing that anybody would try."""
    meter = Meter(name)
    answer = verify(meter.transaction().replace("1012.345", "1912.345"), meter)

    assert answer["signature"] == "invalid"
    assert billable(answer) == (False, False)
    assert answer["reasons"] == ["signature_wrong"]
    assert "energy_wh" not in answer


@pytest.mark.parametrize("name", CURVES)
def test_a_signature_with_one_bit_changed_does_not_hold(name: str) -> None:
    """Whether it is still a signature or none any more."""
    meter = Meter(name)
    payload = meter.payload(reading("B", 1, BEGIN_AT), reading("E", 2, END_AT))
    good = meter.der(payload.encode())
    for place in (0, 1, 3, len(good) // 2, len(good) - 1):
        bad = bytearray(good)
        bad[place] ^= 1
        answer = verify(meter.sign(payload, SD=bad.hex()), meter)
        assert answer["signature"] == "invalid"
        assert billable(answer) == (False, False)


@pytest.mark.parametrize("name", CURVES)
def test_another_key_does_not_hold(name: str) -> None:
    """A meter that was swapped, or a station that signs for itself."""
    meter, other = Meter(name), Meter(name, secret=12345)
    answer = verify(meter.transaction(), other)

    assert answer["signature"] == "invalid"
    assert billable(answer) == (False, False)


def test_blanks_inside_of_the_payload_are_part_of_it() -> None:
    """The signature is over the bytes, not over what they mean."""
    meter = Meter()
    payload = json.dumps(json.loads(meter.payload(reading("B", 1), reading("E", 2, END_AT))), indent=2)

    assert verify(meter.sign(payload), meter)["signature"] == "valid"
    assert verify(meter.sign(payload).replace("\n", "\r\n"), meter)["signature"] == "invalid"
    assert verify("\n" + meter.sign(payload) + "\n", meter)["signature"] == "valid"


def test_a_bar_within_a_text_ends_nothing() -> None:
    """The format forbids it, a tariff's name may have one all the same, and the meter signed it."""
    meter = Meter()

    assert billable(verify(meter.transaction(TT="day|night"), meter)) == (True, True)
    assert verify(f"{meter.transaction(TT='day|night')}|{meter.key}")["signature"] == "valid"


def test_a_curve_named_by_the_record_must_be_that_of_the_key() -> None:
    """The section of the signature is not signed: whoever changes it must not choose the curve."""
    meter = Meter("secp256k1")
    payload = meter.payload(reading("B", 1, BEGIN_AT), reading("E", 2, END_AT))

    told = verify(meter.sign(payload, SA="ECDSA-secp256r1-SHA256"), meter)
    assert told["signature"] == "invalid"
    assert told["reasons"] == ["algorithm_differs"]
    silent = verify(meter.sign(payload, SA=None), meter)
    assert silent["signature"] == "valid"
    assert silent["warnings"] == ["algorithm_not_told"]
    default = Meter()
    record = default.sign(default.payload(reading("B", 1, BEGIN_AT), reading("E", 2, END_AT)), SA=None)
    assert verify_line({"data": record, "public_key": default.point.hex()})["billable"]["energy"] is True


@pytest.mark.parametrize(
    "section", [{"SA": "RSA-2048-SHA256"}, {"SA": "ECDSA-secp256r1-SHA512"}, {"SA": "ECDSA"}, {"SM": "text/plain"}]
)
def test_another_algorithm_cannot_be_verified(section: dict[str, str]) -> None:
    """Not valid and not wrong: nobody can say."""
    meter = Meter()
    answer = verify(meter.sign(meter.payload(reading("B", 1), reading("E", 2, END_AT)), **section), meter)

    assert answer["signature"] == "unverifiable"
    assert answer["reasons"] == ["algorithm_unsupported"]
    assert billable(answer) == (False, False)


def test_a_key_in_the_data_proves_the_signature_and_nothing_more() -> None:
    """Whoever forges a record can put a key beside it."""
    meter = Meter()
    record = meter.transaction()

    for answer in (
        verify(f"{record}|{meter.key}"),
        verify({"signedMeterData": record, "publicKey": meter.key, "encodingMethod": "OCMF", "signingMethod": ""}),
    ):
        assert answer["signature"] == "valid"
        assert billable(answer) == (False, False)
        assert answer["reasons"] == ["key_not_registered"]
        assert answer["energy_wh"] == 12345
    nothing = verify(record)
    assert nothing["signature"] == "unverifiable"
    assert nothing["reasons"] == ["key_missing"]


def test_the_key_that_is_given_holds_against_the_one_in_the_data() -> None:
    """The registry decides; that the data says otherwise is worth knowing."""
    meter, other = Meter(), Meter(secret=77)
    good = verify(f"{meter.transaction()}|{other.key}", meter)
    bad = verify(f"{other.transaction()}|{other.key}", meter)

    assert (good["signature"], billable(good), good["warnings"]) == ("valid", (True, True), ["delivered_key_differs"])
    assert bad["signature"] == "invalid"
    assert "signed_by_other_key" in bad["reasons"]


@pytest.mark.parametrize("key", ["no key", "00", "3059301306072A8648CE3D020106082A8648CE3D030107034200"])
def test_a_key_that_cannot_be_read_verifies_nothing(key: str) -> None:
    """Also where the data carries one: the given key is the one that was meant."""
    meter = Meter()
    answer = verify_line({"data": f"{meter.transaction()}|{meter.key}", "public_key": key})

    assert answer["signature"] == "unverifiable"
    assert "key_unreadable" in answer["reasons"]
    assert billable(answer) == (False, False)


SESSIONS_MIXED: dict[str, tuple[dict[str, Any], str]] = {
    "another meter": ({"MS": "ANOTHER"}, "meter_differs"),
    "another gateway": ({"GS": "GW-2"}, "meter_differs"),
    "another user": ({"ID": "FFFFFFFF"}, "user_differs"),
    "another charge point": ({"CI": "DE*ABC*E2"}, "charge_point_differs"),
    "a fiscal reading": ({"PG": "F9"}, "not_of_a_transaction"),
    "an old page": ({"PG": "T0"}, "records_out_of_order"),
    "the same page": ({"PG": "T1"}, "pagination_not_rising"),
    "no page": ({"PG": None}, "pagination_missing"),
}


@pytest.mark.parametrize("how", SESSIONS_MIXED)
def test_an_end_of_something_else_bills_nothing(how: str) -> None:
    """Each record holds by itself; together they are no transaction."""
    more, reason = SESSIONS_MIXED[how]
    meter = Meter()
    begin = meter.record(reading("B", 1, BEGIN_AT))
    end = meter.record(reading("E", 2, END_AT), **more)
    answer = verify([begin, end], meter)

    assert answer["signature"] == "valid"
    assert reason in answer["reasons"]
    assert billable(answer) == (False, False)


def test_records_that_were_swapped_or_replayed_bill_nothing() -> None:
    """The end of yesterday with the start of today, or one record in both places."""
    meter = Meter()
    begin, end = meter.pair(1, 2)
    later, last = meter.pair(3, 4)

    assert verify([end, begin], meter)["reasons"] == ["records_out_of_order"]
    assert "register_fell" in verify([later, end], meter)["reasons"]
    assert "record_replayed" in verify([begin, begin, end], meter)["reasons"]
    assert verify([begin, begin], meter)["reasons"][:2] == ["record_replayed", "pagination_not_rising"]
    assert "begin_twice" in verify([begin, end, later, last], meter)["reasons"]
    for records in ([end, begin], [later, end], [begin, begin, end], [begin, begin], [begin, end, later, last]):
        assert billable(verify(records, meter)) == (False, False)


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        ((("E", 2, END_AT), ("B", 1, BEGIN_AT)), "readings_out_of_order"),
        ((("B", 1, BEGIN_AT),), "end_missing"),
        ((("E", 1, END_AT),), "begin_missing"),
        ((("C", 1, END_AT),), "begin_missing"),
        ((("B", 1, BEGIN_AT), ("B", 1, BEGIN_AT), ("E", 2, END_AT)), "begin_twice"),
        ((("B", 1, BEGIN_AT), ("E", 2, END_AT), ("L", 2, END_AT)), "end_twice"),
        ((("B", 1, BEGIN_AT), ("X", 2, END_AT), ("E", 2, END_AT)), "error_during_charging"),
        ((("B", 1, END_AT), ("E", 2, BEGIN_AT)), "time_fell"),
    ],
)
def test_readings_that_are_no_transaction_bill_nothing(readings: tuple[Any, ...], reason: str) -> None:
    """Exactly one start, then exactly one end, and no error between them."""
    meter = Meter()
    answer = verify(meter.record(*(reading(*one) for one in readings)), meter)

    assert answer["signature"] == "valid"
    assert reason in answer["reasons"]
    assert billable(answer) == (False, False)


@pytest.mark.parametrize("purpose", "ELRAP")
def test_every_end_is_an_end(purpose: str) -> None:
    """Stopped locally, remotely, by an error, by a power failure: the energy until then was delivered."""
    meter = Meter()

    assert billable(verify(meter.record(reading("B", 1), reading(purpose, 2, END_AT)), meter)) == (True, True)


ONLY_TIME: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "energy flagged": ({}, {"EF": "E"}, "energy_error"),
    "energy flagged at the start": ({"EF": "E"}, {"EF": ""}, "energy_error"),
    "meter not in order": ({}, {"ST": "F"}, "meter_status"),
    "meter exchanged": ({"ST": "X"}, {"ST": "G"}, "meter_status"),
    "no status": ({"ST": None}, {}, "meter_status"),
    "register fell": ({"RV": 3}, {"RV": 2}, "register_fell"),
    "unit of a resistance": ({"RU": "mOhm"}, {}, "unit_unknown"),
    "megawatt-hours": ({"RU": "MWh"}, {}, "unit_unknown"),
    "two units": ({"RU": "Wh"}, {"RU": "kWh"}, "unit_differs"),
    "no unit": ({"RU": None}, {}, "unit_unknown"),
    "a text": ({"RV": "many"}, {}, "value_unreadable"),
    "no figure": ({"RV": None}, {}, "value_unreadable"),
    "below zero": ({"RV": -1}, {}, "value_unreadable"),
    "beyond all meters": ({"RV": "1e400"}, {"RV": "2e400"}, "value_unreadable"),
    "energy fed back": ({"RI": "1-0:2.8.0*255"}, {}, "register_unknown"),
    "one phase": ({"RI": "1-0:21.8.0*255"}, {}, "register_unknown"),
    "power": ({"RI": "1-0:1.7.0*255"}, {}, "register_unknown"),
    "no register": ({"RI": None}, {}, "register_unknown"),
}


@pytest.mark.parametrize("how", ONLY_TIME)
def test_energy_may_be_unusable_while_time_is_not(how: str) -> None:
    """Energy and time are judged apart."""
    at_begin, at_end, reason = ONLY_TIME[how]
    first = reading("B", 1, BEGIN_AT, **at_begin)
    last = {"TM": END_AT, "TX": "E", "RV": 2, **at_end}
    meter = Meter()
    answer = verify(meter.record(first, last), meter)

    assert answer["signature"] == "valid"
    assert answer["reasons"] == [reason]
    assert billable(answer) == (False, True)


@pytest.mark.parametrize(
    ("at_begin", "at_end", "reason"),
    [
        ("2026-11-21T10:00:00,000+0100 U", "2026-11-21T10:30:00,000+0100 U", "clock_not_synchronised"),
        ("2026-11-21T10:00:00,000+0100 I", "2026-11-21T10:30:00,000+0100 I", "clock_not_synchronised"),
        ("2026-11-21T10:00:00,000+0100 S", "2026-11-21T10:30:00,000+0100 I", "clock_not_synchronised"),
        ("2026-11-21T10:00:00,000+0100 R", "2026-11-21T10:30:00,000+0100 S", "clock_not_synchronised"),
        ("2026-11-21T10:00:00,000+0100", "2026-11-21T10:30:00,000+0100", "clock_not_synchronised"),
        ("1970-01-01T01:01:49,000+0100 U", "1970-01-01T01:31:49,000+0100 U", "clock_not_synchronised"),
        ("yesterday S", "today S", "time_unreadable"),
        ("2026-13-41T10:00:00,000+0100 S", "2026-11-21T10:30:00,000+0100 S", "time_unreadable"),
    ],
)
def test_a_clock_that_is_not_synchronised_bills_no_time(at_begin: str, at_end: str, reason: str) -> None:
    """The kilowatt-hours are as good as ever."""
    meter = Meter()
    answer = verify(meter.record(reading("B", 1, at_begin), reading("E", 2, at_end)), meter)

    assert answer["signature"] == "valid"
    assert reason in answer["reasons"]
    assert billable(answer) == (True, False)


@pytest.mark.parametrize("at_begin", ["I", "R", "S"])
def test_a_duration_that_was_measured_as_one_is_billable(at_begin: str) -> None:
    """R: how long is certain, at what time of day is not."""
    meter = Meter()
    began, ended = BEGIN_AT[:-1] + at_begin, END_AT[:-1] + "R"
    answer = verify(meter.record(reading("B", 1, began), reading("E", 2, ended)), meter)

    assert billable(answer) == (True, True)
    assert answer["time_basis"] == "duration"
    assert answer["warnings"] == ["duration_only"]


def test_time_that_the_meter_calls_unusable_is_not_billed() -> None:
    """The flag t at either end; a flag for both leaves nothing."""
    meter = Meter()
    only_time = verify(meter.record(reading("B", 1), reading("E", 2, END_AT, EF="t")), meter)
    both = verify(meter.record(reading("B", 1, EF="Et"), reading("E", 2, END_AT, EF="Et")), meter)

    assert (billable(only_time), only_time["reasons"]) == ((True, False), ["time_error"])
    assert (billable(both), both["reasons"]) == ((False, False), ["energy_error", "time_error"])


def test_fields_that_are_left_out_are_those_of_the_reading_before() -> None:
    """Within one record, as the format says; also the purpose."""
    meter = Meter()
    record = meter.record(
        reading("B", 1, BEGIN_AT),
        {"TX": "C", "RV": 1.5, "TM": "2026-11-21T10:10:00,000+0100 S"},
        {"RV": 1.75, "TM": "2026-11-21T10:20:00,000+0100 S"},
        {"TX": "E", "RV": 2, "TM": END_AT},
    )
    answer = verify(record, meter)

    assert billable(answer) == (True, True)
    assert [one["purpose"] for one in answer["records"][0]["readings"]] == ["B", "C", "C", "E"]
    flagged = verify(meter.record(reading("B", 1, BEGIN_AT, EF="E"), {"TX": "E", "RV": 2, "TM": END_AT}), meter)
    assert flagged["reasons"] == ["energy_error"]


def test_one_register_is_picked_and_none_are_mixed() -> None:
    """What reached the vehicle wins over what left the mains; what it fed back is none of it; a duration is no energy."""
    meter = Meter()

    def ends(register: str, begin: Any, end: Any, unit: str = "kWh") -> list[dict[str, Any]]:
        about = {"RI": register, "RU": unit}
        return [reading("B", begin, BEGIN_AT, **about), reading("E", end, END_AT, **about)]

    def energy(*pairs: list[dict[str, Any]]) -> tuple[Any, list[str]]:
        begins, finals = [one[0] for one in pairs], [one[1] for one in pairs]
        answer = verify(meter.record(*begins, *finals), meter)
        return answer["energy_wh"], answer["reasons"]

    mains, device = ends("1-0:1.8.0*255", 100, 110), ends("1-0:98.8.0*255", 0, 9.5)
    assert energy(mains, device) == (9500, [])
    assert energy(ends("1-b:B2.8.0", 0, 10), ends("1-b:B3.8.0", 0, 9.5)) == (9500, [])
    assert energy(mains, ends("1-0:2.8.0*255", 1, 7)) == (10000, [])
    assert energy(mains, ends("01-00:00.08.06.FF", 0, 30, "sec")) == (10000, [])
    assert energy(mains, ends("1-0:1.8.0*198", 0, 10)) == (10000, [])
    assert energy(mains, ends("1-0:1.8.1*255", 5, 6)) == (10000, [])
    assert energy(mains, ends("1-0:1.8.0*198", 0, 11)) == (10000, ["register_ambiguous"])


def test_figures_keep_every_digit() -> None:
    """As numbers, as texts, with blanks and zeros, with an exponent; what is less than a milliwatt-hour is not sold."""
    meter = Meter()

    def energy(begin: str, end: str, unit: str = "kWh") -> Any:
        payload = meter.payload(reading("B", "@1", RU=unit), reading("E", "@2", END_AT, RU=unit))
        return verify(meter.sign(payload.replace('"@1"', begin).replace('"@2"', end)), meter)["energy_wh"]

    assert str(energy("9007199254.740993", "9007199254.740994")) == "0.001"
    assert energy('"00000000.000"', '"       9.038"') == 9038
    assert energy("1.5E1", "2.5e1") == 10000
    assert energy("29356e2", "29366e2", "Wh") == 1000
    assert energy("0.1", "0.30000009") == 200
    assert str(energy("1.0000", "1.0001")) == "0.1"


def test_the_loss_of_the_cable_is_told_and_not_taken_off_again() -> None:
    """CL is in the register already."""
    meter = Meter()
    answer = verify(
        meter.record(
            reading("B", 1, CL=0), reading("E", 11, END_AT, CL=0.25), LC={"LN": "cable", "LR": 2, "LU": "mOhm"}
        ),
        meter,
    )

    assert answer["energy_wh"] == 10000
    assert answer["loss_wh"] == 250


def test_an_event_that_the_meter_counted_between_both_ends_bills_nothing() -> None:
    """Somebody was at the meter."""
    meter = Meter()
    answer = verify(meter.record(reading("B", 1, EI=7), reading("E", 2, END_AT, EI=8)), meter)

    assert answer["reasons"] == ["events_between"]
    assert billable(answer) == (False, False)


@pytest.mark.parametrize("level", ["MISMATCH", "INVALID", "OUTDATED", "UNKNOWN"])
def test_a_user_whose_identification_failed_is_not_billed(level: str) -> None:
    """The meter knows that somebody else may have charged."""
    meter = Meter()
    answer = verify(meter.transaction(IL=level), meter)

    assert answer["reasons"] == ["user_not_identified"]
    assert billable(answer) == (False, False)


def test_a_name_that_stands_twice_says_two_things() -> None:
    """One reader takes the first, another the last: a record that two read differently is not billed."""
    meter = Meter()
    payload = meter.payload(reading("B", 1), reading("E", 2, END_AT))
    inside = verify(meter.sign(payload.replace('"RV": 2', '"RV": 2, "RV": 9')), meter)
    outside = verify(meter.sign(payload.replace('"FV"', '"MS": "OTHER", "FV"')), meter)

    for answer in (inside, outside):
        assert answer["signature"] == "valid"
        assert answer["reasons"] == ["duplicate_key"]
        assert billable(answer) == (False, False)
    good = meter.sign(payload)
    twice = verify(good[:-1] + ', "SD": "00"}', meter)
    assert twice["signature"] == "invalid"


@pytest.mark.parametrize("version", ["0.4", "1.0", "1.3", "1.4", None])
def test_the_versions_in_the_field_are_read(version: str | None) -> None:
    """Fields were added, none changed its meaning."""
    meter = Meter()

    assert billable(verify(meter.transaction(FV=version), meter)) == (True, True)
    future = verify(meter.transaction(FV="2.0"), meter)
    assert (future["signature"], future["reasons"]) == ("unverifiable", ["version_unknown"])


def test_a_record_that_does_not_say_of_which_meter_it_is_bills_nothing() -> None:
    """Its key could be any meter's."""
    meter = Meter()

    assert verify(meter.transaction(MS=None, GS=None), meter)["reasons"] == ["meter_missing"]
    assert billable(verify(meter.transaction(MS=None), meter)) == (True, True)


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"meter_serial": "1emh0012345678 "}, None),
        ({"meter_serial": "GW-1", "user": "04a1b2c3d4", "after_pagination": "T0"}, None),
        ({"meter_serial": "2EMH"}, "meter_unexpected"),
        ({"user": "OTHER"}, "user_differs"),
        ({"after_pagination": "T1"}, "record_replayed"),
        ({"after_pagination": 5}, "record_replayed"),
        ({"after_pagination": "soon"}, None),
    ],
)
def test_what_is_known_from_elsewhere_is_compared(expect: dict[str, Any], reason: str | None) -> None:
    """The meter that was installed, the card that was shown, the page that was billed last."""
    meter = Meter()
    answer = verify(meter.transaction(), meter, expect=expect)

    assert answer["reasons"] == ([] if reason is None else [reason])
    assert billable(answer) == ((reason is None,) * 2)


@pytest.mark.parametrize("how", ["hex", "base64", "base64 of hex", "a list", "json in a string", "sampled values"])
def test_records_are_found_inside_of_what_stations_send(how: str) -> None:
    """OCPP 1.6 says hex, 2.x base64; stations do what they like."""
    meter = Meter()
    record = meter.transaction()
    data: Any = {
        "hex": record.encode().hex(),
        "base64": base64.b64encode(record.encode()).decode(),
        "base64 of hex": base64.b64encode(record.encode().hex().encode()).decode(),
        "a list": [record],
        "json in a string": json.dumps(json.dumps({"signedMeterData": base64.b64encode(record.encode()).decode()})),
        "sampled values": [{"value": record, "format": "SignedData", "context": "Transaction.End"}],
    }[how]
    answer = verify(data, meter, format="OCMF")

    assert answer["format"] == "OCMF"
    assert billable(answer) == (True, True)


def test_the_names_of_the_specification_are_the_ones_that_are_tried() -> None:
    """The vectors use OCMF's names where they differ from a library's."""
    assert set(SPEC_NAMES) < set(CURVES)
