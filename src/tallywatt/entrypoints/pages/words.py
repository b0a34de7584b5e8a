"""Pure: what codes are called on pages. A code without a word is shown as it is, with spaces."""

from __future__ import annotations

from typing import Final

from tallywatt.entrypoints.pages.language import _, later

LABELS: Final = {
    "session.active": later("Charging"),
    "session.ended": later("Waiting for the vehicle"),
    "session.held": later("Held"),
    "session.billed": later("Billed"),
    "session.explained": later("Explained"),
    "payer.ad_hoc": later("Card, no account"),
    "payer.customer": later("Customer"),
    "payer.unknown": later("Unknown"),
    "payer.partner": later("Partner"),
    "payer.employer": later("Employer"),
    "payer.operator": later("Operator"),
    "payment.created": later("Begun"),
    "payment.prepared": later("Being charged"),
    "payment.requires_action": later("Waiting for the driver"),
    "payment.authorised": later("Held on the card"),
    "payment.captured": later("Paid"),
    "payment.refunded": later("Given back"),
    "payment.voided": later("Released"),
    "payment.expired": later("Hold expired"),
    "payment.declined": later("Declined"),
    "payment.abandoned": later("Never paid"),
    "payment.owed": later("Owed"),
    "reason.lost_stop": later("Stop never came"),
    "reason.start_missing": later("Start never came"),
    "reason.meter_reset": later("Meter was reset"),
    "reason.implausible": later("Not plausible"),
    "reason.unknown_payer": later("Nobody known to owe"),
    "reason.no_tariff": later("No tariff held"),
    "reason.written_off": later("Written off"),
    "source.ocpp": later("Station"),
    "source.ocpp-tap": later("Tap"),
    "source.ocpi": later("Partner"),
    "source.api": later("API"),
    "source.csv": later("Import"),
    "station.adopted": later("In service"),
    "station.quarantined": later("Unknown, waiting"),
    "station.retired": later("Retired"),
    "job.ready": later("In line"),
    "job.leased": later("Running"),
    "job.done": later("Done"),
    "job.failed": later("Failed"),
    "role.owner": later("Owner"),
    "role.operations": later("Operations"),
    "role.support": later("Support"),
    "role.finance": later("Finance"),
    "role.read_only": later("Read only"),
    "role.fleet_manager": later("Fleet manager"),
    "role.driver": later("Driver"),
    "duties.owner": later("Everything, people and keys included."),
    "duties.operations": later("Stations, commands, tariffs, customers, the inbox. No money is moved."),
    "duties.support": later("Helps drivers: starts, stops, unlocks, works the inbox, gives back small sums."),
    "duties.finance": later("Payments, refunds, invoices, the inbox. Commands no station."),
    "duties.read_only": later("Sees everything, changes nothing."),
    "duties.fleet_manager": later("Sees the sessions and receipts of the customers of one fleet."),
    "duties.driver": later("Sees own sessions and receipts."),
    "way.link": later("By a link"),
    "way.email": later("By e-mail"),
    "way.passkey": later("With a passkey"),
    "way.sso": later("Single sign-on"),
    "way.invitation": later("By an invitation"),
    "evse.Available": later("Free"),
    "evse.Preparing": later("Plugged in"),
    "evse.Charging": later("Charging"),
    "evse.SuspendedEV": later("Paused by the vehicle"),
    "evse.SuspendedEVSE": later("Paused by the station"),
    "evse.Finishing": later("Finishing"),
    "evse.Occupied": later("Occupied"),
    "evse.Reserved": later("Reserved"),
    "evse.Unavailable": later("Out of service"),
    "evse.Faulted": later("Faulted"),
    "evse.unknown": later("Not heard of yet"),
    "inbox.unknown_transaction": later("Stop of an unknown transaction"),
    "inbox.suggested_duplicate": later("Two starts that begin alike"),
    "inbox.late_start": later("Start came after the bill"),
    "inbox.stop_differs": later("Stopped twice, differently"),
    "inbox.webhook_unmatched": later("Webhook without a payment"),
    "inbox.payment_surplus": later("More was taken than is due"),
    "inbox.payment_contradicted": later("Provider contradicts us"),
    "inbox.payment_goes_round": later("Payment does not move on"),
    "inbox.operation_failed": later("Provider refused"),
    "inbox.operation_not_sent": later("Provider never reached"),
}


def label(code: str | None, kind: str = "") -> str:
    """The word for a code of a kind: what is `active` as a session is Charging."""
    if code is None:
        return _(LABELS[f"{kind}.unknown"]) if kind == "evse" else "–"
    for name in (f"{kind}.{code}", f"reason.{code}" if kind == "inbox" else ""):
        if name in LABELS:
            return _(LABELS[name])
    plain = code.replace("_", " ")
    return plain[:1].upper() + plain[1:]
