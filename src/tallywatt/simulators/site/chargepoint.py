"""The `ocpp` package in the station's role: one object a socket, thrown away with it.

The package reads answers from one queue and does not notice a closed socket while it waits. So a call is never given up
while its socket lives on: whoever gives up closes the socket, and the next one gets a new object with an empty queue.
Handlers run inside the receive loop, so they only take note and answer at once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import ocpp.messages
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201

from tallywatt.simulators.site import plan
from tallywatt.simulators.site.meters import OneTimeTag

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

ocpp.messages.ASYNC_VALIDATION = False  # a thread for each validation costs more than the validation

LOG = logging.getLogger("tallywatt.simulators.site.ocpp")
LOG.addHandler(logging.NullHandler())
LOG.propagate = False


class Plugs(Protocol):
    """The station behind the socket: what it does when it is asked. No connector means the whole station."""

    def remote_start(self, connector: int | None, tag: OneTimeTag) -> bool:
        """Somebody paid: may the session start here?"""
        ...

    def remote_stop(self, transaction: str | int) -> bool:
        """End a transaction from afar."""
        ...

    def reset(self) -> bool:
        """Start anew, unless somebody is charging."""
        ...

    def unlock(self, connector: int) -> str:
        """Release a plug: `unlocked`, `busy` or `unknown`."""
        ...

    def change_availability(self, connector: int | None, *, operative: bool) -> bool:
        """Take a connector out of service or back; False: later, when the session is over."""
        ...

    def trigger(self, message: str, connector: int | None) -> bool:
        """Send a message soon that the platform asks for."""
        ...

    def transaction_state(self, transaction: str | None) -> tuple[bool | None, bool]:
        """Whether that transaction is ongoing, and whether facts still wait to be told."""
        ...


def point_for(protocol: plan.Protocol, station: str, socket: ClientConnection, plugs: Plugs, seconds: float) -> Any:
    """A charge point of the right version on a socket; answers are waited for so many seconds."""
    kind = Point16 if protocol is plan.Protocol.V16 else Point201
    return kind(station, socket, plugs, seconds)


async def send_without_waiting(point: Any, payload: Any) -> None:
    """Put a call on the socket and do not wait for the answer; the socket is dropped right after."""
    body = remove_nones(snake_to_camel_case(serialize_as_dict(payload)))
    unique_id = str(point._unique_id_generator())  # noqa: SLF001 - the package has no public way to make an id
    call = ocpp.messages.Call(unique_id=unique_id, action=type(payload).__name__, payload=body)
    await point._send(call.to_json())  # noqa: SLF001 - nor to send without waiting


class Point16(ChargePoint16):
    """A station that speaks OCPP 1.6."""

    def __init__(self, station: str, socket: ClientConnection, plugs: Plugs, seconds: float) -> None:
        super().__init__(station, socket, response_timeout=seconds, logger=LOG)
        self._plugs = plugs

    @on("RemoteStartTransaction")
    def on_remote_start(self, id_tag: str, connector_id: int | None = None, **_: Any) -> Any:
        """A payment or an app starts a session."""
        accepted = self._plugs.remote_start(connector_id, OneTimeTag(id_tag, "Central", None))
        return result16.RemoteStartTransaction(status=_accepted(yes=accepted))

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int, **_: Any) -> Any:
        """An app ends a session."""
        return result16.RemoteStopTransaction(status=_accepted(yes=self._plugs.remote_stop(transaction_id)))

    @on("Reset")
    def on_reset(self, **_: Any) -> Any:
        """Hard and soft are one to a simulator."""
        return result16.Reset(status=_accepted(yes=self._plugs.reset()))

    @on("UnlockConnector")
    def on_unlock(self, connector_id: int, **_: Any) -> Any:
        """A plug that sticks."""
        answers = {"unlocked": "Unlocked", "busy": "UnlockFailed", "unknown": "NotSupported"}
        return result16.UnlockConnector(status=answers[self._plugs.unlock(connector_id)])

    @on("ChangeAvailability")
    def on_change_availability(self, connector_id: int, type: str, **_: Any) -> Any:  # noqa: A002 - the package passes OCPP's own name
        """Out of service, or back."""
        done = self._plugs.change_availability(connector_id or None, operative=type == "Operative")
        return result16.ChangeAvailability(status="Accepted" if done else "Scheduled")

    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        """The platform wants to hear something again."""
        known = self._plugs.trigger(requested_message, connector_id)
        return result16.TriggerMessage(status="Accepted" if known else "NotImplemented")

    @on("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        """Nothing can be configured here."""
        return result16.GetConfiguration(configuration_key=[], unknown_key=list(key or []))

    @on("ChangeConfiguration")
    def on_change_configuration(self, **_: Any) -> Any:
        """Nothing can be configured here."""
        return result16.ChangeConfiguration(status="NotSupported")


class Point201(ChargePoint201):
    """A station that speaks OCPP 2.0.1."""

    def __init__(self, station: str, socket: ClientConnection, plugs: Plugs, seconds: float) -> None:
        super().__init__(station, socket, response_timeout=seconds, logger=LOG)
        self._plugs = plugs

    @on("RequestStartTransaction")
    def on_request_start(
        self, id_token: dict[str, Any], remote_start_id: int, evse_id: int | None = None, **_: Any
    ) -> Any:
        """A payment or an app starts a session."""
        tag = OneTimeTag(id_token["id_token"], id_token["type"], remote_start_id)
        return result201.RequestStartTransaction(status=_accepted(yes=self._plugs.remote_start(evse_id, tag)))

    @on("RequestStopTransaction")
    def on_request_stop(self, transaction_id: str, **_: Any) -> Any:
        """An app ends a session."""
        return result201.RequestStopTransaction(status=_accepted(yes=self._plugs.remote_stop(transaction_id)))

    @on("Reset")
    def on_reset(self, **_: Any) -> Any:
        """Immediate and on idle are one to a simulator."""
        return result201.Reset(status=_accepted(yes=self._plugs.reset()))

    @on("UnlockConnector")
    def on_unlock(self, evse_id: int, **_: Any) -> Any:
        """A plug that sticks."""
        answers = {"unlocked": "Unlocked", "busy": "OngoingAuthorizedTransaction", "unknown": "UnknownConnector"}
        return result201.UnlockConnector(status=answers[self._plugs.unlock(evse_id)])

    @on("ChangeAvailability")
    def on_change_availability(self, operational_status: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        """Out of service, or back."""
        connector = None if evse is None else int(evse["id"])
        done = self._plugs.change_availability(connector, operative=operational_status == "Operative")
        return result201.ChangeAvailability(status="Accepted" if done else "Scheduled")

    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        """The platform wants to hear something again."""
        known = self._plugs.trigger(requested_message, None if evse is None else int(evse["id"]))
        return result201.TriggerMessage(status="Accepted" if known else "NotImplemented")

    @on("GetTransactionStatus")
    def on_get_transaction_status(self, transaction_id: str | None = None, **_: Any) -> Any:
        """Is it still going, and is anything about it still unsaid?"""
        ongoing, waiting = self._plugs.transaction_state(transaction_id)
        return result201.GetTransactionStatus(ongoing_indicator=ongoing, messages_in_queue=waiting)


def _accepted(*, yes: bool) -> str:
    return "Accepted" if yes else "Rejected"
