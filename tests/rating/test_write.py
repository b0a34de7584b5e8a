"""Tariffs and records as OCPI's objects: what is written prices the same when it is read again, or says what it lost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.cdr import read_cdr
from tallywatt.rating.fields import Version
from tallywatt.rating.pipeline import read_wishes
from tallywatt.rating.rate import rate
from tallywatt.rating.rate_cdr import rate_record
from tallywatt.rating.read import read_tariff, version_of
from tallywatt.rating.tariff import Tariff
from tallywatt.rating.write import write_cdr, write_tariff
from tests.rating.examples import a_tariff, an_element, limited_tariffs, sessions, tariffs

CASES = sorted((Path(__file__).parents[1] / "cases").glob("cdr_*.json"))
_encoder = msgspec.json.Encoder(decimal_format="number")


def through_json(data: Any) -> Any:
    """What a partner reads of it, every figure as it was written."""
    return json.loads(_encoder.encode(data), parse_float=Decimal)


@given(
    session=sessions(),
    tariff=st.one_of(tariffs(st.sampled_from([1, 60, 900])), limited_tariffs()),
    version=st.sampled_from(list(Version)),
)
def test_a_tariff_that_loses_nothing_prices_the_same_when_it_is_read_again(
    session: MeteredSession, tariff: Tariff, version: Version
) -> None:
    """A partner who reads our tariff comes to our price."""
    written = write_tariff(tariff, version)
    if written.lost:
        return
    again = rate(session, read_tariff(through_json(written.data), version))
    first = rate(session, tariff)
    assert (again.exact_before_taxes, again.exact_after_taxes) == (first.exact_before_taxes, first.exact_after_taxes)


@given(tariff=tariffs())
def test_the_newest_version_loses_nothing_but_the_missing_block(tariff: Tariff) -> None:
    """2.3.0 has a word for all that our prices are made of, except for billing without blocks."""
    lost = write_tariff(tariff, Version.OCPI_2_3_0).lost
    assert all(path.endswith(".step_size") for path in lost)


def test_what_a_version_cannot_say_is_told() -> None:
    """An operator who publishes a tariff to an old partner must know what that partner will not see."""
    tariff = a_tariff(
        an_element(("TIME", "2.40", 20, 60), reservation="RESERVATION"),
        an_element(("ENERGY", "1.20", 20, 1), min_current=32),
        an_element(("ENERGY", "0.50", 19, 1), ("FLAT", "1.00")),
        name="Night",
        min_price={"after_taxes": 1},
        max_price={"before_taxes": 9, "after_taxes": 11},
        type="REGULAR",
    )
    old = write_tariff(tariff, Version.OCPI_2_1_1)
    assert old.lost == (
        "type",
        "elements[0].restrictions.reservation",
        "elements[1].restrictions.min_current",
        "elements[2].price_components[0].price",
        "elements[2].price_components[0].vat",
        "min_price",
        "max_price",
    )
    assert [one["price_components"][0]["price"] for one in old.data["elements"]] == [Decimal("0.4202")]
    assert old.data["tariff_alt_text"] == [{"language": "en", "text": "Night"}]
    middle = write_tariff(tariff, Version.OCPI_2_2_1, country_code="GB", party_id="TWT", last_updated=Instant(0))
    assert middle.lost == ("elements[2].price_components[0].price", "min_price.excl_vat")
    assert middle.data["min_price"] == {"excl_vat": Decimal("0.8333"), "incl_vat": Decimal(1)}
    assert middle.data["max_price"] == {"excl_vat": Decimal(9), "incl_vat": Decimal(11)}
    assert (middle.data["country_code"], middle.data["last_updated"]) == ("GB", "1970-01-01T00:00:00.000Z")


@pytest.mark.parametrize("said", ["YES", "NO", "N/A"])
def test_whether_prices_have_tax_is_written_as_it_was_read(said: str) -> None:
    """Three words, three meanings."""
    tariff = a_tariff(an_element(("ENERGY", "0.50", None, 1)), tax_included=said)
    written = write_tariff(tariff, Version.OCPI_2_3_0).data
    assert written["tax_included"] == said
    assert read_tariff(written).version_id == tariff.version_id
    assert version_of(written) is Version.OCPI_2_3_0


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_record_that_is_written_costs_the_same_when_it_is_read_again(path: Path) -> None:
    """In each version: the record carries its tariffs and its price, and who checks it finds no difference."""
    line = json.loads(path.read_text(), parse_float=Decimal)["line"]
    if "error" in json.loads(path.read_text())["expected"] or line["cdr"].get("credit") or "id" not in line["cdr"]:
        return
    record = read_cdr(line["cdr"])
    wishes = read_wishes(line.get("policy"), record.version)
    given_tariffs = [
        read_tariff(one, max(version_of(one), record.version)) for one in line.get("tariffs", record.tariffs)
    ]
    expired = wishes.reservation_expired
    zone = line.get("time_zone") or record.zone
    rated = rate_record(record, given_tariffs, wishes.policy, zone=zone, reservation_expired=expired)
    for version in Version:
        written = write_cdr(rated, version, wishes)
        again = read_cdr(through_json(written.data), version)
        tariffs_again = [read_tariff(one, version) for one in again.tariffs]
        assert again.unread == ()
        assert again.stated is not None
        if written.lost or version is Version.OCPI_2_1_1:
            continue
        second = rate_record(again, tariffs_again, wishes.policy, zone=zone, reservation_expired=expired)
        if not wishes.fix_amounts:
            assert abs(Decimal(str(float(second.rated.exact_before_taxes))) - again.stated.before_taxes) < Decimal(
                "0.0002"
            )
        assert second.rated.exact_before_taxes == rated.rated.exact_before_taxes
        assert second.rated.exact_after_taxes == rated.rated.exact_after_taxes


def test_a_credit_is_written_with_its_reference() -> None:
    """Only the whole is negative; 2.1.1 has no credits, and that is told."""
    line = json.loads(next(path for path in CASES if path.stem == "cdr_credit").read_text(), parse_float=Decimal)[
        "line"
    ]
    record = read_cdr(line["cdr"] | {"remark": "wrong tariff"})
    wishes = read_wishes(None, record.version)
    rated = rate_record(record, [read_tariff(one) for one in line["tariffs"]], wishes.policy)
    newest = write_cdr(rated, Version.OCPI_2_3_0, wishes).data

    assert (newest["credit"], newest["credit_reference_id"], newest["remark"]) == (True, "CDR0", "wrong tariff")
    assert newest["total_cost"]["before_taxes"] == -5
    assert newest["total_cost"]["taxes"] == [{"name": "VAT", "percentage": 10, "amount": Decimal("-0.5")}]
    assert newest["total_energy_cost"]["before_taxes"] == 5
    old = write_cdr(rated, Version.OCPI_2_1_1, wishes)
    assert old.data["total_cost"] == -5
    assert "credit" in old.lost
    assert "stop_date_time" in old.data
