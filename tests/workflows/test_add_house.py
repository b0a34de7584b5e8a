"""Moving in: operators, locations, stations, customers, tokens; each once, each recorded, each refusal with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound, TallywattError
from tallywatt.rating.records import Scope
from tallywatt.stations.credentials import Knocked
from tallywatt.stations.station import Role, StationState
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, AdoptStation, NewEvse, add_station, adopt_station, knock
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tests.workflows.house_of import NINE, PER_KWH, HouseOf, Wire, kwh

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED: dict[str, tuple[Callable[[Any, Any], Any], object, type[TallywattError], str]] = {
    "a slug with capitals": (add_operator, AddOperator("Dundee", "D"), BadInput, "operators.bad_slug"),
    "a country of three letters": (add_operator, AddOperator("d", "D", country="GBR"), BadInput, "operators.bad_codes"),
    "a zone that is none": (add_operator, AddOperator("d", "D", zone="Europe/Dundee"), BadInput, "time.unknown_zone"),
    "a currency that is none": (add_operator, AddOperator("d", "D", currency="XXX"), BadInput, "money.unknown_currency"),
    "the operator again": (add_operator, AddOperator("dundee", "D"), Conflict, "operators.slug_taken"),
    "the location again": (add_location, AddLocation("depot", "D"), Conflict, "locations.reference_taken"),
    "a location without its zone": (add_location, AddLocation("x", "X", zone="Mars"), BadInput, "time.unknown_zone"),
    "the station again": (add_station, AddStation("CP1", "depot"), Conflict, "stations.identity_taken"),
    "a station nowhere": (add_station, AddStation("CP9", "nowhere"), NotFound, "locations.not_found"),
    "a station without EVSE": (add_station, AddStation("CP9", evses=()), BadInput, "stations.bad_evses"),
    "an EVSE twice": (add_station, AddStation("CP9", evses=(NewEvse(1), NewEvse(1))), BadInput, "stations.bad_evses"),
    "EVSE 0": (add_station, AddStation("CP9", evses=(NewEvse(0),)), BadInput, "stations.bad_evses"),
    "an EVSE id in use": (
        add_station, AddStation("CP9", evses=(NewEvse(1, code="GB*TWA*ECP1*1"),)), Conflict, "stations.evse_code_taken",
    ),
    "a station that never knocked": (adopt_station, AdoptStation("CP9"), NotFound, "stations.not_found"),
    "the customer again": (add_customer, AddCustomer("C1"), Conflict, "customers.reference_taken"),
    "the token again, in another case": (add_token, AddToken("card1"), Conflict, "tokens.uid_taken"),
    "a token of nobody": (add_token, AddToken("X", "nobody"), NotFound, "customers.not_found"),
    "an empty token": (add_token, AddToken("  "), BadInput, "tokens.bad_uid"),
    "a token too long": (add_token, AddToken("x" * 37), BadInput, "tokens.bad_uid"),
    "a tariff that is none": (assign_tariff, AssignTariff("nothing"), NotFound, "tariffs.not_found"),
    "a place that is none": (
        assign_tariff, AssignTariff("plain", Scope.LOCATION, "nowhere"), NotFound, "tariffs.no_such_place",
    ),
    "an end before its begin": (
        assign_tariff, AssignTariff("plain", valid_from=NINE, valid_until=NINE), BadInput, "tariffs.bad_validity",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_has_a_code_and_changes_nothing(quick_house: HouseOf, what: str) -> None:
    """Programs read the code, people the sentence; a half-made thing stays nowhere."""
    workflow, command, error, code = REFUSED[what]
    before = _counts(quick_house)

    with pytest.raises(error) as caught:
        quick_house.do(workflow, command)

    assert caught.value.code == code
    assert _counts(quick_house) == before


def _counts(house: HouseOf) -> dict[str, int]:
    tables = (
        "operators",
        "locations",
        "stations",
        "evses",
        "customers",
        "tokens",
        "tariff_assignments",
        "events",
        "actions",
    )
    return {name: house.reader.execute(f"SELECT count(*) FROM {name}")[0][0] for name in tables}


def test_whoever_does_it_is_recorded(house: HouseOf) -> None:
    """Who, what, when (RULES §9), in the transaction of the action."""
    house.later(5)
    house.do(add_customer, AddCustomer("C2", name="Driver Two"), actor="key:7")

    [record] = [one for one in house.rows.actions.by(action="customer.add") if one.caller_id == "7"]
    assert (record.caller_kind, record.subject_kind, record.recorded_at) == ("key", "customer", house.now)


def test_what_is_personal_lies_apart(house: HouseOf) -> None:
    """A customer may have no details at all, or lose them later."""
    house.do(add_customer, AddCustomer("C2"))

    anonymous = house.rows.customers.one_by(reference="C2")
    assert anonymous is not None
    assert house.rows.customer_details.find(anonymous.customer_id) is None


def test_a_new_station_has_codes_roles_and_a_counter(house: HouseOf) -> None:
    """Codes as drivers read them (ISO 15118), the operator in all three roles, transaction ids from 0."""
    wire = house.station("AB-12/3", evses=2)

    evses = house.rows.evses.by(station_id=wire.station_id)
    assert [evse.code for evse in evses] == ["GB*TWA*EAB123*1", "GB*TWA*EAB123*2"]
    roles = house.rows.evse_roles.by(evse_id=evses[0].evse_id)
    assert {row.role for row in roles} == set(Role)
    assert house.rows.transaction_counters.get(wire.station_id).last_transaction_id == 0


def test_a_station_that_knocks_waits_in_quarantine_and_is_adopted(house: HouseOf) -> None:
    """With the key that it showed first, and its transaction counter goes on."""
    knocked = Knocked("NEW", "its-hash", NINE)
    credential = house.do(knock, knocked)
    assert credential is not None
    assert house.do(knock, knocked) == credential
    wire = Wire(house, credential.station_id)
    first = wire.start()

    adopted = house.do(adopt_station, AdoptStation("NEW", "depot"))

    assert (adopted.state, adopted.key_hash) == (StationState.ADOPTED, "its-hash")
    assert house.do(adopt_station, AdoptStation("NEW", "depot")) == adopted
    assert int(wire.start(at=house.later(1))) == int(first) + 1


def test_adding_a_station_that_knocked_adopts_it(house: HouseOf) -> None:
    """It is the same station."""
    credential = house.do(knock, Knocked("NEW", "its-hash", NINE))
    assert credential is not None

    station = house.do(add_station, AddStation("NEW", "depot", "new-hash"))

    assert (station.station_id, station.state, station.key_hash) == (
        credential.station_id,
        StationState.ADOPTED,
        "new-hash",
    )


def test_a_station_without_a_key_is_not_adopted(house: HouseOf) -> None:
    """Nobody could tell it from another one."""
    house.do(knock, Knocked("NEW", None, NINE))

    with pytest.raises(BadInput) as caught:
        house.do(adopt_station, AdoptStation("NEW", "depot"))
    assert caught.value.code == "stations.no_key"


def test_the_same_tariff_is_one_version_and_another_content_another_one(house: HouseOf) -> None:
    """Its id is the hash of its canonical JSON."""
    first = house.do(put_tariff, PutTariff(PER_KWH)).version
    again = house.do(put_tariff, PutTariff(dict(reversed(PER_KWH.items())))).version
    other = house.do(put_tariff, PutTariff({**PER_KWH, "tax_included": "NO"})).version

    assert first == again
    assert other.tariff_version_id != first.tariff_version_id
    assert len(house.rows.tariff_versions.by(reference="plain")) == 2


def test_a_session_keeps_the_price_that_held_when_it_started(house: HouseOf) -> None:
    """A tariff that is put while it charges is for the next one."""
    dearer = {
        **PER_KWH,
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.9, "vat": 20, "step_size": 1}]}],
    }
    wire = house.wire()
    transaction = wire.start()
    house.later(30)
    put = house.do(put_tariff, PutTariff(dearer))
    house.do(assign_tariff, AssignTariff(put.version.tariff_version_id, Scope.STATION, "CP1"))
    wire.stop(transaction, kwh(10))
    following = wire.start(at=house.later(1), meter=kwh(10))
    house.later(60)
    wire.stop(following, kwh(20))

    assert [row.gross_minor for row in sorted(house.rows.invoices.by(), key=lambda one: one.sequence)] == [300, 900]
    house.adds_up()


def test_two_operators_do_not_see_each_other(house: HouseOf) -> None:
    """The same references, identities and tokens, and nothing shared."""
    other = HouseOf(house.url, operator=type(house.operator)("01890000-0000-7000-8000-000000000002"))
    other.now = Instant(house.now)
    with other:
        other.do(add_operator, replace(AddOperator("perth", "Perth Charging")))
        other.do(add_location, AddLocation("depot", "Depot"))
        wire = other.station("CP1")
        answer = wire.tell_start(wire.started(NINE))

        assert answer.authorization == "Invalid", "the card is another operator's"
        assert house.rows.sessions.by() == []
        assert len(other.rows.sessions.by()) == 1
