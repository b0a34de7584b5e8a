"""The SAFE XML container, read with care, and written so that others can read it."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.metering.signed.container import NotAContainer, Value, read_container, write_container
from tallywatt.metering.signed.pipeline import verify_line
from tests.metering.signed.meter import Meter, alfen, reading

METER = Meter()
BEGIN, END = METER.pair()


def a_container(*values: tuple[str, str | None, str | None], **attributes: str) -> str:
    """Values with their context and key."""
    written = []
    for data, context, key in values:
        about = f' context="{context}"' if context else ""
        named = "".join(f' {name}="{value}"' for name, value in attributes.items())
        own = f"<publicKey>{key}</publicKey>" if key else ""
        escaped = data.replace("&", "&amp;").replace("<", "&lt;")
        written.append(f'<value transactionId="1"{about}><signedData{named}>{escaped}</signedData>{own}</value>')
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<values>{"".join(written)}</values>\n'


def verify(text: str, **more: Any) -> dict[str, Any]:
    return verify_line({"id": 1, "data": text, **more})


def test_a_container_of_two_records_is_one_transaction() -> None:
    """What charging stations print into receipts."""
    text = a_container((BEGIN, "Transaction.Begin", METER.key), (END, "Transaction.End", METER.key), format="OCMF")
    own, given_key = verify(text), verify(text, public_key=METER.key)

    assert own["format"] == given_key["format"] == "SAFE_XML"
    assert (own["signature"], own["reasons"]) == ("valid", ["key_not_registered"])
    assert given_key["billable"] == {"energy": True, "time": True}
    assert given_key["energy_wh"] == 12345


def test_the_order_of_labelled_values_does_not_matter_but_their_labels_do() -> None:
    """Some programs write the end first; a record in the place of another one is no end."""
    first_the_end = a_container((END, "Transaction.End", None), (BEGIN, "Transaction.Begin", None))
    swapped = a_container((END, "Transaction.Begin", None), (BEGIN, "Transaction.End", None))
    unlabelled = a_container((END, None, None), (BEGIN, None, None))

    assert verify(first_the_end, public_key=METER.key)["billable"]["energy"] is True
    assert verify(swapped, public_key=METER.key)["reasons"] == ["context_differs"]
    assert verify(unlabelled, public_key=METER.key)["reasons"] == ["records_out_of_order"]
    for text in (swapped, unlabelled):
        assert verify(text, public_key=METER.key)["billable"] == {"energy": False, "time": False}


@pytest.mark.parametrize("encoding", ["plain", "hex", "base64", "base32"])
def test_a_value_is_read_out_of_its_encoding(encoding: str) -> None:
    """The container says how its data is written."""
    meter = Meter()
    record = meter.transaction()
    data = {
        "plain": f"\n      {record}\n    ",
        "hex": record.encode().hex(),
        "base64": base64.b64encode(record.encode()).decode(),
        "base32": base64.b32encode(record.encode()).decode(),
    }[encoding]

    assert verify(a_container((data, None, meter.key), format="OCMF", encoding=encoding))["signature"] == "valid"


def test_values_of_formats_that_are_not_verified_here_say_so() -> None:
    """One of them leaves the whole open; none of them is called wrong."""
    for text in (
        a_container(("<signedMeterValue><publicKey/></signedMeterValue>", None, None)),
        a_container(("1B1B1B1B0101", None, None), format="EDL_40_P"),
        a_container((BEGIN, None, METER.key), ("128.8.0(ST:1)", None, None)),
    ):
        answer = verify(text)
        assert answer["signature"] == "unverifiable"
        assert "format_unsupported" in answer["reasons"]
        assert answer["billable"] == {"energy": False, "time": False}
    for name in ("EDL_40_P", "ISA_EDL_40_P", "PCDF", "MENNEKES"):
        assert verify("1b1b1b1b", format=name)["reasons"] == ["format_unsupported"]
        assert verify("whatever", format=name)["reasons"] == ["format_unsupported"]


def test_alfen_in_a_container() -> None:
    """Without a key beside it: the format has its own."""
    meter = Meter("secp192r1")
    text = a_container(
        (alfen(meter, 0, 1, 1), None, None), (alfen(meter, 1, 1001, 2), None, None), format="ALFEN", encoding="plain"
    )
    answer = verify(text, public_key=meter.compressed.hex())

    assert (answer["signature"], answer["energy_wh"]) == ("valid", 1000)
    assert answer["billable"] == {"energy": True, "time": False}


def test_what_is_told_of_the_format_must_be_so() -> None:
    """A container may be called by what is in it."""
    text = a_container((BEGIN, "Transaction.Begin", None), (END, "Transaction.End", None))

    assert verify(text, format="OCMF", public_key=METER.key)["billable"]["energy"] is True
    assert verify(text, format="SAFE XML", public_key=METER.key)["billable"]["energy"] is True
    assert verify(text, format="ALFEN", public_key=METER.key)["reasons"] == ["format_differs"]
    assert verify(BEGIN, format="ALFEN", public_key=METER.key)["reasons"] == ["format_differs"]
    inside = a_container((BEGIN, None, METER.key), format="ALFEN")
    assert verify(inside)["reasons"] == ["format_differs"]


BOMB = "<!DOCTYPE values [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><values><value><signedData>&b;</signedData></value></values>"
FILE = '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/hostname">]><values><value><signedData>&x;</signedData></value></values>'
DTD = '<!DOCTYPE values SYSTEM "http://127.0.0.1:1/x.dtd"><values><value><signedData>OCMF|{}|{}</signedData></value></values>'


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        FILE,
        DTD,
        "<values>" + "<a>" * 40 + "</a>" * 40 + "</values>",
        "<values>",
        "<values/>trailing",
        "<other><values/></other>",
        "<values><value></values>",
        "<values>" + "<value><signedData>x</signedData></value>" * 1200 + "</values>",
        "<values>\x00</values>",
    ],
)
def test_a_text_that_reaches_further_than_itself_is_refused(text: str) -> None:
    """No document type, no entity, no endless depth or length."""
    with pytest.raises(NotAContainer):
        read_container(text)
    assert verify(text)["reasons"] in (["data_unreadable"], ["data_missing"])


def test_a_text_longer_than_any_record_is_not_looked_at() -> None:
    """A megabyte is more than any meter signs."""
    assert verify("OCMF|" + "x" * 2**20)["reasons"] == ["data_too_long"]
    assert verify("")["reasons"] == ["data_missing"]
    assert verify("  \n ")["reasons"] == ["data_missing"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_what_is_written_is_read_again_to_the_letter(text: str) -> None:
    """One blank more, and the signature would not fit."""
    [value] = read_container(write_container([Value(data=f"OCMF|{text}|", format="OCMF", key=text.strip() or None)]))

    assert value.data == f"OCMF|{text}|"


def test_a_written_container_is_what_the_official_software_opens() -> None:
    """Its elements and attributes, and line ends that stay what they were."""
    meter = Meter()
    payload = json.dumps(json.loads(meter.payload(reading("B", 1), reading("E", 2))), indent=1).replace("\n", "\r\n")
    record = meter.sign(payload)
    text = write_container([Value(record, "OCMF", None, meter.key, "Transaction.End", "29")])
    root = ET.fromstring(text)
    [value] = root

    assert (root.tag, value.tag, value.attrib) == (
        "values",
        "value",
        {"transactionId": "29", "context": "Transaction.End"},
    )
    assert [one.tag for one in value] == ["signedData", "publicKey"]
    assert value[0].attrib == {"format": "OCMF", "encoding": "plain", "transactionId": "29"}
    assert value[0].text == record
    assert verify(text)["signature"] == "valid"
