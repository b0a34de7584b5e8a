"""Pure: files of SEPA direct debit: pain.008.001.08 written (ISO 20022, as the EPC profiles it), pain.002 read.

The same batch is the same bytes, whenever it is written: nothing here knows the time or draws anything.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from tallywatt.adapters.banking.elements import text_at, tree_of
from tallywatt.kernel.clock import moment
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.debit import (
    LONGEST_NAME,
    DebitBatch,
    DebitCollection,
    ToldStatus,
    in_bank_letters,
    payment_information,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element

    from tallywatt.payments.debit import PayerAccount

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
LARGEST: Final = 64 * 1024 * 1024
REJECTED: Final = "RJCT"

Asked = tuple["DebitCollection", "PayerAccount", str, str]
"""A collection, the payer's account, the mandate's reference and the day on which it was signed."""


def debit_file(batch: DebitBatch, asked: Sequence[Asked]) -> bytes:
    """The file for the bank: groups by scheme and sequence, in each what is asked for in the order of its names."""
    root = ET.Element("Document", xmlns=NAMESPACE)
    message = ET.SubElement(root, "CstmrDrctDbtInitn")
    header = ET.SubElement(message, "GrpHdr")
    _put(header, "MsgId", batch.message_id)
    _put(header, "CreDtTm", f"{moment(batch.made_at):%Y-%m-%dT%H:%M:%SZ}")
    _count(header, [one[0] for one in asked])
    _put(header, "InitgPty/Nm", in_bank_letters(batch.creditor_name, LONGEST_NAME))
    groups: dict[str, list[Asked]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: one[0].end_to_end):
        groups[one[0].group].append(one)
    for group, members in sorted(groups.items()):
        _group(message, batch, group, members)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _put(at: Element, path: str, text: str | None) -> Element:
    """A new element with a text, within new ones of the names before it."""
    for name in path.split("/"):
        at = ET.SubElement(at, name)
    at.text = text
    return at


def _sum(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _count(at: Element, collections: Iterable[DebitCollection]) -> None:
    sums = [one.amount_minor for one in collections]
    _put(at, "NbOfTxs", str(len(sums)))
    _put(at, "CtrlSum", _sum(sum(sums)))


def _group(message: Element, batch: DebitBatch, group: str, members: Sequence[Asked]) -> None:
    at = ET.SubElement(message, "PmtInf")
    _put(at, "PmtInfId", payment_information(batch.message_id, group))
    _put(at, "PmtMtd", "DD")
    _put(at, "BtchBookg", "true")
    _count(at, [one[0] for one in members])
    first = members[0][0]
    kind = ET.SubElement(at, "PmtTpInf")
    _put(kind, "SvcLvl/Cd", "SEPA")
    _put(kind, "LclInstrm/Cd", first.scheme.value.upper())
    _put(kind, "SeqTp", first.sequence.value)
    _put(at, "ReqdColltnDt", batch.collect_on)
    _put(at, "Cdtr/Nm", in_bank_letters(batch.creditor_name, LONGEST_NAME))
    _put(at, "CdtrAcct/Id/IBAN", batch.creditor_iban)
    _bank(at, "CdtrAgt", batch.creditor_bic)
    _put(at, "ChrgBr", "SLEV")
    creditor = _put(at, "CdtrSchmeId/Id/PrvtId/Othr", None)
    _put(creditor, "Id", batch.creditor_id)
    _put(creditor, "SchmeNm/Prtry", "SEPA")
    for one in members:
        _asked(at, one)


def _bank(at: Element, name: str, bic: str | None) -> None:
    if bic:
        _put(at, f"{name}/FinInstnId/BICFI", bic)
    else:
        _put(at, f"{name}/FinInstnId/Othr/Id", "NOTPROVIDED")


def _asked(group: Element, one: Asked) -> None:
    collection, account, mandate, signed_on = one
    at = ET.SubElement(group, "DrctDbtTxInf")
    _put(at, "PmtId/EndToEndId", collection.end_to_end)
    _put(at, "InstdAmt", _sum(collection.amount_minor)).set("Ccy", collection.currency)
    related = ET.SubElement(ET.SubElement(at, "DrctDbtTx"), "MndtRltdInf")
    _put(related, "MndtId", mandate)
    _put(related, "DtOfSgntr", signed_on)
    _bank(at, "DbtrAgt", account.bic)
    _put(at, "Dbtr/Nm", in_bank_letters(account.name, LONGEST_NAME))
    _put(at, "DbtrAcct/Id/IBAN", account.iban)
    _put(at, "RmtInf/Ustrd", collection.remittance)


def statuses_of(content: bytes) -> tuple[ToldStatus, ...]:
    """What a bank's report says, from the whole file down to single collections; BadInput for what is no report."""
    if len(content) > LARGEST:
        msg = "it is larger than a report can be"
        raise _unreadable(msg)
    root = tree_of(content, _unreadable)
    report = root.find("CstmrPmtStsRpt")
    of_file = None if report is None else report.find("OrgnlGrpInfAndSts")
    message_id = text_at(of_file, "OrgnlMsgId")
    if root.tag != "Document" or report is None or message_id is None:
        msg = "it is no pain.002: it names no file of direct debits"
        raise _unreadable(msg)
    told = [_told(message_id, of_file, None, None, "GrpSts")]
    for group in report.findall("OrgnlPmtInfAndSts"):
        name = text_at(group, "OrgnlPmtInfId")
        told.append(_told(message_id, group, name, None, "PmtInfSts"))
        told += [
            _told(message_id, one, name, text_at(one, "OrgnlEndToEndId"), "TxSts")
            for one in group.findall("TxInfAndSts")
        ]
    return tuple(one for one in told if one is not None)


def _told(message_id: str, at: Element | None, group: str | None, name: str | None, status: str) -> ToldStatus | None:
    """What one part says; None when it says nothing of its own."""
    word = text_at(at, status)
    if word is None or (status != "GrpSts" and group is None) or (status == "TxSts" and name is None):
        return None
    reason = text_at(at, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    return ToldStatus(message_id, group, name, word.upper() == REJECTED, reason and reason[:35])


def _unreadable(why: str) -> BadInput:
    remedy = "give the file as your bank gives it: pain.002, not packed"
    return BadInput(f"this report cannot be read: {why}", code="debits.unreadable", remedy=remedy)
