"""Pure: what went wrong, as a page tells it to a person: by the problem's code, in the reader's language, with what to do.

Programs get the problem's own English sentence, which names the thing. A page for somebody who reads English shows it too,
but for the codes of DRIVERS, who need other words. What has no words here is told by its status, and the sentence is quoted.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from tallywatt.entrypoints.pages.language import ENGLISH, _, language, later

SAME: Final = ""
DRIVERS: Final[dict[str, tuple[str, str]]] = {
    "evses.not_found": (
        later("There is no such charging point"),
        later("The code may be old, or belong to another operator. Scan it again, or type the number on the post."),
    ),
    "sessions.not_found": (
        later("This link leads nowhere"),
        later("It may be cut off or too old. Open it again from where you have it, or ask the operator."),
    ),
    "payments.not_found": (
        later("This link leads nowhere"),
        later("It may be cut off or too old. Begin again at the charging point; nothing was taken for this one."),
    ),
    "sessions.not_yours": (
        later("Only who started this session may stop it here"),
        later("Stop at the vehicle, or with the card that you started with, or in the browser in which you paid."),
    ),
    "sessions.not_running": (
        later("This session is not running any more"),
        later("Load the page again to see what it cost."),
    ),
    "invoices.not_issued_yet": (
        later("There is no invoice yet"),
        later("It is written when the vehicle has left and the price is final."),
    ),
    "invoices.not_printed_yet": (later("The invoice is being printed"), later("Try again in a few seconds.")),
    "offers.no_tariff": (
        later("No price here at the moment"),
        later("Without a price nothing can be sold. Please use another charging point."),
    ),
    "payment.no_account": (
        later("Nobody can pay by card here at the moment"),
        later("The operator has no payment provider for this currency. A charging card may work at the station."),
    ),
    "tokens.none_good": (
        later("Your account has no card that may start"),
        later("Pay by card here, or ask the operator for a charging card."),
    ),
    "access.no_single_customer": (
        later("For which account is not clear"),
        later("A fleet's manager starts no sessions. Sign in as the driver, or pay by card."),
    ),
    "limits.too_many": (later("Too many requests at once"), later("Wait a minute, then load the page again.")),
    "access.not_signed_in": (later("Please sign in"), later("This page is for those who are signed in.")),
}
OTHERS: Final[dict[str, tuple[str, str]]] = {
    "access.not_allowed": (later("This is not for your role"), later("Ask an owner of this operator for it.")),
    "access.session_ended": (later("You are not signed in any more"), later("Sign in again.")),
    "access.csrf": (later("The form is too old"), later("Open the page again and send the form from there.")),
    "access.cross_site": (
        later("This was sent by a page of another site"),
        later("Open our own page and send the form from there."),
    ),
    "access.link_spent": (later("This link is spent"), later("Ask for a new one.")),
    "access.bad_code": (later("This code is not good"), later("Type the six digits of the newest letter.")),
    "access.other_browser": (
        later("This link was asked for in another browser"),
        later("Open it there, or type the code of the letter there."),
    ),
    "access.invitation_spent": (later("This invitation is not open any more"), later("Ask for a new one.")),
    "access.membership_ended": (later("This role has ended"), later("Ask an owner of this operator for it.")),
    "corrections.no_reason": (later("A correction says why"), SAME),
    "corrections.bad_range": (later("The range ends before it begins"), SAME),
    "corrections.not_proposed": (later("It is not to be carried out now"), later("Look at where it stands.")),
    "corrections.under_way": (later("It is under way"), later("Whoever is asked to approve it can decline.")),
    "corrections.not_found": (later("There is no such correction"), SAME),
    "approvals.own_request": (later("You have asked for this yourself"), later("Another person decides.")),
    "approvals.nameless": (later("Nobody knows who you are"), later("Sign in as yourself.")),
    "approvals.decided": (later("Somebody has decided already"), SAME),
    "approvals.expired": (later("Nobody has decided in time"), later("Ask for it again.")),
    "approvals.no_decision": (later("A request is approved or declined"), SAME),
    "approvals.note_too_long": (later("The note is too long"), SAME),
    "approvals.bad_limit": (later("A limit is a sum of money, or left empty"), SAME),
    "approvals.not_found": (later("There is no such request"), SAME),
    "access.challenge_spent": (later("That took too long"), later("Try again.")),
    "passkeys.not_good": (later("This passkey is not good here"), later("Come in another way, and add it again.")),
    "passkeys.unknown": (later("This passkey is not known here"), later("Come in another way, and add it again.")),
    "passkeys.too_many": (later("There are too many passkeys"), later("Remove one that you do not use.")),
    "passkeys.kept": (later("This passkey is kept already"), SAME),
    "people.bad_email": (later("This is no e-mail address."), SAME),
    "people.bad_name": (later("This is no name"), SAME),
    "people.last_owner": (later("Somebody must remain owner"), later("Make another owner first.")),
    "people.has_role": (later("This person has a role already"), later("Change the role instead.")),
    "people.no_customer": (later("This role needs a customer"), later("Write the customer's reference.")),
    "people.too_many_customers": (later("This role has one customer"), SAME),
    "customers.not_found": (later("There is no such customer"), later("Look at the reference once more.")),
    "customers.reference_taken": (later("This reference is taken"), later("Choose another one.")),
    "customers.bad_reference": (later("This is no reference"), later("Letters, digits, dots and hyphens.")),
    "customers.bad_email": (later("This is no e-mail address."), SAME),
    "circles.not_found": (later("There is no such fleet, group or membership"), later("Add it first.")),
    "circles.name_taken": (later("This name is taken"), later("Choose another one.")),
    "circles.bad_name": (later("This is no name"), later("Letters, digits, dots and hyphens, at most 64.")),
    "circles.bad_validity": (
        later("These times cannot be meant"),
        later("An end lies behind the beginning, and not in the past."),
    ),
    "circles.belongs_already": (
        later("The customer belongs to it in that time already"),
        later("End the other span first, or begin at its end."),
    ),
    "circles.ended_already": (later("It ends before that time already"), SAME),
    "coupons.not_found": (later("There is no such coupon"), later("Look at the code once more.")),
    "coupons.code_taken": (later("This code is taken"), later("Choose another one.")),
    "coupons.bad_code": (later("This is no code"), later("3 to 32 letters, digits and hyphens.")),
    "coupons.bad_terms": (later("These terms cannot be meant"), later("A percentage, or one amount.")),
    "coupons.bad_uses": (later("A coupon may be used once at least"), SAME),
    "coupons.bad_validity": (
        later("These times cannot be meant"),
        later("An end lies behind the beginning, and not in the past."),
    ),
    "coupons.not_valid": (later("This coupon does not hold at the moment"), SAME),
    "coupons.used_up": (later("This coupon is used up"), SAME),
    "coupons.used_already": (later("You have used this coupon already"), SAME),
    "tokens.uid_taken": (later("This card belongs to somebody already"), later("Look at its number once more.")),
    "tokens.bad_uid": (later("This is no card number"), later("Letters and digits, at most 36.")),
    "stations.not_found": (later("There is no such station"), SAME),
    "stations.identity_taken": (later("This identity is taken"), later("Choose another one.")),
    "stations.bad_identity": (later("This is no identity"), later("Letters, digits and few signs, at most 48.")),
    "stations.not_adopted": (later("This station is not in service"), later("Adopt it first.")),
    "stations.no_tag": (later("A start needs a card"), later("Write the number of the card to start with.")),
    "stations.key_too_short": (later("The key is too short"), later("At least 16 characters.")),
    "sessions.no_station": (later("This session runs at no station of ours"), SAME),
    "sessions.not_held": (later("This session is decided already"), later("Load the page again.")),
    "payment.refund_beyond_capture": (later("More than was taken cannot be given back"), SAME),
    "payment.refund_of_nothing": (later("Nothing cannot be given back"), SAME),
    "payment.operation_on_its_way": (
        later("Something is on its way at the provider"),
        later("Wait for its answer, then try again."),
    ),
    "payment.account_exists": (later("There is such an account already"), SAME),
    "payment.secret_missing": (later("The secret is not in the environment"), later("Set the variable and restart.")),
    "money.not_an_amount": (later("This is no amount"), later("Write it like 12.40.")),
    "money.too_precise": (later("This amount has too many places"), later("Write it like 12.40.")),
    "tariffs.not_found": (later("There is no such tariff"), SAME),
    "tariffs.no_such_place": (later("There is no such place"), SAME),
    "tariffs.bad_validity": (later("It would end before it begins"), SAME),
    "locations.not_found": (later("There is no such location"), SAME),
    "frames.not_found": (later("There is no such frame"), SAME),
    "invoices.not_found": (later("There is no such invoice"), SAME),
    "jobs.done": (later("This job is done already"), SAME),
    "request.unreadable": (later("The request cannot be read"), later("Go back and look at what you wrote.")),
    "request.idempotency_mismatch": (
        later("This form was sent before, with something else in it"),
        later("Open it again."),
    ),
    "request.changed_meanwhile": (later("Somebody has changed this meanwhile"), later("Load the page again.")),
    "storage.stale": (later("Somebody has changed this meanwhile"), later("Load the page again.")),
    "busy": (later("Too much to do at the moment"), later("Try again in a second.")),
    "broken": (
        later("Something broke"),
        later("It was written down. Try again, or tell whoever runs this installation."),
    ),
    "not_found": (later("There is no such page"), later("Look at the address once more.")),
}
WORDS: Final = {**DRIVERS, **OTHERS}
_STATUS: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: later("That cannot be meant"),
    HTTPStatus.UNAUTHORIZED: later("Please sign in"),
    HTTPStatus.FORBIDDEN: later("This is not for you"),
    HTTPStatus.NOT_FOUND: later("There is no such thing"),
    HTTPStatus.CONFLICT: later("That does not go at the moment"),
    HTTPStatus.PRECONDITION_FAILED: later("Somebody has changed this meanwhile"),
    HTTPStatus.UNPROCESSABLE_ENTITY: later("The request cannot be read"),
    HTTPStatus.TOO_MANY_REQUESTS: later("Too many requests at once"),
    HTTPStatus.INTERNAL_SERVER_ERROR: later("Something broke"),
    HTTPStatus.SERVICE_UNAVAILABLE: later("Too much to do at the moment"),
}


def worded(code: str, detail: str, remedy: str | None, status: int = HTTPStatus.BAD_REQUEST) -> dict[str, Any]:
    """A problem as a page shows it: `message`, `remedy`, and `quoted`, the English sentence where we have no other words."""
    own = WORDS.get(code)
    quoted = ""
    if own is None or (language() == ENGLISH and code not in DRIVERS):
        message, advice = _sentence(detail), _sentence(remedy)
        if language() != ENGLISH:
            quoted = " ".join(part for part in (f"{message}.", advice) if part)
            message, advice = _(_STATUS.get(status, _STATUS[HTTPStatus.BAD_REQUEST])), ""
    else:
        message, advice = _(own[0]), _(own[1])
    return {"message": message, "remedy": advice, "quoted": quoted, "code": code}


def _sentence(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""
