"""Sessions told in one piece by somebody else: the same workflow for every source, the same session for the same id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.metering.session import Evidence, SessionState, Source
from tallywatt.workflows.bring_session import BringSession, bring_session
from tests.workflows.house_of import MINUTE, NINE, kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

TOLD = BringSession(
    source=Source.CSV,
    upstream_id="row-17",
    started_at=NINE,
    ended_at=Instant(NINE + 90 * MINUTE),
    milliwatt_hours=kwh(12.345),
    station="CP1",
    evse_number=2,
    customer_reference="C1",
)


def test_it_is_priced_numbered_booked_and_collected_like_the_others(house: HouseOf) -> None:
    """And the audit, which looks at the same rows, finds that all adds up."""
    house.keep_a_card()
    session = house.do(bring_session, TOLD)
    assert (session.state, session.evidence) == (SessionState.BILLED, Evidence.REPORTED)
    [invoice] = house.rows.invoices.by(session_id=session.session_id)
    assert invoice.gross_minor == 370  # 12.345 kWh at 0.30
    house.collect()
    [payment] = house.rows.payments.by(session_id=session.session_id)
    assert payment.captured_minor == 370
    house.adds_up()


def test_the_same_session_again_is_the_same_session(house: HouseOf) -> None:
    """An import that is run twice bills nobody twice."""
    first = house.do(bring_session, TOLD)
    again = house.do(bring_session, TOLD)
    assert again.session_id == first.session_id
    assert len(house.rows.invoices.by()) == 1


def test_another_source_may_use_the_same_id(house: HouseOf) -> None:
    """Ids are unique where they come from."""
    house.do(bring_session, TOLD)
    house.do(bring_session, replace(TOLD, source=Source.API))
    assert len(house.rows.sessions.by()) == 2


def test_the_end_of_the_energy_is_kept_where_it_is_told(house: HouseOf) -> None:
    """Idle time is priced from there."""
    told = replace(TOLD, energy_ended_at=Instant(NINE + 30 * MINUTE))
    session = house.do(bring_session, told)
    assert session.energy_ended_at == NINE + 30 * MINUTE
    assert session.milliwatt_hours == kwh(12.345)
    house.adds_up()


def test_more_than_the_evse_can_deliver_is_held(house: HouseOf) -> None:
    """A figure told by somebody else is judged like a meter's."""
    session = house.do(bring_session, replace(TOLD, milliwatt_hours=kwh(400)))
    assert session.state is SessionState.HELD
    assert [item.kind for item in house.inbox()] == ["implausible"]
    house.adds_up()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"upstream_id": "x" * 65}, "sessions.bad_upstream_id"),
        ({"ended_at": NINE - 1}, "sessions.times_not_in_order"),
        ({"occupancy_ended_at": NINE}, "sessions.times_not_in_order"),
        ({"milliwatt_hours": -1}, "sessions.energy_not_credible"),
        ({"milliwatt_hours": 10**15}, "sessions.energy_not_credible"),
        ({"started_at": NINE - 40 * 24 * 60 * MINUTE}, "sessions.times_not_credible"),
        ({"station": None}, "sessions.no_place"),
    ],
)
def test_what_cannot_be_meant_is_refused(quick_house: HouseOf, change: dict[str, Any], code: str) -> None:
    """Nothing is written down."""
    with pytest.raises(BadInput) as refused:
        quick_house.do(bring_session, replace(TOLD, **change))
    assert refused.value.code == code
    assert quick_house.rows.sessions.by() == []


def test_the_same_id_with_other_values_is_a_conflict(quick_house: HouseOf) -> None:
    """What was billed is not edited by bringing it again."""
    quick_house.do(bring_session, TOLD)
    for change in ({"milliwatt_hours": 1}, {"token_uid": "CARD1"}, {"evse_number": 1}):
        with pytest.raises(Conflict):
            quick_house.do(bring_session, replace(TOLD, **change))
