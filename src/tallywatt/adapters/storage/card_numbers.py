"""The last door before a row: no text that came from outside is written with a card number in it, whoever brought it.

Every column of text is looked at, but for those named here: what we or other machines number, and figures. One in ten numbers
of 13 to 19 digits passes for a card's by chance, and a number by which money or energy is found again must stay what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text

from tallywatt.kernel.card_numbers import SHORTEST, card_number_in, hide_card_numbers, hide_in_json
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Column, Table

OURS = {
    "secret_hash": "a digest", "old_secret_hash": "a digest", "browser_hash": "a digest", "key_hash": "a digest",
    "request_hash": "a digest", "payload_hash": "a digest", "sha256": "a digest", "archive_sha256": "a digest",
    "fingerprint": "a digest", "value_key": "a digest", "report_key": "a digest", "request_key": "a digest",
    "event_key": "a digest", "notice_key": "a digest",
    "natural_key": "a digest", "fact_key": "a digest", "reading_key": "a digest", "start_key": "a digest",
    "prefix": "drawn by us", "driver_secret": "drawn by us",
    "exact_amount": "a figure", "register": "a figure",
    "canonical_input": "figures, from which a price is computed again",
    "code": "an EVSE's, an account's or a reason's code, made by us",
}  # fmt: skip
"""Names of columns in which we write what we made, each with what it is."""

OF_MACHINES = {
    "answered_requests.idempotency_key": "drawn by a caller's program: a request is known again by it",
    "stations.identity": "what a station calls itself on every connection; many are serial numbers",
    "stations.serial_number": "a serial number; calibration law asks for it",
    "meter_keys.meter_serial": "a serial number, which stands on the meter",
    "meter_keys.serial_folded": "the same",
    "authorities.certificate": "a certificate; some of its digits may look like anything",
    "station_certificates.certificate": "the same",
    "station_certificates.request": "the same",
    "station_certificates.serial": "a serial number, drawn by us",
    "meter_keys.public_key": "a key in hex; some of its digits may look like anything",
    "signature_verdicts.meter_serial": "a serial number; calibration law asks for it",
    "signature_verdicts.gateway_serial": "the same",
    "signature_verdicts.serial_folded": "the same",
    "signature_verdicts.gateway_folded": "the same",
    "signature_verdicts.pages": "a meter's page numbers",
    "signed_values.data": "signed to the letter; `take_signed` looks into the one field that a person fills",
    "signed_values.delivered_key": "a key in hex",
    "payments.provider_ref": "the provider's number of a payment: without it money is not found again",
    "payments.page_ref": "the provider's number of its page",
    "operations.provider_ref": "the provider's number of an operation",
    "operations.request": "the bytes that are sent again under the same key; made by us",
    "disputes.dispute_ref": "the provider's number of a dispute",
    "settlement_lines.line_ref": "the provider's number of a movement: by it a line is known again",
    "settlement_lines.source_ref": "the provider's number of a charge, a refund or a payout",
    "settlement_lines.payout_ref": "the provider's number of a payout",
    "settlement_differences.subject_ref": "our number of a payment, or the provider's of a line or a payout",
    "bank_lines.statement_ref": "a bank's number of a statement",
    "bank_lines.entry_ref": "a bank's number of an entry",
    "bank_lines.batch_ref": "a name of ours that a bank repeats",
    "bank_lines.mandate_ref": "the same",
    "creditors.iban": "the operator's own account: its number is checked at the door, and one in ten looks like a card's",
    "debit_batches.creditor_iban": "the same",
    "debit_batches.message_id": "drawn by us",
    "debit_collections.end_to_end": "drawn by us",
    "bank_lines.settlement_ref": "the provider's number of a movement, as above",
    "payment_methods.customer_ref": "the provider's number of a customer; a card number is refused at the door",
    "payment_methods.method_ref": "the provider's token of a card; a card number is refused at the door",
}
"""Columns with the numbers of other machines, each with the reason why it is left as it is."""

FOREIGN = {"operators.tax_id"}
"""Columns with the name of an id that hold what somebody typed. Other ids are ours, or a machine's."""

NAMES = {
    "circles.name", "coupons.code",
    "customers.reference", "locations.reference", "parties.reference", "operators.slug", "operators.party_code",
    "tariff_versions.reference", "tariff_versions.canonical", "policy_versions.canonical", "provider_accounts.name",
    "mandates.reference", "creditors.creditor_id", "debit_batches.batch_key",
    "provider_accounts.merchant", "readers.reader_ref", "received_transfers.transfer_key",
    "people.email", "people.email_folded", "invitations.email",
    "invitations.email_folded", "linked_identities.subject", "linked_identities.issuer", "webhook_endpoints.url",
}  # fmt: skip
"""Columns by which people find things: a card number there is refused, because what is hidden would not be found again."""


def cleaner_of(table: Table, column: Column[Any]) -> Callable[[str], str] | None:
    """What a text of this column goes through before it is written, or None."""
    place = f"{table.name}.{column.name}"
    codec = column.info.get("codec")
    numbered = column.name.endswith("_id") and place not in FOREIGN
    if not isinstance(column.type, Text) or numbered or codec in {"choice", "decimal"}:
        return None
    if column.name in OURS or place in OF_MACHINES:
        return None
    if place in NAMES:
        return _refused
    return hide_in_json if codec is not None else _hidden


def _hidden(text: str) -> str:
    return hide_card_numbers(text)[0]


def _refused(text: str) -> str:
    if card_number_in(text) is not None:
        msg = "this is the number of a payment card, and card numbers are not kept here"
        raise BadInput(
            msg,
            code="card_number.refused",
            remedy="a letter before it makes it another name; cards are added on the provider's page",
        )
    return text


__all__ = ["SHORTEST", "cleaner_of"]
