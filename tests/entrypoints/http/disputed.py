"""A payment at a provider that takes answers to disputes, and a dispute about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.dispute import DefenceDocument, DefenceReason, DisputeState, ToldDispute
from tallywatt.payments.provider import StoredMethod
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tests.entrypoints.scene import Scene

GROUND = DefenceReason("ProofOfSale", ("DefenseMaterial",), ("OtherMaterial",))
DAY = 86_400_000


class TakesAnswers:
    """A provider that takes answers to disputes, and remembers them."""

    def __init__(self) -> None:
        self.defended: list[tuple[str, str, tuple[DefenceDocument, ...]]] = []
        self.accepted: list[str] = []

    def __call__(self, _: object) -> TakesAnswers:
        """As the house looks one up by its account."""
        return self

    def defence_reasons(self, _: str) -> tuple[DefenceReason, ...]:
        """One ground, which needs one document."""
        return (GROUND,)

    def defend(self, dispute_ref: str, reason: str, documents: tuple[DefenceDocument, ...]) -> None:
        """Takes what its ground needs."""
        if {one.kind for one in documents} < set(GROUND.needed):
            msg = "the provider refuses it: a document is missing"
            raise BadInput(msg, code="dispute.refused_there")
        self.defended.append((dispute_ref, reason, documents))

    def accept_dispute(self, dispute_ref: str) -> None:
        """Takes it."""
        self.accepted.append(dispute_ref)


def paid_there(scene: Scene) -> tuple[Payment, TakesAnswers]:
    """A driver whose card is stored at such a provider has charged and paid."""
    bank = TakesAnswers()
    told: Any = bank
    scene.house.providers = told
    added = AddProviderAccount("terminals", "adyen", ("GBP",), "env:KEY", (), merchant="Dundee")
    account = scene.do(add_provider_account, added)
    customer = scene.do(add_customer, AddCustomer("V-7", name="Van 7"))
    scene.do(add_token, AddToken("VAN7", "V-7"))
    stored = StoredMethod("cus_7", "pm_7", "visa", "4247")
    scene.do(keep_method, KeepMethod(customer.customer_id, account.account_id, stored))
    scene.wire("CP3").charge(10_000_000, token="VAN7", evse=2)
    scene.collect()
    [payment] = scene.do(lambda work, _: work.payments.by(account_id=account.account_id), None)
    return payment, bank


def disputed(scene: Scene, payment: Payment, ref: str, minor: int, days: int | None = 14) -> str:
    """The payer's bank takes so much of it back; the dispute's id."""
    due = None if days is None else Instant(scene.now + days * DAY)
    told = ToldDispute(ref, DisputeState.OPEN, minor, "GBP", minor, "fraudulent", scene.now, due, payment.payment_id)
    taken = scene.do(take_dispute, TakeDispute(payment.account_id, told))
    assert taken is not None
    return str(taken.dispute_id)
