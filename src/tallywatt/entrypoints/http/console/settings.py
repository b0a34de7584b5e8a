"""Settings on the console: who the operator is, what it holds and waits for, how it rates, and where it collects."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.console.shown import done, given_fields, shown
from tallywatt.entrypoints.http.doors import Admin, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.kernel.money import currency, money
from tallywatt.payments.capabilities import CAPABILITIES, Captures, capabilities_of
from tallywatt.rating.policy import (
    STANDARD,
    Amounts,
    Interpolation,
    Policy,
    Rounding,
    StepSize,
    UnknownSignal,
    WithheldTime,
    read_policy_text,
)
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.change_operator import ChangeOperator, ChoosePolicy, change_operator, choose_policy
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()

CHOICES: Final = {
    "interpolation": Interpolation,
    "step_size": StepSize,
    "unknown_signal": UnknownSignal,
    "withheld_time": WithheldTime,
    "amounts": Amounts,
    "rounding": Rounding,
}
PROVIDERS: Final = tuple((code, code.capitalize()) for code in CAPABILITIES)
OWN_VARIABLE: Final = re.compile(r"(?!TALLYWATT_)[A-Z][A-Z0-9_]{0,63}")
"""A variable of the environment that a person on the console may name: never one with the installation's own key."""


@router.get("/console/settings")
async def show_settings(request: Request, caller: Reader, house: TheHouse) -> Response:
    """The operator's data as it stands on invoices, its hold and its deadlines."""
    return await shown(
        request, house, caller, "settings_operator.html", "settings", subject="operator", given=None, problem=None
    )


@router.post("/console/settings")
async def change(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Change them. Zone and currency stay: books and number series are kept in them."""
    given = await given_fields(request)
    try:
        order = _change(given, (await operator_of(house, caller.operator_id))["currency"])
        await house.write(caller.operator_id, change_operator, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await shown(
            request, house, caller, "settings_operator.html", "settings", status_of(problem),
            subject="operator", given=given, problem=problem,
        )  # fmt: skip
    return done("/console/settings", "saved")


@router.get("/console/settings/policy")
async def show_policy(request: Request, caller: Reader, house: TheHouse) -> Response:
    """How prices are worked out where a tariff leaves it open."""
    return await _policy_page(request, house, caller)


@router.post("/console/settings/policy")
async def choose(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Rate new offers by these choices."""
    given = await given_fields(request)
    data: dict[str, Any] = {name: given[name] for name in CHOICES if name in given}
    try:
        hours = given.get("longest_wait_hours", "24").strip()
        if not hours.isdecimal() or not 0 < int(hours) <= 24 * 7:
            msg = "the longest wait is a number of hours, at most a week"
            raise BadInput(msg, code="policy.bad_wait")
        order = ChoosePolicy({**data, "longest_wait_seconds": int(hours) * 3600})
        await house.write(caller.operator_id, choose_policy, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _policy_page(request, house, caller, problem)
    return done("/console/settings/policy", "saved")


@router.get("/console/settings/providers")
async def show_providers(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Accounts at payment providers, each with the address of its webhooks."""
    return await _providers_page(request, house, caller)


@router.post("/console/settings/providers")
async def add_provider(request: Request, caller: Admin, house: TheHouse) -> Response:
    """Add an account. Secrets stay in the environment of the server: here only their names are told."""
    given = await given_fields(request)
    try:
        order = _account(given)
        await house.write(caller.operator_id, add_provider_account, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _providers_page(request, house, caller, given, problem)
    return done("/console/settings/providers", "added")


@router.post("/console/settings/providers/{account_id}/captures")
async def switch(request: Request, account_id: str, caller: Admin, house: TheHouse) -> Response:
    """Say whether its provider has switched several captures of one hold on for it."""
    order = SwitchCaptures(account_id, several=(await given_fields(request)).get("several") == "yes")
    try:
        await house.write(caller.operator_id, switch_captures, order, actor=actor_of(caller))
    except TallywattError as problem:
        return await _providers_page(request, house, caller, None, problem)
    return done("/console/settings/providers", "saved", f"#{account_id}")


def _change(given: dict[str, str], code: str) -> ChangeOperator:
    return ChangeOperator(
        name=given.get("name", "").strip()[:200],
        address=given.get("address", "").replace("\r\n", "\n").strip()[:500],
        tax_id=given.get("tax_id", "").strip()[:50],
        pay_to=" ".join(given.get("pay_to", "").split())[:200],
        hold_minor=money(given.get("hold", "").strip().replace(",", "."), currency(code).code).minor,
        start_deadline_seconds=_whole(given.get("start_deadline", "")),
        lost_stop_after_seconds=_whole(given.get("lost_stop", "")),
    )


def _whole(text: str) -> int:
    plain = text.strip()
    if not plain.isdecimal() or len(plain) > 6:
        msg = "a deadline is a whole number"
        raise BadInput(msg, code="operators.bad_deadline")
    return int(plain)


def _account(given: dict[str, str]) -> AddProviderAccount:
    name = given.get("name", "").strip()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,38}", name):
        msg = "an account has a short name: lower-case letters, digits, hyphens"
        raise BadInput(msg, code="provider_accounts.bad_name")
    provider = given.get("provider", "stripe").strip()
    signed = capabilities_of(provider).signs_webhooks
    variables = [given.get(field, "").strip() for field in ("secret", "webhook_secret")[: 1 + signed]]
    if not all(OWN_VARIABLE.fullmatch(one) for one in variables):
        msg = "a secret is given by the name of a variable in the server's environment"
        raise BadInput(msg, code="payment.secret_not_a_reference", remedy="like STRIPE_KEY; never the secret itself")
    secret, *webhooks = (f"env:{one}" for one in variables)
    codes = tuple(given.get("currencies", "").upper().replace(",", " ").split())
    if not codes:
        msg = "an account collects in at least one currency"
        raise BadInput(msg, code="provider_accounts.no_currency")
    return AddProviderAccount(
        name,
        provider,
        codes,
        secret,
        tuple(webhooks),
        live=given.get("live") == "yes",
        merchant=given.get("merchant", "").strip()[:80] or None,
        rank=_rank(given.get("rank", "").strip() or "0"),
    )


def _rank(text: str) -> int:
    """A place in the order; what is none is told by the workflow."""
    return int(text) if text.isdecimal() and len(text) <= 4 else -1


async def _policy_page(
    request: Request, house: House, caller: Caller, problem: TallywattError | None = None
) -> Response:
    chosen = (await operator_of(house, caller.operator_id))["policy_version_id"]
    row = await house.ask(house.views.policy, caller.operator_id, chosen) if chosen else None
    policy: Policy = read_policy_text(row["canonical"]) if row else STANDARD
    return await shown(
        request, house, caller, "settings_policy.html", "settings", status_of(problem) if problem else 200,
        subject="policy", policy=asdict(policy), version=policy.version_id, choices=CHOICES, problem=problem,
    )  # fmt: skip


async def _providers_page(
    request: Request,
    house: House,
    caller: Caller,
    given: dict[str, str] | None = None,
    problem: TallywattError | None = None,
) -> Response:
    rows = await house.ask(house.views.provider_accounts, caller.operator_id)
    for row in rows:
        row["is_switched"] = capabilities_of(row["provider"]).multiple_captures is Captures.BY_ACCOUNT
        row["webhook_url"] = f"{house.settings.base_url}/webhooks/{row['provider']}/{row['id']}"
    return await shown(
        request, house, caller, "settings_providers.html", "settings", status_of(problem) if problem else 200,
        subject="providers", rows=rows, given=given or {}, problem=problem, providers=PROVIDERS,
    )  # fmt: skip
