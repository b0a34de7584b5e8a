"""Time: instants, zones, periods and the anchor that ties business time to machine time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import (
    RUNNING_ALONG,
    BusinessAnchor,
    Instant,
    Period,
    instant,
    local_date,
    moment,
    parse_instant,
    rfc3339,
    zone,
)
from tallywatt.kernel.errors import BadInput

INSTANTS = st.integers(min_value=-(10**12), max_value=10**13).map(Instant)
ZONES = st.sampled_from(["UTC", "Europe/London", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"])


@given(when=INSTANTS)
def test_an_instant_that_is_written_out_reads_back_the_same(when: Instant) -> None:
    """Times leave in events, API answers and invoices, and come back in reports of partners."""
    assert parse_instant(rfc3339(when)) == when


@given(when=INSTANTS, name=ZONES)
def test_a_zone_changes_how_an_instant_looks_and_never_when_it_is(when: Instant, name: str) -> None:
    """The location's zone is for tariffs and receipts; the stored time has none."""
    assert instant(moment(when, zone(name))) == when
    assert parse_instant(moment(when, zone(name)).isoformat()) == when


@given(when=st.datetimes(timezones=st.timezones()))
def test_every_aware_time_has_the_instant_that_python_gives_it(when: datetime) -> None:
    """Our integer arithmetic agrees with the standard library's to the millisecond, in every zone and century."""
    try:
        expected = (when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except OverflowError:  # the first and the last day of the calendar do not exist in every zone
        return

    assert instant(when) == expected


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("2018-08-24T08:15:00Z", "2018-08-24T08:15:00.000Z"),
        ("2018-08-24t08:15:00z", "2018-08-24T08:15:00.000Z"),
        ("2018-08-24T08:15:00", "2018-08-24T08:15:00.000Z"),
        (" 2018-08-24T09:15:00+01:00 ", "2018-08-24T08:15:00.000Z"),
        ("2018-08-24T09:15:00+0100", "2018-08-24T08:15:00.000Z"),
        ("2018-08-24T08:15:00.1Z", "2018-08-24T08:15:00.100Z"),
        ("2018-08-24T08:15:00.123999Z", "2018-08-24T08:15:00.123Z"),
        ("2018-08-24T08:15:00.1234567Z", "2018-08-24T08:15:00.123Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_read_as_stations_write_them(text: str, plain: str) -> None:
    """Small letters, missing offsets, seven decimals: all of these come from stations in the field."""
    assert rfc3339(parse_instant(text)) == plain


@pytest.mark.parametrize("text", ["", "yesterday", "24/08/2018 08:15", "2018-08-24T25:00:00Z", "2018-13-01T00:00:00Z"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    """Day and month must never be guessed: 11,700 rows of one real export have them swapped."""
    with pytest.raises(BadInput) as refused:
        parse_instant(text)

    assert refused.value.code == "time.unreadable"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_not_every_zone_can_show_is_refused(text: str) -> None:
    """A station whose clock is broken in this way would otherwise break the page that lists its session."""
    with pytest.raises(BadInput) as refused:
        parse_instant(text)

    assert refused.value.code == "time.out_of_range"


def test_a_time_without_a_zone_has_no_instant() -> None:
    """A naive datetime in our own code is a mistake, so it is not read as anything."""
    with pytest.raises(BadInput):
        instant(datetime(2018, 8, 24, 8, 15))  # noqa: DTZ001  # the missing zone is what is tested


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "/etc/passwd", "../../etc/passwd", "\0", "a" * 300])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    """A zone's name comes from settings and partners, and must never reach the file system as a path."""
    with pytest.raises(BadInput) as refused:
        zone(name)

    assert refused.value.code == "time.unknown_zone"


def test_the_date_of_a_session_is_the_one_on_the_wall_beside_the_station() -> None:
    """23:30 in London is already tomorrow in Berlin; invoices and day closes follow the place, not the server."""
    when = parse_instant("2018-08-24T22:30:00Z")

    assert local_date(when, "Europe/London") == date(2018, 8, 24)
    assert local_date(when, "Europe/Berlin") == date(2018, 8, 25)


def test_the_hour_that_a_clock_change_repeats_is_two_different_hours() -> None:
    """01:30 comes twice in London on 28 October 2018; a session across it lasts an hour more than the wall says."""
    london = zone("Europe/London")
    first = instant(datetime(2018, 10, 28, 1, 30, tzinfo=london))
    second = instant(datetime(2018, 10, 28, 1, 30, fold=1, tzinfo=london))

    assert Period(first, second).milliseconds == 3_600_000


@given(start=INSTANTS, length=st.integers(min_value=0, max_value=10**10))
def test_a_period_lasts_from_its_start_to_its_end(start: Instant, length: int) -> None:
    """An empty period is fine: a session may start and stop within the same millisecond."""
    assert Period(start, Instant(start + length)).milliseconds == length


def test_a_period_that_ends_before_it_starts_is_a_bug() -> None:
    """Clocks that jump back are dealt with in metering."""
    with pytest.raises(AssertionError):
        Period(Instant(2), Instant(1))


@given(machine=INSTANTS)
def test_business_time_runs_along_unless_it_is_told_otherwise(machine: Instant) -> None:
    """What every operator starts with."""
    assert RUNNING_ALONG.at(machine) == machine


@given(
    machine=INSTANTS, later=st.integers(min_value=0, max_value=10**10), rate=st.integers(min_value=0, max_value=10**9)
)
def test_business_time_never_runs_backwards_while_the_machine_goes_on(machine: Instant, later: int, rate: int) -> None:
    """Issue dates and number series rest on it, at every speed."""
    anchor = BusinessAnchor(machine, Instant(0), rate)

    assert anchor.at(Instant(machine + later)) >= anchor.at(machine) == 0


def test_business_time_may_stand_still_or_hurry() -> None:
    """Frozen for a test, scaled for a demonstration."""
    frozen = BusinessAnchor(Instant(1000), Instant(500_000), rate_ppm=0)
    hurrying = BusinessAnchor(Instant(1000), Instant(500_000), rate_ppm=60_000_000)

    assert frozen.at(Instant(999_000)) == 500_000
    assert hurrying.at(Instant(2000)) == 560_000
