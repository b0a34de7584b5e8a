"""The provider's own books, as truths ask them: what is held, taken and given back for whom, and who is asked for a card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tallywatt.simulators.psp.adyen import psp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Object = dict[str, Any]


@dataclass(frozen=True)
class TheirPayment:
    """One payment as the provider has it. Sums are minor units, over its whole life."""

    ref: str
    payment_id: str
    """Whose it is, by the reference that it came with; empty when it names none of ours."""
    is_held: bool
    taken_minor: int
    returned_minor: int


class Objects(Protocol):
    """Who can show the provider's objects."""

    def objects(self, kind: str) -> list[Object]:
        """All of its objects of that kind, as they are now."""
        ...


class TheirBooks(Protocol):
    """What truths ask of a provider, whatever it speaks."""

    def payments(self) -> list[TheirPayment]:
        """All that was ever begun there."""
        ...

    def settled(self) -> dict[str, int]:
        """Minor units by payment of ours that it has told of as settled, less what came back."""
        ...

    def dispute_ref(self, dispute: str) -> str:
        """What it calls a dispute where others hear it."""
        ...

    def disputes(self) -> list[tuple[str, str, str, int]]:
        """Of each: what it is called, the payment of ours, how it stands, and minor units."""
        ...

    def balance(self) -> int:
        """Minor units that lie there: taken, and not given back, kept as a fee, or sent to the bank, as far as it has told."""
        ...

    def readers_asking(self) -> Iterator[str]:
        """Readers that ask whoever passes for a card."""
        ...


def _payments(objects: Objects, payment_of: Callable[[Object], str]) -> list[TheirPayment]:
    returned: Counter[str] = Counter()
    for refund in objects.objects("refund"):
        returned[refund["payment_intent"]] += refund["amount"] if refund["status"] == "succeeded" else 0
    return [
        TheirPayment(
            one["id"],
            payment_of(one),
            one["status"] == "requires_capture",
            one["amount_received"],
            returned[one["id"]],
        )
        for one in objects.objects("payment_intent")
    ]


def _by_payment(objects: Objects, payments: list[TheirPayment], booked: list[Object]) -> dict[str, int]:
    whose = {one.ref: one.payment_id for one in payments}
    moved = [one for one in booked if one["type"] != "payout"]
    source = {
        one["id"]: whose.get(one["payment_intent"], "")
        for kind in ("charge", "refund", "dispute")
        for one in objects.objects(kind)
    }
    sums: Counter[str] = Counter()
    for one in moved:
        sums[source[one["source"]]] += one["amount"]
    return sums


def _disputes(objects: Objects, books: TheirBooks) -> list[tuple[str, str, str, int]]:
    whose = {one.ref: one.payment_id for one in books.payments()}
    return [
        (books.dispute_ref(one["id"]), whose[one["payment_intent"]], one["status"], one["amount"])
        for one in objects.objects("dispute")
    ]


def _asked_now(reader: Object) -> str | None:
    action = reader["action"] or {}
    wanted: str | None = (action.get("process_payment_intent") or {}).get("payment_intent")
    return wanted if action.get("status") == "in_progress" else None


class StripeBooks:
    """Its payments carry ours in their metadata."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def payments(self) -> list[TheirPayment]:
        """All that was ever begun there."""
        return _payments(self._objects, self._payment_of)

    def settled(self) -> dict[str, int]:
        """By its balance: all that is in its list."""
        return _by_payment(self._objects, self.payments(), self._objects.objects("balance_transaction"))

    def dispute_ref(self, dispute: str) -> str:
        """Its id."""
        return dispute

    def disputes(self) -> list[tuple[str, str, str, int]]:
        """As they are."""
        return _disputes(self._objects, self)

    def balance(self) -> int:
        """What its list comes to."""
        return sum(one["net"] for one in self._objects.objects("balance_transaction"))

    @staticmethod
    def _payment_of(intent: Object) -> str:
        return next((value for name, value in intent["metadata"].items() if "payment" in name), "")

    def readers_asking(self) -> Iterator[str]:
        """Readers that ask for a card. One that had no connection asks on for what was ended, and nothing is held by that
        any more; it is freed when the next one wants it.
        """
        ended = {one["id"] for one in self._objects.objects("payment_intent") if one["status"] == "canceled"}
        for reader in self._objects.objects("terminal.reader"):
            wanted = _asked_now(reader)
            if wanted is not None and wanted not in ended:
                yield reader["id"]


class AdyenBooks:
    """Its payments are known by the merchant's reference: the payment, and behind a slash what it was asked for."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def payments(self) -> list[TheirPayment]:
        """All that was ever begun there, but for the pages on which cards were left."""
        found = _payments(self._objects, lambda one: str(one["metadata"].get("_reference", "")))
        return [
            TheirPayment(one.ref, one.payment_id.partition("/")[0], one.is_held, one.taken_minor, one.returned_minor)
            for one in found
            if not one.payment_id.endswith("/keep")
        ]

    def settled(self) -> dict[str, int]:
        """By its balance: what is in a batch."""
        booked = self._objects.objects("balance_transaction")
        return _by_payment(self._objects, self.payments(), [one for one in booked if one.get("_payout") is not None])

    def dispute_ref(self, dispute: str) -> str:
        """Its number."""
        return psp_of(dispute)

    def disputes(self) -> list[tuple[str, str, str, int]]:
        """By number."""
        return _disputes(self._objects, self)

    def balance(self) -> int:
        """What fees are it tells with a batch."""
        booked = self._objects.objects("balance_transaction")
        return sum(one["amount"] if one.get("_payout") is None else one["net"] for one in booked)

    def readers_asking(self) -> Iterator[str]:
        """Terminals that ask for a card: what they ask for cannot be ended elsewhere."""
        for reader in self._objects.objects("terminal.reader"):
            if _asked_now(reader) is not None:
                yield reader["id"]
