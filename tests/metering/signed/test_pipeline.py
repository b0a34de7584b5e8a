"""Every line is answered, whatever it holds: the verifier never fails."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.errors import BadInput
from tallywatt.metering.signed.pipeline import verify_line
from tallywatt.metering.signed.reasons import OF_ENERGY, OF_TIME, SENTENCES, WARNINGS, Code
from tests.house.tree import ROOT
from tests.metering.signed.meter import Meter, alfen

METER = Meter("secp192r1")
RECORD = METER.transaction()
ALFEN = alfen(METER, 0, 1, 1)
CONTAINER = f"<values><value><signedData>{RECORD}</signedData><publicKey>{METER.key}</publicKey></value></values>"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, places=3) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def is_an_answer(answer: dict[str, Any]) -> bool:
    """What a program may rely on."""
    reasons = {Code(one) for one in answer["reasons"]}
    billed = answer["billable"]
    assert set(billed) == {"energy", "time"}
    assert answer["signature"] in {"valid", "invalid", "unverifiable"}
    assert isinstance(answer["format"], str)
    assert not reasons & WARNINGS
    if any(billed.values()):
        assert answer["signature"] == "valid"
        assert reasons <= OF_ENERGY | OF_TIME
    elif answer["signature"] == "valid":
        assert reasons
    return True


def test_every_reason_has_its_sentence() -> None:
    """A person reads the sentence, a program the code."""
    assert set(SENTENCES) == set(Code)


@settings(max_examples=100, deadline=None)
@given(
    data=st.text(max_size=200)
    | st.text(alphabet='OCMF|{}[]":,ATXRDBE0123456789 \n', max_size=120).map(lambda one: "OCMF|" + one)
    | st.text(alphabet=string.ascii_uppercase + "234567;=", max_size=120).map(lambda one: "AP;0;3;" + one)
    | st.text(alphabet='<>/="values signedData&;!', max_size=120).map(lambda one: "<values>" + one)
    | JSON,
    key=st.none() | st.text(max_size=80) | st.just(METER.key) | JSON,
    name=st.none() | st.sampled_from(["OCMF", "ALFEN", "SAFE_XML", "EDL_40_P", "?"]) | JSON,
)
def test_nothing_that_comes_makes_it_fail(data: Any, key: Any, name: Any) -> None:
    """Lines come from stations, partners and people."""
    assert is_an_answer(verify_line({"id": "x", "data": data, "public_key": key, "format": name}))


def test_figures_have_no_exponents() -> None:
    """1000.0 kWh is written as 1000000 Wh, as people and every JSON reader expect it."""
    [record] = verify_line({"id": "x", "data": RECORD, "public_key": METER.key})["records"]

    assert [str(one["wh"]) for one in record["readings"]] == ["1000000", "1012345"]


@settings(max_examples=100, deadline=None)
@given(
    source=st.sampled_from([RECORD, ALFEN, CONTAINER]),
    place=st.integers(0, 10_000),
    length=st.integers(0, 12),
    new=st.text(max_size=6) | st.text(alphabet='{}[]|"\\,:<&', max_size=3),
)
def test_a_record_that_was_changed_anywhere_is_answered_and_never_billed_wrongly(
    source: str, place: int, length: int, new: str
) -> None:
    """Whatever is billed is what the meter signed."""
    place %= len(source)
    changed = source[:place] + new + source[place + length :]
    answer = verify_line({"id": 1, "data": changed, "public_key": METER.key})

    assert is_an_answer(answer)
    if answer["billable"]["energy"]:
        assert answer["energy_wh"] == 12345


@settings(max_examples=40, deadline=None)
@given(
    readings=st.lists(st.dictionaries(st.sampled_from(["TM", "TX", "RV", "RI", "RU", "EF", "ST", "EI", "CL"]), JSON)),
    more=JSON,
)
def test_a_signed_payload_may_say_anything(readings: Any, more: Any) -> None:
    """A meter with a bug signs it all the same."""
    told = {"FV": more, "PG": more, "MS": "M", "RD": readings, "IL": more, "ID": more}
    answer = verify_line({"id": 1, "data": METER.sign(json.dumps(told, default=str)), "public_key": METER.key})

    assert answer["signature"] in {"valid", "unverifiable"}
    assert is_an_answer(answer)


@pytest.mark.parametrize(
    "data",
    [
        "OCMF|" + "[" * 50_000 + "|{}",
        'OCMF|{"RD":[' + '{"RV":1e99999999},' * 200 + '{"RV":1e-99999999}]}|{"SD":"00"}',
        'OCMF|{"RV":' + "9" * 100_000 + "}|{}",
        "[" * 50_000,
        '{"data":' * 500 + '"x"' + "}" * 500,
        "AP;0;3;" + "A" * 100_000,
        "30" * 200_000,
        "<values>" + "<value>" * 9,
    ],
)
def test_texts_that_are_made_to_cost_are_answered(data: str) -> None:
    """Depth, length, exponents: none of them takes more than reading the text."""
    assert is_an_answer(verify_line({"id": 1, "data": data, "public_key": METER.key}))


@pytest.mark.parametrize("line", [None, 1, "text", [1], True])
def test_a_line_that_is_no_object_is_no_question(line: Any) -> None:
    """There is no id to answer to."""
    with pytest.raises(BadInput):
        verify_line(line)


def test_every_reason_is_in_the_manual_with_what_it_forbids() -> None:
    """Whoever programs against the codes looks them up there."""
    manual = (ROOT / "docs/reference/verify-meter.md").read_text(encoding="utf-8")

    def forbids(code: Code) -> str:
        kinds = ((WARNINGS, "nothing"), (OF_ENERGY, "energy"), (OF_TIME, "time"))
        return next((word for kind, word in kinds if code in kind), "both")

    assert [one for one in Code if f"| `{one.value}` | {forbids(one)} |" not in manual] == []
