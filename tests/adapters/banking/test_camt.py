"""Bank statements: every version in use, several payments in one entry, and files that are broken or mean harm."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.banking.camt import lines_of
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.money import CURRENCIES
from tallywatt.payments.bank import masked

VERSIONS = ("02", "03", "04", "06", "08", "13")
DETAIL = (
    "<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{amount}<RltdPties>{debtor}"
    "<DbtrAcct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id></DbtrAcct></RltdPties>"
    "<RmtInf><Ustrd>Batch 14</Ustrd><Ustrd> TX1XT</Ustrd><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>"
    "</RmtInf>{more}</TxDtls></NtryDtls>"
)


def entry(
    amount: str = "10.00", side: str = "CRDT", ref: str = "BANK1", status: str = "<Sts>BOOK</Sts>", details: str = "",
    day: str = "2026-11-20",
) -> str:  # fmt: skip
    return (
        f'<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>{details}</Ntry>"
    )


def a_file(*entries: str, version: str = "08", ref: str = "S1") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>{ref}</Id><Acct><Id><IBAN>DE02100500000054540402</IBAN>"
        f"</Id></Acct>{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_in_use_is_read_alike(version: str) -> None:
    """Status and parties moved by one element in later versions; what a line says did not."""
    is_new = int(version) >= 8
    status = "<Sts><Cd>BOOK</Cd></Sts>" if is_new else "<Sts>BOOK</Sts>"
    debtor = "<Dbtr><Pty><Nm>Adyen N.V.</Nm></Pty></Dbtr>" if is_new else "<Dbtr><Nm>Adyen N.V.</Nm></Dbtr>"
    [line] = lines_of(
        a_file(entry(status=status, details=DETAIL.format(amount="", debtor=debtor, more="")), version=version)
    )
    assert (line.amount_minor, line.currency, line.entry_ref) == (1000, "EUR", "BANK1")
    assert (line.counterparty, line.counterparty_account) == ("Adyen N.V.", "DE..3000")
    assert (line.reference, line.remittance, line.end_to_end) == ("RF18539007547034", "Batch 14 TX1XT", None)
    assert line.bank_account == "DE..0402"
    assert line.booked_at == 1_795_132_800_000


def test_no_number_of_an_account_is_kept_whole() -> None:
    """An IBAN leads to a person; its end is enough to know it again."""
    assert masked("DE89 3704 0044 0532 0130 00") == "DE..3000"
    assert masked("1234") == "..1234"
    assert "37040044" not in repr(lines_of(a_file(entry(details=DETAIL.format(amount="", debtor="", more="")))))


def test_several_payments_in_one_entry_are_lines_of_their_own() -> None:
    """A bank books a bundle at once; where it tells the parts, and they come to the whole, each is a line."""
    part = '<Amt Ccy="EUR">{}</Amt>'
    two = "".join(DETAIL.format(amount=part.format(one), debtor="", more="") for one in ("4.00", "6.00"))
    two = two.replace("</NtryDtls><NtryDtls>", "")
    assert [one.amount_minor for one in lines_of(a_file(entry(details=two)))] == [400, 600]
    assert [one.amount_minor for one in lines_of(a_file(entry("11.00", details=two)))] == [1100]
    assert [one.amount_minor for one in lines_of(a_file(entry(side="DBIT", details=two)))] == [-400, -600]


def test_a_line_is_the_same_in_another_file_and_two_alike_are_two() -> None:
    """The bank's own number makes it known again; without one its place in the statement does."""
    first, again = lines_of(a_file(entry()))[0], lines_of(a_file(entry(ref="OTHER"), entry(), ref="S2"))[1]
    assert first.line_id == again.line_id
    twins = lines_of(a_file(entry(ref="NONREF"), entry(ref="NONREF")))
    assert len({one.line_id for one in twins}) == 2
    assert twins == lines_of(a_file(entry(ref="NONREF"), entry(ref="NONREF")))


def test_what_is_pending_is_no_line_and_what_came_back_says_why() -> None:
    """It may still go away; a direct debit that was returned carries its reason."""
    assert lines_of(a_file(entry(status="<Sts><Cd>PDNG</Cd></Sts>"))) == ()
    more = "<RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf>"
    [line] = lines_of(a_file(entry(side="DBIT", details=DETAIL.format(amount="", debtor="", more=more))))
    assert (line.amount_minor, line.return_code) == (-1000, "AM04")
    reversed_only = entry(side="DBIT").replace("</CdtDbtInd>", "</CdtDbtInd><RvslInd>true</RvslInd>", 1)
    [line] = lines_of(a_file(reversed_only))
    assert line.return_code == "MS03"


BOMB = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"{}", b"<Document/>", b"<Document><BkToCstmrStmt/></Document>", BOMB, OUTSIDE,
        b"<a>" * 5000, a_file(entry())[:-20], a_file(entry("10.001")), a_file(entry("-1.00")), a_file(entry("NaN")),
        a_file(entry("ten")), a_file(entry(side="BOTH")), a_file(entry(day="20.11.2026")),
        a_file(entry()).replace(b"EUR", b"XXQ"), a_file(entry()).replace(b"<Id>S1</Id>", b""),
    ],
)  # fmt: skip
def test_a_broken_or_harmful_file_is_refused_as_a_whole(content: bytes) -> None:
    """Entities are how an XML file reads other files, or grows without end."""
    with pytest.raises(BadInput):
        lines_of(content)


@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_no_damage_breaks_the_reader(place: int, damage: bytes) -> None:
    """Read, or refused by name: never anything else."""
    whole = a_file(entry(details=DETAIL.format(amount="", debtor="", more="")))
    with contextlib.suppress(BadInput):
        [line] = lines_of(whole[:place] + damage + whole[place + len(damage) :])
        assert line.amount_minor > 0
        assert line.currency in CURRENCIES
        assert line.entry_ref
