"""The view behind re-rating: every price with all that it was worked out from, page by page, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import parse_instant
from tallywatt.rating.again import Fixed, Stored, rate_again
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tests.adapters.storage.test_views import see
from tests.workflows.house_of import kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_stored_prices_come_out_the_same_again(house: HouseOf) -> None:
    """Five sessions in pages of two: none is lost, none comes twice, and each has its own price again."""
    wire = house.wire()
    for place in range(5):
        wire.charge(kwh(place + 1), meter=kwh(place * 10))
    seen = []
    after = ""
    while page := see(house, Views.rated_sessions, after=after, most=2):
        seen += page
        after = page[-1]["id"]

    assert len({one["id"] for one in seen}) == len(seen) == 5
    for one in seen:
        was = Fixed(one["net_minor"], one["tax_minor"], one["gross_minor"])
        assert was.gross_minor == sum(one["by_reason"].values())
        tariff = see(house, Views.tariff, one["tariff_version_id"])["canonical"]
        policy = see(house, Views.policy, one["policy_version_id"])["canonical"]
        stored = Stored(one["canonical_input"], one["currency"], one["engine_version"], was, one["by_reason"])
        again = rate_again(stored, read_tariff_text(tariff), read_policy_text(policy))
        assert again is not None
        assert again.is_same


def test_a_period_and_a_tariff_can_be_named(house: HouseOf) -> None:
    """A month, or all that one tariff has brought: the end of a period is not in it."""
    house.wire().charge(kwh(1))
    [one] = see(house, Views.rated_sessions)
    started = parse_instant(one["started_at"])

    assert see(house, Views.rated_sessions, since=started, until=started + 1, tariff=one["tariff"]) == [one]
    assert see(house, Views.rated_sessions, since=started + 1) == []
    assert see(house, Views.rated_sessions, until=started) == []
    assert see(house, Views.rated_sessions, tariff="another") == []
