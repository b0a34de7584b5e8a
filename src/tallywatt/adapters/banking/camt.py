"""Pure: ISO 20022 statements (camt.053) as lines. Versions differ in names' versions and in a few paths; both are read.

Only what is booked is a line: what is pending may still go away, and comes again when it is booked.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from tallywatt.adapters.banking.elements import text_at, tree_of
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, UnknownCurrency
from tallywatt.kernel.identity import natural_key
from tallywatt.kernel.money import currency
from tallywatt.payments.bank import ToldBankLine, masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

LARGEST: Final = 64 * 1024 * 1024
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
    root = tree_of(content, _unreadable)
    statements = [one for top in root if top.tag == "BkToCstmrStmt" for one in top if one.tag == "Stmt"]
    if root.tag != "Document" or not statements:
        msg = "it is no camt.053: no statement of an account is in it"
        raise _unreadable(msg)
    return tuple(line for statement in statements for line in _statement(statement))


def _unreadable(why: str) -> BadInput:
    remedy = "give the file as your bank gives it: camt.053, not packed"
    return BadInput(f"this statement cannot be read: {why}", code="bank.unreadable", remedy=remedy)


def _statement(statement: Element) -> Iterator[ToldBankLine]:
    own = text_at(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    ref = text_at(statement, "Id")
    if own is None or ref is None:
        msg = "a statement names its account and itself"
        raise _unreadable(msg)
    counts: Counter[str] = Counter()
    for place, entry in enumerate(statement.findall("Ntry"), start=1):
        status = text_at(entry, "Sts/Cd", "Sts")
        if status not in (None, BOOKED):
            continue
        yield from _entry(entry, own, ref, place, counts)


def _entry(entry: Element, own: str, ref: str, place: int, counts: Counter[str]) -> Iterator[ToldBankLine]:
    minor, code = _amount(entry)
    booked = _moment(entry)
    given = text_at(entry, "AcctSvcrRef") or ""
    known = given if given.upper() not in NO_REFERENCE else ""
    name = known or text_at(entry, "NtryRef") or str(place)
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
            reference=text_at(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
            end_to_end=_named(text_at(detail, "Refs/EndToEndId")),
            remittance=_remittance(detail, entry),
            **_other_side(detail, is_in=minor > 0),
            return_code=text_at(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry") or _reversal(entry),
            batch_ref=_named(_batch(detail, entry)),
            mandate_ref=_named(text_at(detail, "Refs/MndtId")),
        )


def _batch(detail: Element | None, entry: Element) -> str | None:
    """By which of our files, or its group, the bank booked it: told with the payment, or with the sum of them."""
    names = ("PmtInfId", "MsgId")
    return text_at(detail, *(f"Refs/{one}" for one in names)) or text_at(
        entry, *(f"NtryDtls/Btch/{one}" for one in names)
    )


def _reversal(entry: Element) -> str | None:
    """Some banks mark what they undo, and give no reason."""
    return NO_REASON if (text_at(entry, "RvslInd") or "").lower() in ("true", "1") else None


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
    told, side = _sum(entry, "Amt"), text_at(entry, "CdtDbtInd")
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
    text = text_at(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm") or ""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        msg = f"an entry is booked on a day, not on {text[:40]!r}"
        raise _unreadable(msg) from error
    return Instant(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000))


def _remittance(detail: Element | None, entry: Element) -> str | None:
    told = [] if detail is None else [" ".join((one.text or "").split()) for one in detail.findall("RmtInf/Ustrd")]
    text = " ".join(one for one in told if one) or text_at(detail, "AddtlTxInf") or text_at(entry, "AddtlNtryInf")
    return text[:LONGEST] if text else None


def _other_side(detail: Element | None, *, is_in: bool) -> dict[str, str | None]:
    side = "Dbtr" if is_in else "Cdtr"
    name = text_at(detail, f"RltdPties/{side}/Pty/Nm", f"RltdPties/{side}/Nm")
    number = text_at(detail, f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id")
    return {"counterparty": name, "counterparty_account": None if number is None else masked(number)}
