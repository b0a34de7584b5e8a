"""What an operator is and decides: its own data, its rating policy, its accounts at payment providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.places import operator_of
from tallywatt.entrypoints.http.changes import CapturesSwitch, NewProviderAccount, OperatorChange, PolicyChoice
from tallywatt.entrypoints.http.doors import Admin, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Resource
from tallywatt.entrypoints.http.once import write_once
from tallywatt.entrypoints.http.telling import as_json, as_versioned, found, told
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.change_operator import ChangeOperator, ChoosePolicy, change_operator, choose_policy
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["settings"], route_class=Resource)


@router.get("/operators/me")
async def show_operator(caller: Reader, house: TheHouse) -> Response:
    """The operator whom your credential belongs to."""
    row = await operator_of(house, caller.operator_id, versioned=True)
    return as_versioned({**row, "scopes": list(caller.scopes)})


@router.patch("/operators/me")
async def patch_operator(request: Request, body: OperatorChange, caller: Admin, house: TheHouse) -> Response:
    """Change the operator's data, its hold on cards and its deadlines."""
    command = ChangeOperator(**body.model_dump())
    return await write_once(
        request, house, caller, change_operator, command, _tell_operator,
        version_of=lambda work: work.operators.lock().version,
    )  # fmt: skip


@router.put("/operators/me/policy")
async def put_policy(request: Request, body: PolicyChoice, caller: Admin, house: TheHouse) -> Response:
    """Rate new offers by these choices. Sessions that were offered a price keep the policy that they were offered it under."""
    command = ChoosePolicy(body.policy)
    return await write_once(
        request, house, caller, choose_policy, command, lambda row: told(row, "policy_version_id"),
        version_of=lambda work: work.operators.lock().version,
    )  # fmt: skip


@router.get("/provider-accounts")
async def list_accounts(caller: Reader, house: TheHouse) -> Response:
    """All accounts at payment providers, by name. Of their secrets only the names are told."""
    rows = await house.ask(house.views.provider_accounts, caller.operator_id)
    return as_json({"items": [_with_address(house, row) for row in rows], "next": None})


@router.post("/provider-accounts", status_code=201)
async def post_account(request: Request, body: NewProviderAccount, caller: Admin, house: TheHouse) -> Response:
    """A new account. The first one collects by default. Tell the provider the address that the account's `webhook_url` is."""
    command = AddProviderAccount(
        body.name,
        body.provider,
        tuple(body.currencies),
        body.secret_reference,
        tuple(body.webhook_secret_references),
        live=body.live,
        merchant=body.merchant,
        rank=body.rank,
        fee_minor=body.fee_minor,
        fee_basis_points=body.fee_basis_points,
        least_minor=body.least_minor,
        low_minor=body.low_minor,
    )
    return await write_once(
        request, house, caller, add_provider_account, command, lambda row: told(row, "account_id"), 201
    )


@router.get("/provider-accounts/{account_id}")
async def show_account(account_id: str, caller: Reader, house: TheHouse) -> Response:
    """One account."""
    return as_json(_with_address(house, await _account(house, caller, account_id)))


@router.put("/provider-accounts/{account_id}/captures")
async def put_captures(
    request: Request, account_id: str, body: CapturesSwitch, caller: Admin, house: TheHouse
) -> Response:
    """Say whether its provider has switched several captures of one hold on: Adyen's support does so for an account."""
    await _account(house, caller, account_id)
    command = SwitchCaptures(account_id, body.several)
    return await write_once(request, house, caller, switch_captures, command, lambda row: told(row, "account_id"))


async def _account(house: House, caller: Caller, account_id: str) -> dict[str, Any]:
    rows = await house.ask(house.views.provider_accounts, caller.operator_id)
    return found(next((one for one in rows if one["id"] == account_id), None), "account", "provider_accounts.not_found")


def _with_address(house: House, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "webhook_url": f"{house.settings.base_url}/webhooks/{row['provider']}/{row['id']}"}


def _tell_operator(row: Any) -> dict[str, Any]:
    return {name: value for name, value in told(row, "slug").items() if name != "clock_floor"}
