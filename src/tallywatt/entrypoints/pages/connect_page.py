"""Pure: what somebody types into a station so that it connects: the address, the key, and the settings of either protocol."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from tallywatt.entrypoints.pages.language import later

Row = dict[str, Any]

SAMPLE_SECONDS: Final = "60"
ENERGY: Final = "Energy.Active.Import.Register"
MEASURANDS: Final = f"{ENERGY},Power.Active.Import"
NO_KEY: Final = later("the key that you gave it")


def view(*, host: str, port: int, slug: str, identity: str, key: str | None, station: Row | None) -> Row:
    """Address and settings of one station. The key is there only in the answer that made it."""
    base = f"ws://{f'[{host}]' if ':' in host else host}:{port}/ocpp/{quote(slug, safe='')}/"
    url = base + quote(identity, safe="")
    return {
        "identity": identity,
        "base": base,
        "url": url,
        "key": key,
        "v16": [
            (
                "Central system URL",
                base,
                later("Most stations add their identity behind it; some want the whole address."),
            ),
            ("Charge point identity", identity, ""),
            (
                "SecurityProfile",
                "1",
                later("Basic authentication; 2 behind a TLS proxy, with wss:// before the address."),
            ),
            ("AuthorizationKey", key or NO_KEY, later("32 hex digits; as text or as hex, both are understood.")),
            ("MeterValuesSampledData", MEASURANDS, later("The register bills; the power draws the curve.")),
            (
                "MeterValueSampleInterval",
                SAMPLE_SECONDS,
                later("Seconds. Closer readings split prices by time more exactly."),
            ),
            ("StopTransactionOnEVSideDisconnect", "true", ""),
            ("HeartbeatInterval", "300", ""),
            ("WebSocketPingInterval", "60", later("Keeps routers from forgetting the connection.")),
        ],
        "v201": [
            ("NetworkProfile ocppCsmsUrl", base, later("The station adds its identity behind it.")),
            ("NetworkProfile ocppVersion, ocppTransport", "OCPP20, JSON", ""),
            (
                "NetworkProfile securityProfile",
                "1",
                later("Basic authentication; 2 behind a TLS proxy, with wss:// before the address."),
            ),
            ("SecurityCtrlr.Identity", identity, ""),
            ("SecurityCtrlr.BasicAuthPassword", key or NO_KEY, ""),
            ("SampledDataCtrlr.TxStartedMeasurands", ENERGY, ""),
            ("SampledDataCtrlr.TxUpdatedMeasurands", MEASURANDS, ""),
            (
                "SampledDataCtrlr.TxUpdatedInterval",
                SAMPLE_SECONDS,
                later("Seconds. Closer readings split prices by time more exactly."),
            ),
            ("SampledDataCtrlr.TxEndedMeasurands", ENERGY, ""),
            ("TxCtrlr.TxStopPoint", "EVConnected", later("So that time plugged in after charging is known.")),
            ("TxCtrlr.StopTxOnEVSideDisconnect", "true", ""),
        ],
        "simulate": f"tallywatt simulate station {url} --key {key or 'KEY'}",
        "station": station,
        "heard": bool(station and station["booted_at"]),
    }
