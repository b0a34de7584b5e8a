"""Tables of signed meter values: keys of meters, what meters signed, verdicts, and which pages were used."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    flag,
    index,
    instant,
    refers,
    table,
    text,
    texts,
    unique,
    version,
    whole,
)
from tallywatt.metering.signed.reasons import Signature
from tallywatt.metering.signed.registry import MeterKey, MeterPage, SignatureVerdict, SignedValue

METER_KEYS = Mapping(
    table(
        "meter_keys",
        text("key_id"),
        text("meter_serial"),
        text("serial_folded"),
        text("public_key"),
        text("curve", null=True),
        text("fingerprint"),
        text("evse_id", null=True),
        instant("valid_from"),
        instant("valid_until", null=True),
        instant("added_at"),
        version(),
        unique("serial_folded", "fingerprint"),
        refers("evse_id", "evses"),
        key=("key_id",),
    ),
    MeterKey,
)

SIGNED_VALUES = Mapping(
    table(
        "signed_values",
        text("session_id"),
        text("value_key"),
        instant("occurred_at"),
        instant("received_at"),
        text("frame_id", null=True),
        text("context", null=True),
        text("format"),
        text("data"),
        text("delivered_key", null=True),
        refers("session_id", "sessions"),
        key=("session_id", "value_key"),
        # A record names the card that was shown.
        personal="session",
    ),
    SignedValue,
)

SIGNATURE_VERDICTS = Mapping(
    table(
        "signature_verdicts",
        text("session_id"),
        whole("number"),
        instant("judged_at"),
        choice("signature", Signature),
        flag("energy_is_billable"),
        flag("time_is_billable"),
        texts("reasons"),
        texts("warnings"),
        whole("milliwatt_hours", null=True),
        whole("register_start", null=True),
        whole("register_stop", null=True),
        instant("began_at", null=True),
        instant("ended_at", null=True),
        text("meter_serial", null=True),
        text("gateway_serial", null=True),
        text("serial_folded", null=True),
        text("gateway_folded", null=True),
        text("pages", null=True),
        text("curve", null=True),
        text("fingerprint", null=True),
        refers("session_id", "sessions"),
        # Whoever registers a key asks for the sessions that could not be billed without it.
        index("serial_folded", "energy_is_billable"),
        index("gateway_folded", "energy_is_billable"),
        key=("session_id", "number"),
    ),
    SignatureVerdict,
)

METER_PAGES = Mapping(
    table(
        "meter_pages",
        text("natural_key"),
        text("session_id"),
        instant("noted_at"),
        refers("session_id", "sessions"),
        key=("natural_key",),
    ),
    MeterPage,
)
