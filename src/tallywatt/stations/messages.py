"""Pure: every message that a platform may send to a station, in which versions, and by what it comes to its end.

One table instead of one function a message: the fields of each are those of the official schemas, checked by the adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OLD: Final = "ocpp1.6"
NEW: Final = "ocpp2.0.1"
NEWEST: Final = "ocpp2.1"
PROTOCOLS: Final = (OLD, NEW, NEWEST)
"""The subprotocols that are spoken, oldest first."""

MINUTES = 60
HOURS = 3600


class Purpose(StrEnum):
    """What a message is about; lists are grouped by it."""

    CONFIGURATION = "configuration"
    CHARGING = "charging"
    RESERVATION = "reservation"
    LOCAL_LIST = "local_list"
    OPERATION = "operation"
    FIRMWARE = "firmware"
    DIAGNOSTICS = "diagnostics"
    DISPLAY = "display"
    PRICE = "price"
    SECURITY = "security"
    GRID = "grid"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a station tells after it has accepted, and which of its words are the last ones."""

    message: str
    good: frozenset[str]
    """Done."""
    bad: frozenset[str]
    """It has come to nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of ours."""

    name: str
    protocols: tuple[str, ...]
    purpose: Purpose
    seconds: int = MINUTES
    """How long it may take from the question to its end, unless whoever asks says otherwise."""
    numbered: tuple[str, ...] = ()
    """The versions in which it carries a requestId, which the house draws."""
    report: str | None = None
    """Told in parts under the requestId after the answer; the last part ends it."""
    progress: tuple[Progress, ...] = ()
    instead: str | None = None
    """What does the same in the versions that lack it."""
    by_action: str | None = None
    """A session follows from it: it is asked for by this action, never by its name."""


_FIRMWARE = Progress(
    "FirmwareStatusNotification",
    good=frozenset({"Installed"}),
    bad=frozenset(
        {"DownloadFailed", "InstallationFailed", "InstallVerificationFailed", "InvalidSignature", "RevokedCertificate",
         "InvalidCertificate"}
    ),
)  # fmt: skip
_SIGNED_FIRMWARE = Progress("SignedFirmwareStatusNotification", _FIRMWARE.good, _FIRMWARE.bad)
_PUBLISHED = Progress(
    "PublishFirmwareStatusNotification",
    good=frozenset({"Published"}),
    bad=frozenset({"DownloadFailed", "InvalidChecksum", "PublishFailed"}),
)
_DIAGNOSTICS = Progress("DiagnosticsStatusNotification", good=frozenset({"Uploaded"}), bad=frozenset({"UploadFailed"}))
_LOG = Progress(
    "LogStatusNotification",
    good=frozenset({"Uploaded"}),
    bad=frozenset({"BadMessage", "NotSupportedOperation", "PermissionDenied", "UploadFailure", "AcceptedCanceled"}),
)

_ALL = PROTOCOLS
_TWO = (NEW, NEWEST)
_P = Purpose

_TABLE = (
    # configuration
    Message("GetConfiguration", (OLD,), _P.CONFIGURATION, instead="GetVariables"),
    Message("ChangeConfiguration", (OLD,), _P.CONFIGURATION, instead="SetVariables"),
    Message("GetVariables", _TWO, _P.CONFIGURATION, instead="GetConfiguration"),
    Message("SetVariables", _TWO, _P.CONFIGURATION, instead="ChangeConfiguration"),
    Message("GetBaseReport", _TWO, _P.CONFIGURATION, 10 * MINUTES, _TWO, "NotifyReport", instead="GetConfiguration"),
    Message("GetReport", _TWO, _P.CONFIGURATION, 10 * MINUTES, _TWO, "NotifyReport", instead="GetConfiguration"),
    Message("SetNetworkProfile", _TWO, _P.CONFIGURATION),
    # smart charging
    Message("SetChargingProfile", _ALL, _P.CHARGING),
    Message("ClearChargingProfile", _ALL, _P.CHARGING),
    Message("GetCompositeSchedule", _ALL, _P.CHARGING),
    Message(
        "GetChargingProfiles", _TWO, _P.CHARGING, 5 * MINUTES, _TWO, "ReportChargingProfiles",
        instead="GetCompositeSchedule",
    ),
    Message("UpdateDynamicSchedule", (NEWEST,), _P.CHARGING),
    Message("UsePriorityCharging", (NEWEST,), _P.CHARGING),
    Message("NotifyAllowedEnergyTransfer", (NEWEST,), _P.CHARGING),
    # reservations and the list of tokens that a station knows by heart
    Message("ReserveNow", _ALL, _P.RESERVATION),
    Message("CancelReservation", _ALL, _P.RESERVATION),
    Message("SendLocalList", _ALL, _P.LOCAL_LIST, 5 * MINUTES),
    Message("GetLocalListVersion", _ALL, _P.LOCAL_LIST),
    # operation
    Message("RemoteStartTransaction", (OLD,), _P.OPERATION, by_action="start"),
    Message("RemoteStopTransaction", (OLD,), _P.OPERATION, by_action="stop"),
    Message("RequestStartTransaction", _TWO, _P.OPERATION, by_action="start"),
    Message("RequestStopTransaction", _TWO, _P.OPERATION, by_action="stop"),
    Message("GetTransactionStatus", _TWO, _P.OPERATION),
    Message("TriggerMessage", _ALL, _P.OPERATION),
    Message("ExtendedTriggerMessage", (OLD,), _P.OPERATION, instead="TriggerMessage"),
    Message("ChangeAvailability", _ALL, _P.OPERATION),
    Message("UnlockConnector", _ALL, _P.OPERATION),
    Message("Reset", _ALL, _P.OPERATION),
    Message("ClearCache", _ALL, _P.OPERATION),
    # firmware
    Message("UpdateFirmware", _ALL, _P.FIRMWARE, 24 * HOURS, _TWO, progress=(_FIRMWARE,)),
    Message(
        "SignedUpdateFirmware", (OLD,), _P.FIRMWARE, 24 * HOURS, (OLD,), progress=(_SIGNED_FIRMWARE,),
        instead="UpdateFirmware",
    ),
    Message("PublishFirmware", _TWO, _P.FIRMWARE, 24 * HOURS, _TWO, progress=(_PUBLISHED,)),
    Message("UnpublishFirmware", _TWO, _P.FIRMWARE),
    # diagnostics, logs, monitors
    Message("GetDiagnostics", (OLD,), _P.DIAGNOSTICS, 4 * HOURS, progress=(_DIAGNOSTICS,), instead="GetLog"),
    Message("GetLog", _ALL, _P.DIAGNOSTICS, 4 * HOURS, _ALL, progress=(_LOG,)),
    Message("CustomerInformation", _TWO, _P.DIAGNOSTICS, 10 * MINUTES, _TWO, "NotifyCustomerInformation"),
    Message("GetMonitoringReport", _TWO, _P.DIAGNOSTICS, 10 * MINUTES, _TWO, "NotifyMonitoringReport"),
    Message("SetMonitoringBase", _TWO, _P.DIAGNOSTICS),
    Message("SetMonitoringLevel", _TWO, _P.DIAGNOSTICS),
    Message("SetVariableMonitoring", _TWO, _P.DIAGNOSTICS),
    Message("ClearVariableMonitoring", _TWO, _P.DIAGNOSTICS),
    Message("AdjustPeriodicEventStream", (NEWEST,), _P.DIAGNOSTICS),
    Message("GetPeriodicEventStream", (NEWEST,), _P.DIAGNOSTICS),
    # display
    Message("SetDisplayMessage", _TWO, _P.DISPLAY),
    Message("GetDisplayMessages", _TWO, _P.DISPLAY, 5 * MINUTES, _TWO, "NotifyDisplayMessages"),
    Message("ClearDisplayMessage", _TWO, _P.DISPLAY),
    # price
    Message("CostUpdated", _TWO, _P.PRICE),
    Message("SetDefaultTariff", (NEWEST,), _P.PRICE),
    Message("GetTariffs", (NEWEST,), _P.PRICE),
    Message("ClearTariffs", (NEWEST,), _P.PRICE),
    Message("ChangeTransactionTariff", (NEWEST,), _P.PRICE),
    Message("NotifyWebPaymentStarted", (NEWEST,), _P.PRICE),
    # security
    Message("GetInstalledCertificateIds", _ALL, _P.SECURITY),
    Message("InstallCertificate", _ALL, _P.SECURITY),
    Message("DeleteCertificate", _ALL, _P.SECURITY),
    Message("CertificateSigned", _ALL, _P.SECURITY),
    # the grid
    Message("SetDERControl", (NEWEST,), _P.GRID),
    Message("GetDERControl", (NEWEST,), _P.GRID, 5 * MINUTES, (NEWEST,), "ReportDERControl"),
    Message("ClearDERControl", (NEWEST,), _P.GRID),
    Message("AFRRSignal", (NEWEST,), _P.GRID),
    # the rest
    Message("DataTransfer", _ALL, _P.OTHER),
    Message("RequestBatterySwap", (NEWEST,), _P.OTHER, numbered=(NEWEST,)),
)  # fmt: skip

MESSAGES: Final = {one.name: one for one in _TABLE}
"""Every message of ours, by its name."""

_REPORTS = frozenset(one.report for one in _TABLE if one.report is not None)
_PROGRESSES = frozenset(step.message for one in _TABLE for step in one.progress)
FOLLOWING: Final = _REPORTS | _PROGRESSES
"""What stations tell about a message of ours after its answer."""

INVENTORY: Final = "NotifyReport"
"""Tells how a station is configured."""
ABOUT_A_PERSON: Final = frozenset({"NotifyCustomerInformation"})
"""What these tell stays in the sealed frame."""
FINE: Final = frozenset(
    {"Accepted", "AcceptedCanceled", "EmptyResultSet", "NotFound", "RebootRequired", "Scheduled", "Unlocked",
     "Unpublished"}
)  # fmt: skip
"""Words of an answer that say yes. `NotFound` only says yes where the question was what there is."""
NOTHING_FOUND: Final = frozenset({"EmptyResultSet", "NoProfiles", "NoTariff", "NotFound", "Unknown"})
"""Nothing is there: the answer to a question for what is there, and to no other."""
ASKS: Final = frozenset(
    {"GetBaseReport", "GetReport", "GetMonitoringReport", "GetDisplayMessages", "GetChargingProfiles",
     "GetInstalledCertificateIds", "GetTariffs", "GetDERControl", "GetPeriodicEventStream"}
)  # fmt: skip
"""Messages that ask what there is."""


def says_yes(name: str, status: str) -> bool:
    """Whether a status means that the station does it, or has done it."""
    if status in NOTHING_FOUND:
        return name in ASKS
    return status in FINE


def comes_to_more(name: str, status: str | None) -> bool:
    """Whether more is to be told after this answer, before the message has come to its end."""
    message = MESSAGES.get(name)
    if message is None or (status is not None and status in NOTHING_FOUND):
        return False
    return message.report is not None or bool(message.progress)


def progress_of(name: str, told: str) -> Progress | None:
    """How a notification is understood that follows this message; None: it follows others."""
    message = MESSAGES.get(name)
    return None if message is None else next((one for one in message.progress if one.message == told), None)
