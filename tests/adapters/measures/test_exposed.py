"""Measures in Prometheus' words, on a port of their own."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallywatt.adapters.measures.exposed import Exposed, Listening
from tallywatt.kernel.errors import Broken
from tallywatt.kernel.measures import Counter, Spread


def figures(exposed: Exposed) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a scrape tells, by name and label values."""
    listening = Listening(exposed, "127.0.0.1", 0)
    try:
        text = httpx.get(f"http://127.0.0.1:{listening.port}/metrics", trust_env=False).text
    finally:
        listening.close()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_counted_is_told() -> None:
    """Buckets add up, as Prometheus expects them to."""
    exposed, counter, spread = Exposed(), Counter("kind"), Spread((1000, 2000), "action")
    counter.add("capture")
    for figure in (500, 1500, 9000):
        spread.take(figure, "Start")
    exposed.counter("calls", "Calls.", counter)
    exposed.spread("seconds", "Time.", spread, 1000)
    exposed.gauge("queue", "Waiting.", lambda: 7)
    exposed.total("written", "Written.", lambda: 3)

    told = figures(exposed)

    assert told["tallywatt_calls_total", ("capture",)] == 1
    assert [told["tallywatt_seconds_bucket", ("Start", bound)] for bound in ("1.0", "2.0", "+Inf")] == [1, 2, 3]
    assert told["tallywatt_seconds_sum", ("Start",)] == 11
    assert (told["tallywatt_queue", ()], told["tallywatt_written_total", ()]) == (7, 3)


def test_a_silent_database_takes_away_only_its_own_figures() -> None:
    """The hour in which it is down is the hour in which somebody looks."""
    exposed = Exposed()
    exposed.gauge("queue", "Waiting.", lambda: 7)

    def broken() -> list[tuple[str, str, dict[str, str], float]]:
        raise OSError

    exposed.gauges_of(broken)

    assert figures(exposed)["tallywatt_queue", ()] == 7


def test_a_port_that_is_taken_is_said() -> None:
    """Two servers on one machine, and one line of configuration copied."""
    first = Listening(Exposed(), "127.0.0.1", 0)
    try:
        with pytest.raises(Broken) as caught:
            Listening(Exposed(), "127.0.0.1", first.port)
    finally:
        first.close()
    assert caught.value.code == "serve.port_taken"
