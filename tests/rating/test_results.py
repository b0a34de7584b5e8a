"""Results as rows: everything that is needed to understand and to repeat a price is in them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import OfferId, RatedId
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.canonical import read_session, session_text
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import ENGINE_VERSION
from tallywatt.rating.records import Dimension, RatedTax, Unit
from tallywatt.rating.results import RatedRows, price, price_again, rated_rows
from tallywatt.rating.tariff import Tariff
from tests.rating.examples import AN_INSTANT, HOUR, MINUTE, a_session, a_tariff, an_element, sessions, tariffs

TARIFF = a_tariff(
    an_element(("ENERGY", "0.45", 20), ("PARKING_TIME", "6.00", 20, 300), ("FLAT", "0.50", 0)), currency="GBP"
)


def the_rows(session: MeteredSession, tariff: Tariff) -> RatedRows:
    """The rows of a price with fixed ids."""
    rated, amounts = price(session, tariff, STANDARD)
    return rated_rows(
        RatedId("R1"), session, rated, amounts, created_at=Instant(7), zone_data_version="2026b", offer_id=OfferId("O1")
    )


def test_a_result_carries_its_input_its_versions_and_its_totals() -> None:
    """An auditor who has the row, the tariff and the engine gets the same price."""
    session = a_session((HOUR, 12_345_678), left=HOUR + 7 * MINUTE)
    result, lines, taxes = the_rows(session, TARIFF)

    assert (result.rated_id, result.session_id, result.offer_id, result.supersedes) == ("R1", "S1", "O1", None)
    assert (result.engine_version, result.zone_data_version) == (ENGINE_VERSION, "2026b")
    assert read_session(result.canonical_input) == session
    assert (result.milliwatt_hours, result.priced_milliwatt_hours) == (12_345_678, 12_345_678)
    assert (result.net_minor, result.tax_minor, result.gross_minor) == (597, 109, 706)
    assert taxes == (
        RatedTax(RatedId("R1"), 1, Decimal(20), 547, 109, 656),
        RatedTax(RatedId("R1"), 2, Decimal(0), 50, 0, 50),
    )
    assert [line.gross_minor for line in lines] == [556, 100, 50]


def test_a_line_carries_exact_quantity_price_amount_and_reason() -> None:
    """Ten minutes are billed for seven, and the row says both."""
    _, lines, _ = the_rows(a_session((HOUR, 12_345_678), left=HOUR + 7 * MINUTE), TARIFF)
    idle = lines[1]

    assert (idle.line_number, idle.dimension, idle.unit) == (2, Dimension.PARKING_TIME, Unit.MILLISECONDS)
    assert (idle.measured, idle.quantity) == (7 * MINUTE, 10 * MINUTE)
    assert (idle.unit_price, idle.tax_rate, idle.exact_amount) == (Decimal("6.00"), Decimal(20), "1/1")
    assert (idle.period_start, idle.period_end) == (AN_INSTANT + HOUR, AN_INSTANT + HOUR + 7 * MINUTE)
    assert (idle.reason_code, idle.reason, idle.assumptions) == ("idle_time", {"step_size": 300}, ())
    assert lines[0].exact_amount == "55555551/10000000"


@given(session=sessions(), tariff=tariffs())
def test_a_stored_result_priced_again_gives_the_stored_amounts(session: MeteredSession, tariff: Tariff) -> None:
    """The audit does this to every bill."""
    result, lines, _ = the_rows(session, tariff)
    _, amounts = price_again(result, tariff.row(Instant(0)), STANDARD.row(Instant(0)))

    assert (amounts.net_minor, amounts.gross_minor) == (result.net_minor, result.gross_minor)
    assert [line.gross_minor for line in amounts.lines] == [line.gross_minor for line in lines]


def test_an_input_of_an_unknown_form_is_not_guessed_at() -> None:
    """A database of a newer version must not be re-rated by an older one."""
    text = session_text(a_session())
    newer = msgspec.json.encode(msgspec.json.decode(text) | {"form": 99}).decode()
    with pytest.raises(BadInput) as refused:
        read_session(newer)
    assert refused.value.code == "rating.form_not_known"
