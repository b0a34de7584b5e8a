"""Pure: every event that another system may hear of, with the schema of its message, as data; and those that stay inside.

A change that a receiver would notice is a new schema version beside the old one: events are kept for ever, and are told by the
version under which they were written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.energy import wh
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.events import Event, RecordedEvent, Scalar

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
EVERYTHING: Final = "*"

_KINDS: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "string", "minLength": 1, "maxLength": 128},
    "code": {"type": "string", "maxLength": 200},
    "minor": {"type": "integer"},
    "currency": {"type": "string", "pattern": "^[A-Z]{3,4}$"},
    "energy": {"type": "string", "pattern": r"^-?\d+(\.\d{1,3})?$"},
    "date": {"type": "string", "format": "date"},
    "flag": {"type": "boolean"},
    "count": {"type": "integer", "minimum": 0},
}
"""What a figure of a message can be. None of these is a name, an address or a number of a person."""


@dataclass(frozen=True, slots=True)
class Field:
    """One figure of a message: how it is called, what it is, where it comes from."""

    name: str
    kind: str
    meaning: str
    stored: str = ""
    """Its key in the event, if that is another one."""
    may_be_null: bool = False

    @property
    def key(self) -> str:
        """Its key in the event."""
        return self.stored or self.name

    def of(self, data: dict[str, Scalar]) -> Scalar:
        """The figure as it is told."""
        value = data.get(self.key)
        if self.kind == "energy" and isinstance(value, int):
            return wh(value)
        return None if value == "" and self.may_be_null else value

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON schema."""
        kind = _KINDS[self.kind]
        type_ = [kind["type"], "null"] if self.may_be_null else kind["type"]
        return {**kind, "type": type_, "description": self.meaning}


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event as others hear of it."""

    type: str
    """The name that a receiver sees: the aggregate, a dot, what happened."""
    stored: str
    """The name in the event log and the live feed."""
    aggregate: str
    meaning: str
    fields: tuple[Field, ...] = ()
    withheld: tuple[str, ...] = ()
    """Keys of the event that are not told: somebody types them, so they may say anything."""
    schema_version: int = 1

    def data(self, event: Event) -> dict[str, Scalar]:
        """What is told of an event: the fields of the catalogue, all of them, and nothing else."""
        stored = dict(event.data)
        return {field.name: field.of(stored) for field in self.fields}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the whole message."""
        text = {"type": "string"}
        return {
            "$schema": SCHEMA_DIALECT,
            "$id": f"urn:tallywatt:event:{self.type}:{self.schema_version}",
            "title": self.type,
            "description": self.meaning,
            **_object(
                {
                    "id": {
                        **_KINDS["id"],
                        "description": "The event's id, the same in webhook-id, however often it comes.",
                    },
                    "type": {"const": self.type},
                    "schema_version": {"const": self.schema_version},
                    "timestamp": {**text, "format": "date-time", "description": "When it was recorded."},
                    "operator_id": {**_KINDS["id"], "description": "Whose event it is."},
                    "position": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "Its place in the line of all events.",
                    },
                    "aggregate": {
                        **_object(
                            {
                                "type": {"const": self.aggregate},
                                "id": {**_KINDS["id"], "description": "Which one."},
                                "version": {"type": "integer", "minimum": 1, "description": "1, 2, 3 … of this one."},
                            }
                        ),
                        "description": "What it happened to. Its events come in the order of their versions.",
                    },
                    "data": _object({field.name: field.schema for field in self.fields}),
                }
            ),
        }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _may_be(field: Field) -> Field:
    return Field(field.name, field.kind, field.meaning, field.stored, may_be_null=True)


_SESSION = Field("session_id", "id", "The session that it is about; null: none.", may_be_null=True)
_EVSE = Field("evse_id", "id", "Where; null: an EVSE that is not known.", may_be_null=True)
_STATION = Field("station_id", "id", "At which station; null: at none of ours.", may_be_null=True)
_ENERGY = Field("energy_wh", "energy", "Energy in Wh, as a decimal string.", "milliwatt_hours")
_AMOUNT = Field("amount_minor", "minor", "How much, in minor units of the currency.", "minor")
_CURRENCY = Field("currency", "currency", "ISO 4217 code.")
_REASON = Field("reason", "code", "Why, as a code; null: for no special reason.", may_be_null=True)
_OPERATION = Field("operation_id", "id", "The operation with the provider.")
_OUTCOME = (
    Field("action", "code", "What was asked: start, stop, reset, unlock, availability.", may_be_null=True),
    Field("reason", "code", "What the station said; null: nothing.", may_be_null=True),
    Field("payment_id", "id", "The payment that it serves; null: none.", may_be_null=True),
    Field("session_id", "id", "The session that came of it; null: none, or not yet.", may_be_null=True),
    Field("station_id", "id", "Which station; null: not told in events of earlier versions.", may_be_null=True),
)
_KEPT = (
    Field("station_id", "id", "Which station."),
    Field("evse_id", "id", "Which EVSE; null: any.", may_be_null=True),
    Field("reason", "code", "What the station said; null: nothing.", may_be_null=True),
    Field("session_id", "id", "The session that used it; null: none.", may_be_null=True),
)
_MOVED = (_SESSION, _AMOUNT, _CURRENCY)
_FIELDS = Field("fields", "code", "What was changed: names of fields, with blanks between.")
_APPROVAL = (
    Field("kind", "code", "What is asked: refund or correction."),
    Field("subject_id", "id", "The payment or the correction."),
    Field("minor", "minor", "How much."),
    Field("currency", "currency", "Of which currency."),
)
_REST = (
    Field("invoice_id", "id", "The invoice that it is part of."),
    Field("minor", "minor", "How much."),
    Field("currency", "currency", "Of which currency."),
)
_CORRECTION = (
    Field("minor", "minor", "How much was charged too much, in all."),
    Field("currency", "currency", "Of which currency."),
)
_USE = Field("use_id", "id", "Which use of it.")
_CIRCLE = Field("circle_id", "id", "Which fleet, group or membership.")
_IDENTITY = Field("identity", "code", "The name by which the station connects.")

EVENT_TYPES: Final[tuple[EventType, ...]] = (
    EventType("session.started", "SessionStarted", "session", "A session began.", (_may_be(_STATION), _EVSE)),
    EventType(
        "session.brought",
        "SessionBrought",
        "session",
        "A finished session was brought from elsewhere.",
        (Field("source", "code", "From where: api, csv, ocpi, ocpp-tap."), _STATION, _EVSE),
    ),
    EventType(
        "session.transaction_ended",
        "TransactionEnded",
        "session",
        "The station ended the transaction; the price follows.",
        (_REASON,),
    ),
    EventType(
        "session.waits_for_vehicle",
        "SessionWaitsForVehicle",
        "session",
        "The transaction has ended and the vehicle still stands there, which the tariff prices.",
    ),
    EventType("session.held", "SessionHeld", "session", "Not billed: a person has to look at it.", (_REASON, _ENERGY)),
    EventType("session.released", "SessionReleased", "session", "A person let a held session go on to its bill."),
    EventType(
        "session.explained",
        "SessionExplained",
        "session",
        "Not billed, for good: its energy is accounted for by the reason.",
        (_REASON, _ENERGY),
    ),
    EventType(
        "session.billed",
        "SessionBilled",
        "session",
        "Priced, booked and invoiced.",
        (
            Field("invoice_id", "id", "The invoice."),
            Field("issue_date", "date", "The invoice's date, in the operator's zone."),
            _ENERGY,
            _CURRENCY,
            Field("net_minor", "minor", "Without tax, in minor units."),
            Field("tax_minor", "minor", "Tax, in minor units."),
            Field("gross_minor", "minor", "With tax, in minor units."),
        ),
    ),
    EventType(
        "invoice.printed",
        "InvoicePrinted",
        "invoice",
        "The invoice, or the credit note, can be had as a PDF.",
        (_SESSION, Field("number", "code", "Its number.")),
    ),
    EventType(
        "invoice.replaced",
        "InvoiceReplaced",
        "invoice",
        "It stands for an earlier invoice of its session, which was taken back whole.",
        (
            _SESSION,
            Field("before_id", "id", "The invoice for which it stands."),
            Field("number", "code", "Its number."),
            _CURRENCY,
            Field("net_minor", "minor", "Without tax, in minor units."),
            Field("tax_minor", "minor", "Tax, in minor units."),
            Field("gross_minor", "minor", "With tax, in minor units."),
        ),
    ),
    EventType(
        "session.rest_asked",
        "RestAsked",
        "session",
        "Too little was charged, and what is missing is asked for.",
        _REST,
    ),
    EventType(
        "session.rest_waived",
        "RestWaived",
        "session",
        "What was asked for besides the first price is given up.",
        _REST,
    ),
    EventType(
        "payment.intended", "PaymentIntended", "payment", "Money is about to be asked for.", (*_MOVED, _EVSE, _REASON)
    ),
    EventType(
        "payment.owed",
        "PaymentOwed",
        "payment",
        "Nobody can be charged at the moment: the sum is owed.",
        (*_MOVED, _REASON),
    ),
    EventType("payment.authorised", "PaymentAuthorised", "payment", "A sum is held on the driver's card.", _MOVED),
    EventType("payment.captured", "PaymentCaptured", "payment", "Money was taken.", _MOVED),
    EventType(
        "payment.taken_back",
        "PaymentTakenBack",
        "payment",
        "What was captured never arrived at the provider: it is owed again.",
        _MOVED,
    ),
    EventType(
        "payment.refund_intended",
        "RefundIntended",
        "payment",
        "Money is about to be given back.",
        (_AMOUNT, _CURRENCY),
        withheld=("reason",),
    ),
    EventType("payment.refunded", "PaymentRefunded", "payment", "Money was given back.", _MOVED),
    EventType("payment.voided", "PaymentVoided", "payment", "A hold was released.", _MOVED),
    EventType("payment.expired", "PaymentExpired", "payment", "A hold ran out.", _MOVED),
    EventType(
        "payment.abandoned", "PaymentAbandoned", "payment", "The driver never paid; the page was closed.", _MOVED
    ),
    EventType(
        "payment.declined",
        "PaymentDeclined",
        "payment",
        "The provider said no.",
        (_SESSION, Field("code", "code", "Why, as a code that is the same for all providers.", may_be_null=True)),
    ),
    EventType(
        "payment.unknown",
        "PaymentUnknown",
        "payment",
        "No clear answer came from the provider; it is being found out.",
        (_SESSION, _OPERATION, Field("kind", "code", "What was asked of the provider.")),
    ),
    EventType(
        "payment.driver_needed",
        "DriverNeeded",
        "payment",
        "The driver has to confirm something with the bank.",
        (_SESSION, _OPERATION, Field("code", "code", "Why.", may_be_null=True)),
    ),
    EventType(
        "connector.status_changed",
        "ConnectorStatusChanged",
        "evse",
        "A connector has another status.",
        (
            Field("evse_id", "id", "Which EVSE."),
            Field("status", "code", "In OCPP's words: Available, Charging, Faulted …"),
            Field("error_code", "code", "In OCPP's words; null: none was told.", may_be_null=True),
        ),
    ),
    EventType("station.added", "StationAdded", "station", "A station was added.", (_IDENTITY,)),
    EventType(
        "station.knocked",
        "StationKnocked",
        "station",
        "A station that nobody knows has connected and waits.",
        (_IDENTITY,),
    ),
    EventType("station.adopted", "StationAdopted", "station", "A station was taken into service.", (_IDENTITY,)),
    EventType(
        "station.booted",
        "StationBooted",
        "station",
        "A station has started.",
        (Field("protocol", "code", "ocpp1.6, ocpp2.0.1 or ocpp2.1."),),
    ),
    EventType(
        "station.configuration_told",
        "StationConfigurationTold",
        "station",
        "A station told how it is configured, wholly or in part.",
        (Field("variables", "count", "How many places it told."),),
    ),
    EventType(
        "station.not_billable",
        "StationNotBillable",
        "station",
        "A station is configured so that its sessions cannot be billed.",
        (Field("missing", "code", "What is not as billing needs it, by codes with commas between them."),),
    ),
    EventType(
        "station.billable", "StationBillable", "station", "A station is configured as billing needs it, or is so again."
    ),
    EventType(
        "station.alarmed",
        "StationAlarmed",
        "station",
        "A station raised an alarm that was not known yet.",
        (
            Field("subject", "code", "What it is about: component and variable."),
            Field("severity", "count", "From 0, danger, to 4, error; null: not told.", may_be_null=True),
        ),
    ),
    EventType(
        "station.security_event",
        "SecurityEventTold",
        "station",
        "A station told something about its safety.",
        (Field("kind", "code", "In OCPP's words: FirmwareUpdated, TamperDetectionActivated …"),),
    ),
    EventType(
        "station.certificate_issued",
        "StationCertificateIssued",
        "station",
        "A station has a certificate with which it may connect.",
        (Field("serial", "code", "Its serial number, in hex."),),
    ),
    EventType(
        "station.certificate_revoked",
        "StationCertificateRevoked",
        "station",
        "A certificate of a station is valid no longer.",
        (Field("serial", "code", "Its serial number, in hex."),),
    ),
    EventType("station.changed", "StationChanged", "station", "Something about a station was changed.", (_FIELDS,)),
    EventType("evse.changed", "EvseChanged", "evse", "Something about an EVSE was changed.", (_FIELDS,)),
    EventType("location.added", "LocationAdded", "location", "A location was added."),
    EventType("location.changed", "LocationChanged", "location", "Something about a location was changed.", (_FIELDS,)),
    EventType(
        "reservation.requested",
        "ReservationRequested",
        "reservation",
        "A station is to keep an EVSE for somebody.",
        (
            Field("station_id", "id", "Which station."),
            Field("evse_id", "id", "Which EVSE; null: any.", may_be_null=True),
            Field("number", "count", "The reservationId that the station is told."),
        ),
    ),
    EventType(
        "reservation.cancel_asked",
        "ReservationCancelAsked",
        "reservation",
        "It is to be given up; it holds until then.",
    ),
    EventType("reservation.accepted", "ReservationAccepted", "reservation", "The station keeps it.", _KEPT),
    EventType("reservation.refused", "ReservationRefused", "reservation", "The station said no.", _KEPT),
    EventType("reservation.used", "ReservationUsed", "reservation", "A session has used it.", _KEPT),
    EventType("reservation.expired", "ReservationExpired", "reservation", "Nobody came in time.", _KEPT),
    EventType("reservation.cancelled", "ReservationCancelled", "reservation", "It was given up.", _KEPT),
    EventType("reservation.removed", "ReservationRemoved", "reservation", "The station gave it up.", _KEPT),
    EventType(
        "command.requested",
        "CommandRequested",
        "command",
        "A station is to be told to do something.",
        (
            Field("action", "code", "start, stop, reset, unlock, availability."),
            Field("station_id", "id", "Which station."),
        ),
    ),
    EventType("command.sent", "CommandSent", "command", "The station was told.", _OUTCOME),
    EventType(
        "command.accepted", "CommandAccepted", "command", "The station said yes; nothing has happened yet.", _OUTCOME
    ),
    EventType("command.completed", "CommandCompleted", "command", "What was asked for has happened.", _OUTCOME),
    EventType("command.rejected", "CommandRejected", "command", "The station said no.", _OUTCOME),
    EventType("command.expired", "CommandExpired", "command", "Its deadline passed.", _OUTCOME),
    EventType(
        "command.reported",
        "CommandReported",
        "command",
        "The station told more about what it was asked for: a part of a report, or a step.",
        (
            Field("message", "code", "In OCPP's words: NotifyReport, FirmwareStatusNotification …"),
            Field("status", "code", "In OCPP's words; null: a part of a report.", may_be_null=True),
        ),
    ),
    EventType(
        "tariff.version_put",
        "TariffVersionPut",
        "tariff",
        "A tariff has a new version.",
        (Field("reference", "code", "The tariff's own id."),),
    ),
    EventType(
        "tariff.assigned",
        "TariffAssigned",
        "tariff",
        "A tariff's version was given a place and a time.",
        (
            Field("scope", "code", "operator, location, station or evse."),
            Field("scope_id", "id", "Which one; null: everywhere.", may_be_null=True),
        ),
    ),
    EventType(
        "tariff.assignment_ended",
        "TariffAssignmentEnded",
        "tariff",
        "A tariff's version stops to hold at a place.",
        (
            Field("scope", "code", "operator, location, station or evse."),
            Field("scope_id", "id", "Which one; null: everywhere.", may_be_null=True),
        ),
    ),
    EventType("approval.asked", "ApprovalAsked", "approval", "Something waits for a second pair of eyes.", _APPROVAL),
    EventType("approval.given", "ApprovalGiven", "approval", "Another person has approved it.", _APPROVAL),
    EventType("approval.declined", "ApprovalDeclined", "approval", "Another person has declined it.", _APPROVAL),
    EventType("approval.expired", "ApprovalExpired", "approval", "Nobody has decided in time.", _APPROVAL),
    EventType("correction.opened", "CorrectionOpened", "correction", "Sessions are being priced again.", _CORRECTION),
    EventType("correction.priced", "CorrectionPriced", "correction", "It is known what differs.", _CORRECTION),
    EventType("correction.begun", "CorrectionBegun", "correction", "What was too much goes back.", _CORRECTION),
    EventType("correction.done", "CorrectionDone", "correction", "Nothing of it is open any more.", _CORRECTION),
    EventType(
        "operator.limit_set",
        "MoneyLimitSet",
        "operator",
        "How much a role gives away alone was changed.",
        (Field("holder", "code", "Whose limit: a role, or program."),),
    ),
    EventType(
        "circle.added",
        "CircleAdded",
        "circle",
        "A fleet, a group or a membership was made.",
        (Field("kind", "code", "fleet, group or member."),),
    ),
    EventType("coupon.claimed", "CouponClaimed", "coupon", "A use of a coupon stands behind an offer.", (_USE,)),
    EventType("coupon.used", "CouponUsed", "coupon", "A coupon took something off a bill.", (_USE,)),
    EventType("coupon.released", "CouponReleased", "coupon", "A use of a coupon is free again.", (_USE,)),
    EventType("customer.joined", "CustomerJoinedCircle", "customer", "A customer belongs to a circle.", (_CIRCLE,)),
    EventType(
        "customer.left",
        "CustomerLeftCircle",
        "customer",
        "The end of a customer's belonging to a circle is set.",
        (_CIRCLE,),
    ),
    EventType("customer.added", "CustomerAdded", "customer", "A customer was added."),
    EventType("customer.changed", "CustomerChanged", "customer", "Something about a customer was changed.", (_FIELDS,)),
    EventType(
        "customer.erased",
        "CustomerErased",
        "customer",
        "Everything personal about a customer was erased: erase what you hold, too.",
        (Field("erasure_id", "id", "The erasure."),),
    ),
    EventType(
        "session.start_not_covered",
        "StartNotCovered",
        "session",
        "A customer's balance or limit did not suffice for a start, and nothing else of theirs can pay.",
        (Field("customer_id", "id", "Whose."),),
    ),
    EventType(
        "customer.balance_low",
        "BalanceLow",
        "customer",
        "A prepaid balance has become low.",
        (
            Field("minor", "minor", "What is left, in minor units."),
            Field("low_minor", "minor", "Below this it is low."),
            Field("currency", "currency", "Of which currency."),
        ),
    ),
    EventType(
        "customer.balance_paid_out",
        "BalancePaidOut",
        "customer",
        "What was left of a prepaid balance was paid out by bank.",
        (
            Field("minor", "minor", "How much, in minor units."),
            Field("currency", "currency", "Of which currency."),
        ),
    ),
    EventType(
        "customer.credit_allowed",
        "CreditAllowed",
        "customer",
        "A customer may buy on invoice, on these terms.",
        (
            Field("currency", "currency", "In which currency."),
            Field("limit_minor", "minor", "How much may be open at a time, in minor units."),
            Field("term_days", "count", "Within how many days a bill is to be paid."),
        ),
    ),
    EventType(
        "customer.credit_ended",
        "CreditEnded",
        "customer",
        "A customer may no longer buy on invoice.",
        (Field("currency", "currency", "In which currency."),),
    ),
    EventType(
        "customer.transfer_received",
        "TransferReceived",
        "customer",
        "A customer's money came by bank.",
        (
            Field("transfer_id", "id", "The transfer."),
            Field("minor", "minor", "How much, in minor units."),
            Field("currency", "currency", "Of which currency."),
        ),
    ),
    EventType(
        "customer.transfer_returned",
        "TransferReturned",
        "customer",
        "A customer's transfer went back: what it has paid is open again.",
        (
            Field("transfer_id", "id", "The transfer."),
            Field("minor", "minor", "How much, in minor units."),
            Field("currency", "currency", "Of which currency."),
        ),
    ),
    EventType(
        "customer.mandate_signed",
        "MandateSigned",
        "customer",
        "A customer has signed that may be collected from an account.",
        (Field("mandate_id", "id", "The mandate."),),
    ),
    EventType(
        "customer.mandate_paused",
        "MandatePaused",
        "customer",
        "A bank has said something of a mandate that a person has to look at: nothing more is collected with it meanwhile.",
        (
            Field("mandate_id", "id", "The mandate."),
            Field("reason", "code", "The bank's reason."),
        ),
    ),
    EventType(
        "customer.mandate_ended",
        "MandateEnded",
        "customer",
        "A mandate has ended: nothing more is collected with it.",
        (
            Field("mandate_id", "id", "The mandate."),
            Field("reason", "code", "revoked, replaced, unused, erased, or the bank's reason."),
        ),
    ),
    EventType(
        "customer.debit_asked",
        "DebitAsked",
        "customer",
        "What is due is being collected from a customer's account.",
        (
            Field("collection_id", "id", "The direct debit."),
            Field("minor", "minor", "How much, in minor units."),
            Field("currency", "currency", "Of which currency."),
            Field("on", "date", "The day on which the bank collects it."),
        ),
    ),
    EventType(
        "customer.debit_ended",
        "DebitEnded",
        "customer",
        "A direct debit has come, was rejected, went back or was cancelled.",
        (
            Field("collection_id", "id", "The direct debit."),
            Field("minor", "minor", "How much, in minor units."),
            Field("currency", "currency", "Of which currency."),
            Field("state", "code", "collected, rejected, returned, cancelled."),
            Field("reason", "code", "The bank's reason.", may_be_null=True),
        ),
    ),
    EventType(
        "customer.item_paid",
        "OpenItemPaid",
        "customer",
        "An open item was paid in full.",
        (
            Field("payment_id", "id", "The payment that made the item."),
            Field("invoice_id", "id", "Its invoice.", may_be_null=True),
            Field("currency", "currency", "Of which currency."),
        ),
    ),
    EventType(
        "customer.method_stored",
        "PaymentMethodStored",
        "customer",
        "A customer has stored a way to pay.",
        (Field("method_id", "id", "The payment method."), Field("account_id", "id", "The account at the provider.")),
    ),
    EventType(
        "token.added",
        "TokenAdded",
        "token",
        "A card or a tag was added.",
        (Field("customer_id", "id", "Whose; null: nobody's.", may_be_null=True),),
    ),
    EventType("token.blocked", "TokenBlocked", "token", "A card or a tag was blocked."),
    EventType("token.unblocked", "TokenUnblocked", "token", "A card or a tag may be used again."),
    EventType(
        "inbox_item.resolved",
        "InboxItemResolved",
        "inbox_item",
        "A person has decided about what waited.",
        (Field("kind", "code", "What it was."), Field("decision", "code", "What was decided.")),
    ),
    EventType(
        "import.ended",
        "ImportEnded",
        "import",
        "An upload has ended: every row has its outcome, or it was cancelled, or its file cannot be read.",
        (
            Field("kind", "code", "What the rows are: sessions, customers, tokens, stations."),
            Field("state", "code", "done, failed, cancelled."),
            Field("rows", "count", "Rows of the file."),
            Field("taken", "count", "Rows that were taken."),
            Field("already_there", "count", "Rows whose thing was there already, and is the same."),
            Field("held", "count", "Rows that were taken and wait for a person."),
            Field("refused", "count", "Rows that were refused."),
        ),
    ),
    EventType(
        "audit.ended",
        "AuditEnded",
        "audit",
        "Everything was recomputed and compared.",
        (
            Field("is_clean", "flag", "Whether everything adds up."),
            Field("findings", "count", "How much does not."),
        ),
    ),
    EventType(
        "webhook_endpoint.tested",
        "WebhookTested",
        "webhook_endpoint",
        "Somebody pressed the button to try this endpoint out.",
    ),
)
"""In the order of the business: what is told, and in which words."""

TESTED: Final = "WebhookTested"
"""The one event that goes to a single endpoint, whatever that has asked for."""

INTERNAL: Final[dict[str, str]] = {
    "ImportReceived": "whoever sent it was told in the answer; its end is told",
    "OperatorAdded": "who moves into the installation is the installation's business",
    "ProviderAccountAdded": "where money is taken is the operator's own business",
    "ReaderAdded": "as above",
    "ReaderRemoved": "as above",
    "ProviderHealthChanged": "as above; the console shows it",
    "PaymentMoved": "as above; what becomes of the payment is told",
    "OperatorChanged": "the operator's own data are its own business",
    "PolicyChosen": "as above",
    "InstallationRestored": "how the installation is run is its own business",
    "RestorationCompared": "as above",
    "StationKeyChanged": "which key a station shows is told to nobody; that it was changed, is",
    "StationKeyReplacing": "as above; the console and the inbox show how far it has come",
    "StationKeyTaken": "as above",
    "StationKeyRefused": "as above",
    "StationKeyUnanswered": "as above",
    "StationKeyReplaced": "as above",
    "ConsoleSessionEnded": "who looks at the pages is told to nobody else",
    "AuthorityPut": "whose certificates are trusted is the operator's own business",
    "ApiKeyRevoked": "who may come in is the operator's own business",
    "ApiKeyReplaced": "as above",
    "WebhookEndpointAdded": "who listens is told to nobody who listens",
    "WebhookEndpointChanged": "as above",
    "WebhookEndpointDisabled": "as above; the console and the inbox show it",
}
"""Events that stay inside, each with its reason. Every event that a workflow appends is either here or above."""

_BY_STORED: Final = {(one.stored, one.schema_version): one for one in EVENT_TYPES}
NAMES: Final = tuple(one.type for one in EVENT_TYPES)
FAMILIES: Final = tuple(sorted({name.partition(".")[0] for name in NAMES}))


def told_as(event: Event) -> EventType | None:
    """How an event is told to others, by the schema version under which it was written; None: it is not."""
    return _BY_STORED.get((event.type, event.schema_version))


def wants(event_types: Iterable[str], kind: EventType) -> bool:
    """Whether somebody who asked for these types hears of that kind."""
    family = f"{kind.type.partition('.')[0]}.*"
    return any(one in {EVERYTHING, kind.type, family} for one in event_types)


def read_event_types(asked: Iterable[str]) -> tuple[str, ...]:
    """The types that somebody asks for, each once; BadInput for one that does not exist."""
    chosen = tuple(dict.fromkeys(one.strip() for one in asked if one.strip()))
    families = {f"{family}.*" for family in FAMILIES}
    unknown = [one for one in chosen if one != EVERYTHING and one not in NAMES and one not in families]
    if unknown:
        msg = f"{unknown[0]!r} is no event type"
        raise BadInput(
            msg, code="webhooks.unknown_event_type", remedy="see docs/reference/events.md, or GET /event-types"
        )
    return (EVERYTHING,) if not chosen or EVERYTHING in chosen else chosen


def body_of(recorded: RecordedEvent, kind: EventType) -> str:
    """The message of an event. Made once and kept: what was signed is what is sent again."""
    event = recorded.event
    return json.dumps(
        {
            "id": recorded.event_id,
            "type": kind.type,
            "schema_version": kind.schema_version,
            "timestamp": rfc3339(Instant(recorded.recorded_at)),
            "operator_id": recorded.operator_id,
            "position": recorded.position,
            "aggregate": {"type": event.aggregate, "id": event.aggregate_id, "version": recorded.version},
            "data": kind.data(event),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
