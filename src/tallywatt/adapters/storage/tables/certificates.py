"""Tables of operators' certification authorities, and of the certificates of their stations."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    index,
    instant,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.stations.certificates import Authority, CertificateState, StationCertificate

AUTHORITIES = Mapping(
    table(
        "authorities",
        text("authority_id"),
        text("name"),
        text("certificate"),
        text("fingerprint"),
        text("secret_id"),
        instant("holds_from"),
        instant("holds_until"),
        instant("created_at"),
        unique("fingerprint"),
        key=("authority_id",),
    ),
    Authority,
)

STATION_CERTIFICATES = Mapping(
    table(
        "station_certificates",
        text("certificate_id"),
        text("station_id"),
        text("request_key"),
        text("request"),
        whole("request_number", null=True),
        choice("state", CertificateState),
        instant("requested_at"),
        text("serial", null=True),
        text("fingerprint", null=True),
        text("certificate", null=True),
        instant("holds_from", null=True),
        instant("holds_until", null=True),
        text("command_id", null=True),
        instant("ended_at", null=True),
        text("reason", null=True),
        version(),
        unique("station_id", "request_key"),
        refers("station_id", "stations"),
        index("station_id", "requested_at"),
        key=("certificate_id",),
    ),
    StationCertificate,
)
