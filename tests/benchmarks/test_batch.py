"""The benchmark of pricing by columns, in its short form: what it compares does the same job."""

from __future__ import annotations

from benchmarks import batch


def test_the_short_form_measures_each_way_over_the_same_records() -> None:
    """A ratio between two programs that do different things would say nothing; the run fails where they differ."""
    figures = batch.measure(sizes=(20, 40), sample=20, rounds=1)

    assert [one.what.rpartition(" ")[2] for one in figures if "by columns" in one.what] == ["20", "40"]
    assert all(one.unit == "µs" for one in figures)
    assert {one.instead for one in figures if one.instead} == {
        "plain loop, Decimal",
        "one by one, by the pricer",
        "plain loop, Decimal, no reasons",
    }
