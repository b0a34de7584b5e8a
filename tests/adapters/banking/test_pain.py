"""Files of direct debits: valid by the official schema, the same bytes each time, and reports of banks read."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.banking.camt import lines_of
from tallywatt.adapters.banking.pain import NAMESPACE, debit_file, statuses_of
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import CustomerId
from tallywatt.payments.debit import (
    CollectionState,
    DebitBatch,
    DebitCollection,
    PayerAccount,
    Scheme,
    Sequence,
    ToldStatus,
)
from tests.adapters.banking.test_camt import a_file, entry

NOW = parse_instant("2026-11-22T09:00:00Z")
BATCH = DebitBatch(
    "b", "k", "DD20261207-ABCDEFGHJK", "2026-12-07", "EUR", "DE98ZZZ09999999999", "Stadtwerke Süd & Nord",
    "DE89370400440532013000", None, 2, 900, "", NOW, NOW, None, None,
)  # fmt: skip
NAMES = {"d": f"{{{NAMESPACE}}}"[1:-1]}


def debit(place: int, minor: int, scheme: Scheme = Scheme.CORE, sequence: Sequence = Sequence.FIRST) -> DebitCollection:
    return DebitCollection(
        f"c{place}", "b", f"m{place}", CustomerId("k"), f"{BATCH.message_id}-{place:05d}", scheme, sequence, minor, "EUR",
        "INV-2026-000001", CollectionState.ASKED, None, "p", None, None, None, 0, None, NOW, None,
    )  # fmt: skip


def asked(place: int, minor: int, *more: Any, name: str = "Zoë Ångström", bic: str | None = None) -> Any:
    return debit(place, minor, *more), PayerAccount(name, "NL91ABNA0417164300", bic), f"M-{place}", "2026-02-01"


@lru_cache(maxsize=1)
def schema() -> Any:
    """The official one, as a package of the Python index carries it."""
    return xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.008.001.08.xsd"))


def test_a_file_is_valid_by_the_official_schema_and_says_what_was_asked() -> None:
    """Groups by scheme and sequence, with their counts and sums; the day, the mandate and the account of each payer."""
    content = debit_file(
        BATCH,
        [
            asked(2, 600, Scheme.CORE, Sequence.RECURRENT),
            asked(1, 300, bic="ABNANL2A"),
            asked(3, 1, Scheme.B2B, Sequence.RECURRENT),
        ],
    )
    schema().validate(content.decode())
    root = ET.fromstring(content)
    told = [one.text for one in root.iterfind(".//d:PmtInfId", NAMES)]
    assert told == [f"{BATCH.message_id}-{one}" for one in ("B2B-RCUR", "CORE-FRST", "CORE-RCUR")]
    assert [one.text for one in root.iterfind(".//d:CtrlSum", NAMES)] == ["9.01", "0.01", "3.00", "6.00"]
    assert [one.text for one in root.iterfind(".//d:NbOfTxs", NAMES)] == ["3", "1", "1", "1"]
    assert {one.text for one in root.iterfind(".//d:ReqdColltnDt", NAMES)} == {"2026-12-07"}
    assert [one.text for one in root.iterfind(".//d:MndtId", NAMES)] == ["M-3", "M-1", "M-2"]
    assert {one.text for one in root.iterfind(".//d:Cdtr/d:Nm", NAMES)} == {"Stadtwerke Sued + Nord"}
    assert {one.text for one in root.iterfind(".//d:Dbtr/d:Nm", NAMES)} == {"Zoe Angstroem"}


def test_the_schema_would_find_a_fault() -> None:
    """A check that lets everything pass proves nothing."""
    content = debit_file(replace(BATCH, collect_on="soon"), [asked(1, 300)])
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema().validate(content.decode())


def test_the_order_in_which_rows_come_is_not_in_the_file() -> None:
    """A database may give them in any order; a bank that gets the file twice sees that it is the same."""
    rows = [asked(place, place) for place in (1, 2, 3)]
    assert debit_file(BATCH, rows) == debit_file(BATCH, rows[::-1])


@given(name=st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_a_payer_is_called_the_file_is_one_that_banks_read(name: str) -> None:
    """Letters that are none in SEPA, signs of XML, nothing at all."""
    assert schema().is_valid(debit_file(BATCH, [asked(1, 300, name=name)]).decode())


def report(inner: str, version: str = "10") -> bytes:
    return (
        f'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R1</MsgId></GrpHdr>{inner}</CstmrPmtStsRpt></Document>"
    ).encode()


ONE = (
    "<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
    "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
)


@pytest.mark.parametrize("version", ["03", "10", "14"])
def test_a_report_is_read_from_the_file_down_to_single_debits(version: str) -> None:
    """A bank says no to a file, to a group of it, or to one payer's; yes is no news."""
    inner = (
        "<OrgnlGrpInfAndSts><OrgnlMsgId>DD1</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>DD1-CORE-FRST</OrgnlPmtInfId>"
        f"{ONE.format(name='E1', status='RJCT')}{ONE.format(name='E2', status='ACSP')}</OrgnlPmtInfAndSts>"
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>DD1-CORE-RCUR</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>"
        "<StsRsnInf><Rsn><Cd>DT01</Cd></Rsn></StsRsnInf></OrgnlPmtInfAndSts>"
    )
    assert statuses_of(report(inner, version)) == (
        ToldStatus("DD1", None, None, is_rejected=False, reason=None),
        ToldStatus("DD1", "DD1-CORE-FRST", "E1", is_rejected=True, reason="AC04"),
        ToldStatus("DD1", "DD1-CORE-FRST", "E2", is_rejected=False, reason="AC04"),
        ToldStatus("DD1", "DD1-CORE-RCUR", None, is_rejected=True, reason="DT01"),
    )


@pytest.mark.parametrize(
    "content", [b"", b"<Document/>", b"\xff", report(""), b'<!DOCTYPE a [<!ENTITY b "c">]><Document/>', a_file(entry())]
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    """Another file of the bank's, half a file, or one that means harm."""
    with pytest.raises(BadInput) as refused:
        statuses_of(content)
    assert refused.value.code == "debits.unreadable"


def test_a_line_says_of_which_file_and_mandate_it_is() -> None:
    """With the payment, or with the sum of many."""
    one = "<NtryDtls><TxDtls><Refs><MsgId>DD1</MsgId><EndToEndId>E1</EndToEndId><MndtId>M-1</MndtId></Refs></TxDtls></NtryDtls>"
    many = "<NtryDtls><Btch><MsgId>DD1</MsgId><PmtInfId>DD1-CORE-FRST</PmtInfId><NbOfTxs>7</NbOfTxs></Btch></NtryDtls>"
    single, whole = lines_of(a_file(entry(details=one), entry(ref="BANK2", details=many)))
    assert (single.batch_ref, single.mandate_ref, single.end_to_end) == ("DD1", "M-1", "E1")
    assert (whole.batch_ref, whole.mandate_ref) == ("DD1-CORE-FRST", None)
