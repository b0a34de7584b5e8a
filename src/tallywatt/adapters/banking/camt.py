"""Pure: ISO 20022 statements (camt.053) as lines. Versions differ in names' versions and in a few paths; both are read.

Only what is booked is a line: what is pending may still go away, and comes again when it is booked.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, TreeBuilder
from xml.parsers import expat

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, UnknownCurrency
from tallywatt.kernel.identity import natural_key
from tallywatt.kernel.money import currency
from tallywatt.payments.bank import ToldBankLine, masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

LARGEST: Final = 64 * 1024 * 1024
DEEPEST: Final = 64
LONGEST: Final = 1000
NO_REASON: Final = "MS03"
"""The code of ISO 20022 for: the reason is not told."""
NO_REFERENCE: Final = ("", "NONREF", "NOTPROVIDED")
BOOKED: Final = "BOOK"


def lines_of(content: bytes) -> tuple[ToldBankLine, ...]:
    """Every booked line of every statement in a file; BadInput for what is no statement."""
    if len(content) > LARGEST:
        msg = "it is larger than a statement can be"
        raise _unreadable(msg)
    root = _tree(content)
    statements = [one for top in root if top.tag == "BkToCstmrStmt" for one in top if one.tag == "Stmt"]
    if root.tag != "Document" or not statements:
        msg = "it is no camt.053: no statement of an account is in it"
        raise _unreadable(msg)
    return tuple(line for statement in statements for line in _statement(statement))


def _unreadable(why: str) -> BadInput:
    return BadInput(f"this statement cannot be read: {why}", code="bank.unreadable")


def _tree(content: bytes) -> Element:
    """The elements by their names alone. What declares a document type is refused."""
    builder, depth = TreeBuilder(), 0
    reader = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            msg = "its elements lie too deep in one another"
            raise _unreadable(msg)
        builder.start(name.rpartition("}")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition("}")[2])

    def refuse(*_: object) -> None:
        msg = "it declares a document type, which no statement does"
        raise _unreadable(msg)

    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.CharacterDataHandler = builder.data
    reader.StartDoctypeDeclHandler = reader.EntityDeclHandler = refuse
    try:
        reader.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, ParseError, AssertionError, ValueError, LookupError) as error:
        msg = f"it is no XML: {str(error)[:100]}"
        raise _unreadable(msg) from error


def _text(at: Element | None, *paths: str) -> str | None:
    """The text at the first of the paths at which there is any."""
    for path in paths:
        found = None if at is None else at.find(path)
        text = " ".join((found.text or "").split()) if found is not None else ""
        if text:
            return text[:LONGEST]
    return None


def _statement(statement: Element) -> Iterator[ToldBankLine]:
    own = _text(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    ref = _text(statement, "Id")
    if own is None or ref is None:
        msg = "a statement names its account and itself"
        raise _unreadable(msg)
    counts: Counter[str] = Counter()
    for place, entry in enumerate(statement.findall("Ntry"), start=1):
        status = _text(entry, "Sts/Cd", "Sts")
        if status not in (None, BOOKED):
            continue
        yield from _entry(entry, own, ref, place, counts)


def _entry(entry: Element, own: str, ref: str, place: int, counts: Counter[str]) -> Iterator[ToldBankLine]:
    minor, code = _amount(entry)
    booked = _moment(entry)
    given = _text(entry, "AcctSvcrRef") or ""
    known = given if given.upper() not in NO_REFERENCE else ""
    name = known or _text(entry, "NtryRef") or str(place)
    parts = _parts(entry, minor, code)
    for detail, amount in parts:
        # A bank's own number is the same in every file that tells of the entry; without one, its place in this statement.
        whole = natural_key("bank_line", own, known or ref, name, booked, minor, code)
        counts[whole] += 1
        yield ToldBankLine(
            line_id=natural_key(whole, counts[whole]),
            bank_account=masked(own),
            statement_ref=ref,
            entry_ref=name,
            booked_at=booked,
            amount_minor=amount,
            currency=code,
            reference=_text(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
            end_to_end=_named(_text(detail, "Refs/EndToEndId")),
            remittance=_remittance(detail, entry),
            **_other_side(detail, is_in=minor > 0),
            return_code=_text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry") or _reversal(entry),
        )


def _reversal(entry: Element) -> str | None:
    """Some banks mark what they undo, and give no reason."""
    return NO_REASON if (_text(entry, "RvslInd") or "").lower() in ("true", "1") else None


def _named(text: str | None) -> str | None:
    return None if text is None or text.upper() in NO_REFERENCE else text


def _sum(at: Element, path: str) -> tuple[int, str] | None:
    found = at.find(path)
    if found is None:
        return None
    text, code = (found.text or "").strip(), found.get("Ccy", "")
    try:
        value = Decimal(text).scaleb(currency(code).exponent)
    except (InvalidOperation, UnknownCurrency) as error:
        msg = f"{text[:40]!r} {code[:5]!r} is no sum"
        raise _unreadable(msg) from error
    if not value.is_finite() or value < 0 or value != value.to_integral_value() or value >= 2**53:
        msg = f"{text[:40]!r} is no sum in {code}"
        raise _unreadable(msg)
    return int(value), code


def _amount(entry: Element) -> tuple[int, str]:
    told, side = _sum(entry, "Amt"), _text(entry, "CdtDbtInd")
    if told is None or side not in ("CRDT", "DBIT"):
        msg = "an entry without its sum, or without its side"
        raise _unreadable(msg)
    return (told[0] if side == "CRDT" else -told[0]), told[1]


def _parts(entry: Element, minor: int, code: str) -> list[tuple[Element | None, int]]:
    """The payments in an entry, where they are told one by one and come to its sum; else the entry as a whole."""
    details = entry.findall("NtryDtls/TxDtls")
    if len(details) == 1:
        return [(details[0], minor)]
    sums = [_sum(one, "Amt") or _sum(one, "AmtDtls/TxAmt/Amt") for one in details]
    whole = [one[0] for one in sums if one is not None and one[1] == code]
    if not details or len(whole) != len(details) or sum(whole) != abs(minor):
        return [(None, minor)]
    sign = 1 if minor >= 0 else -1
    return [(one, sign * amount) for one, amount in zip(details, whole, strict=True)]


def _moment(entry: Element) -> Instant:
    text = _text(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm") or ""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        msg = f"an entry is booked on a day, not on {text[:40]!r}"
        raise _unreadable(msg) from error
    return Instant(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000))


def _remittance(detail: Element | None, entry: Element) -> str | None:
    told = [] if detail is None else [" ".join((one.text or "").split()) for one in detail.findall("RmtInf/Ustrd")]
    text = " ".join(one for one in told if one) or _text(detail, "AddtlTxInf") or _text(entry, "AddtlNtryInf")
    return text[:LONGEST] if text else None


def _other_side(detail: Element | None, *, is_in: bool) -> dict[str, str | None]:
    side = "Dbtr" if is_in else "Cdtr"
    name = _text(detail, f"RltdPties/{side}/Pty/Nm", f"RltdPties/{side}/Nm")
    number = _text(detail, f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id")
    return {"counterparty": name, "counterparty_account": None if number is None else masked(number)}
