"""What letters say: a link, an invitation, a debit, a low balance, a wrong price. Plain text, in the language of the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.figures import date, day, money, time_of_day
from tallywatt.entrypoints.pages.words import label
from tallywatt.kernel.clock import rfc3339
from tallywatt.workflows.ports import Letter

if TYPE_CHECKING:
    from tallywatt.workflows.send_letter import Addressed
    from tallywatt.workflows.tell_customer import CustomerLetter, RestLetter

_ = language.gettext

PATHS: Final = {"sign_in": "/sign-in/link/", "invitation": "/invitation/"}


def link_url(base_url: str, what: str, secret: str) -> str:
    """Where the link of a letter leads."""
    return f"{base_url}{PATHS[what]}{secret}"


def grouped(code: str) -> str:
    """Six digits as they are read out."""
    return f"{code[:3]} {code[3:]}"


def written(what: str, to: Addressed, tongue: str, url: str, code: str) -> Letter:
    """The letter."""
    with language.speaking(tongue):
        until = rfc3339(to.expires_at)
        if what == "invitation":
            subject, text = _invitation(to, url, day(until, to.zone))
        else:
            subject, text = _sign_in(to, url, code, time_of_day(until, to.zone))
    return Letter(to.to, to.operator_name, subject, text)


def pre_notified(to: CustomerLetter) -> Letter:
    """The letter before a direct debit: how much, when, from where, under which mandate."""
    with language.speaking(to.language):
        told = {"operator": to.operator_name, "sum": money(to.minor, to.currency), "date": date(to.on)}
        subject = _("%(operator)s will collect %(sum)s on %(date)s") % told
        lines = (
            _("%(sum)s is collected from your account %(account)s on %(date)s.") % {**told, "account": to.account},
            _("It is for: %(what)s") % {"what": to.about},
            _("Mandate: %(mandate)s. Creditor identifier: %(creditor)s.")
            % {"mandate": to.mandate, "creditor": to.creditor_id},
            _("You need do nothing but see that there is enough on the account."),
        )
    return Letter(to.to, to.operator_name, subject, "\n\n".join(lines) + "\n")


def low_balance(to: CustomerLetter) -> Letter:
    """The letter of a balance that has become low."""
    with language.speaking(to.language):
        told = {"operator": to.operator_name, "sum": money(to.minor, to.currency)}
        subject = _("Your balance at %(operator)s is low: %(sum)s") % told
        lines = (
            _("%(sum)s is left on your prepaid balance.") % told,
            _("Top it up before your next session: without enough on it, a session does not start."),
        )
    return Letter(to.to, to.operator_name, subject, "\n\n".join(lines) + "\n")


def charged_too_little(to: RestLetter, url: str) -> Letter:
    """The letter about a session that was charged by a wrong price: why, how much, and where it is paid."""
    with language.speaking(to.language):
        told = {
            "operator": to.operator_name,
            "sum": money(to.open_minor, to.currency),
            "date": day(rfc3339(to.started_at), to.zone),
            "was": money(to.was_minor, to.currency),
            "now": money(to.now_minor, to.currency),
            "reason": to.reason,
            "card": to.card,
        }
        subject = _("%(operator)s charged %(sum)s too little") % told
        lines = [
            _("We made a mistake with the price of your charging on %(date)s: %(reason)s.") % told,
            _("You were charged %(was)s. By the price that held it is %(now)s, so %(sum)s is missing.") % told,
        ]
        if to.paid_by:
            lines.append(_collected(to.paid_by) % told)
            lines.append(_("The session and its new invoice:"))
        else:
            lines.append(_("You can pay it here, where you find the session and its new invoice, too:"))
        lines += [url, _("We are sorry for the trouble. If you think that this is wrong, answer %(operator)s.") % told]
    return Letter(to.to, to.operator_name, subject, "\n\n".join(lines) + "\n")


def _collected(paid_by: str) -> str:
    if paid_by == "prepaid":
        return _("It was taken from your balance. You need do nothing.")
    if paid_by == "invoice":
        return _("It stands on the new invoice, which you pay as you pay the others.")
    return _("It was charged to your card %(card)s. You need do nothing.")


def _sign_in(to: Addressed, url: str, code: str, until: str) -> tuple[str, str]:
    subject = _("Sign in to %(operator)s: %(code)s") % {"operator": to.operator_name, "code": grouped(code)}
    lines = (
        _("Open this link in the browser in which you asked for it:"),
        url,
        _("Or type this code there: %(code)s") % {"code": grouped(code)},
        _("Both work once, until %(time)s.") % {"time": until},
        _("You did not ask for it? Then you need do nothing: nobody gets in without this letter."),
    )
    return subject, "\n\n".join(lines) + "\n"


def _invitation(to: Addressed, url: str, until: str) -> tuple[str, str]:
    subject = _("An invitation from %(operator)s") % {"operator": to.operator_name}
    assert to.role is not None, "an invitation offers a role"
    role = label(to.role.value, "role")
    lines = (
        _("%(operator)s invites you to join as: %(role)s.") % {"operator": to.operator_name, "role": role},
        _("Open this link to accept. There is no password to choose."),
        url,
        _("It works once, until %(date)s.") % {"date": until},
    )
    return subject, "\n\n".join(lines) + "\n"
