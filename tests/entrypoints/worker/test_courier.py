"""Partners are told everything, in order, signed, and one of them never waits for another."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tallywatt.entrypoints.worker import Courier
from tallywatt.partners.delivery import DeliveryState, Outcome, Reply
from tallywatt.partners.endpoint import EndpointState
from tallywatt.partners.schedule import AT_ONCE, LEASE_SECONDS, RETRY_SECONDS
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.change_webhook_endpoint import (
    DisableWebhookEndpoint,
    EnableWebhookEndpoint,
    RemoveWebhookEndpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    remove_webhook_endpoint,
)
from tallywatt.workflows.replay_webhook import (
    ReplayDelivery,
    ReplaySince,
    TryWebhook,
    replay_delivery,
    replay_since,
    try_webhook,
)
from tallywatt.workflows.rotate_webhook_secret import RotateWebhookSecret, rotate_webhook_secret
from tests.entrypoints.worker.post import DAY, Post, Received, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A partner who takes everything."""
    with Receiver() as built:
        yield built


@pytest.fixture
def other() -> Iterator[Receiver]:
    """Another one."""
    with Receiver() as built:
        yield built


def test_what_happens_is_told_signed_and_in_order(post: Post, receiver: Receiver) -> None:
    """The official library of the Standard Webhooks verifies ours."""
    endpoint_id, webhook = post.listen(receiver)
    for _ in range(3):
        post.happen("S1", "S2")

    assert post.deliver() == 6

    for one in receiver.seen:
        message = webhook.verify(one.body, one.headers)
        assert message["id"] == one.id
        assert message["operator_id"] == post.operator
    assert receiver.versions_of("S1") == receiver.versions_of("S2") == [1, 2, 3]
    assert len({one.id for one in receiver.seen}) == 6
    assert {one.state for one in post.deliveries(endpoint_id)} == {DeliveryState.DELIVERED}
    assert post.deliver() == 0


def test_a_message_that_somebody_touched_verifies_no_more(post: Post, receiver: Receiver) -> None:
    """The signature is over the very bytes."""
    _, webhook = post.listen(receiver)
    post.happen("S1")
    post.deliver()
    [one] = receiver.seen

    with pytest.raises(WebhookVerificationError):
        webhook.verify(one.body.replace(b"S1", b"S2"), one.headers)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(one.body, {**one.headers, "webhook-id": "another"})


def test_nothing_from_before_an_endpoint_was_added_is_told(post: Post, receiver: Receiver) -> None:
    """Who wants the past asks for a replay."""
    post.happen("S1")
    post.house.store.sequence()
    post.listen(receiver)
    post.happen("S2")
    post.deliver()

    assert [one.about for one in receiver.seen] == [("S2", 1)]


def test_an_endpoint_hears_only_what_it_asked_for(post: Post, receiver: Receiver, other: Receiver) -> None:
    """A family, or a single type; nobody is told who else listens."""
    post.listen(receiver, "session.*")
    post.listen(other, "payment.captured")
    post.happen("S1")
    post.deliver()

    assert [one.json["type"] for one in receiver.seen] == ["session.released"]
    assert other.seen == []


def test_a_failed_event_holds_back_its_own_aggregate_and_no_other(post: Post, receiver: Receiver) -> None:
    """A receiver that sees version 2 has taken version 1."""
    endpoint_id, _ = post.listen(receiver)
    receiver.answers = lambda one: 503 if one.about == ("S1", 2) else 200
    for _ in range(3):
        post.happen("S1", "S2")
    post.deliver()

    assert receiver.versions_of("S1") == [1, 2]
    assert receiver.versions_of("S2") == [1, 2, 3]
    assert [one.state.value for one in post.deliveries(endpoint_id) if one.is_open] == ["ready", "blocked"]

    receiver.answers = lambda _: 200
    post.later(60)
    post.deliver()
    assert receiver.versions_of("S1") == [1, 2, 2, 3]


def test_what_is_sent_again_is_the_same_to_the_byte_under_the_same_id(post: Post, receiver: Receiver) -> None:
    """Receivers know by the id that they have seen it, whatever the reason that it comes again."""
    endpoint_id, webhook = post.listen(receiver)
    receiver.answers = lambda _: 500
    post.happen("S1")
    post.deliver()
    receiver.answers = lambda _: 200
    post.later(30)
    post.deliver()
    [delivery] = post.deliveries(endpoint_id)
    post.do(replay_delivery, ReplayDelivery(endpoint_id, delivery.delivery_id))
    post.deliver()

    assert len({(one.id, one.body) for one in receiver.seen}) == 1
    assert len(receiver.seen) == 3
    for one in receiver.seen:
        webhook.verify(one.body, one.headers)
    assert [one.number for one in post.attempts(endpoint_id)] == [1, 2, 3]


def test_tries_go_on_for_days_and_then_the_next_event_goes(post: Post, receiver: Receiver) -> None:
    """Given up is not forgotten: it stands in the log, and can be replayed."""
    endpoint_id, _ = post.listen(receiver)
    receiver.answers = lambda one: 500 if one.about == ("S1", 1) else 200
    post.happen("S1")
    post.happen("S1")
    began = post.clock.now()
    sent = post.deliver()
    for pause in RETRY_SECONDS:
        # Another session comes through now and then: the receiver is there, it only dislikes this one.
        post.happen("S2")
        post.later(pause * 5 // 4 + 1)
        sent += post.deliver()

    first, second = [one for one in post.deliveries(endpoint_id) if one.aggregate_id == "S1"]
    assert (first.state, first.attempts) == (DeliveryState.GIVEN_UP, len(RETRY_SECONDS) + 1)
    assert second.state is DeliveryState.DELIVERED
    assert (post.clock.now() - began) // 1000 > 3 * DAY
    assert receiver.versions_of("S1") == [1] * (len(RETRY_SECONDS) + 1) + [2]

    receiver.answers = lambda _: 200
    post.do(replay_delivery, ReplayDelivery(endpoint_id, first.delivery_id))
    post.deliver()
    assert receiver.versions_of("S1")[-2:] == [2, 1]
    assert post.deliveries(endpoint_id, DeliveryState.GIVEN_UP) == []


def test_a_receiver_that_never_answers_disturbs_nobody(post: Post, receiver: Receiver, other: Receiver) -> None:
    """It holds a few sockets until its time is over; everybody else hears of everything meanwhile."""
    release = threading.Event()
    receiver.answers = lambda _: 200 if release.wait(20) else 500
    slow, _ = post.listen(receiver)
    post.listen(other)
    courier = post.courier()
    courier.start()
    try:
        for number in range(20):
            post.happen(f"S{number}")
        post.house.store.sequence()
        other.wait_for(20)
        assert len(receiver.seen) <= AT_ONCE
        assert len(post.deliveries(slow, DeliveryState.DELIVERED)) == 0
    finally:
        release.set()
        receiver.wait_for(20)
        courier.stop()
    assert {one.id for one in receiver.seen} == {one.id for one in other.seen}


def test_a_receiver_that_stalls_is_left_and_tried_again(post: Post, receiver: Receiver) -> None:
    """The time for an answer is bounded, from the name to the last byte that is looked at."""
    post.patience_seconds = 0.2
    release = threading.Event()
    receiver.answers = lambda _: 200 if release.wait(20) else 500
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.deliver()
    release.set()

    [attempt] = post.attempts(endpoint_id)
    assert (attempt.outcome, attempt.status) == (Outcome.TIMED_OUT, None)
    post.patience_seconds = 10
    post.later(60)
    post.deliver()
    assert post.deliveries(endpoint_id, DeliveryState.DELIVERED)


def test_a_redirect_into_our_own_network_is_not_followed(post: Post, receiver: Receiver, other: Receiver) -> None:
    """The other place was never judged; and a redirect to a good one is not what was asked for either."""
    receiver.answers = lambda _: (307, {"location": other.url}, b"")
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.deliver()

    assert other.seen == []
    [attempt] = post.attempts(endpoint_id)
    assert (attempt.outcome, attempt.status) == (Outcome.REDIRECTED, 307)
    assert other.url in (attempt.error or "")


def test_the_answer_is_kept_shortened(post: Post, receiver: Receiver) -> None:
    """Enough to see what went wrong over there, and never a card's number."""
    receiver.answers = lambda _: (400, {}, b"no such card: 4242 4242 4242 4242. \x00" + b"x" * 500_000)
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.deliver()

    [attempt] = post.attempts(endpoint_id)
    assert attempt.answer is not None
    assert len(attempt.answer) < 1100
    assert "4242 4242" not in attempt.answer
    assert attempt.answer.startswith("no such card: [card number ending 4242]. \N{REPLACEMENT CHARACTER}x")


def test_a_receiver_that_hangs_up_is_unreachable(post: Post) -> None:
    """Nobody listens there any more."""
    with Receiver() as gone:
        endpoint_id, _ = post.listen(gone)
    post.happen("S1")
    post.deliver()

    [attempt] = post.attempts(endpoint_id)
    assert attempt.outcome is Outcome.UNREACHABLE
    assert "cannot be reached" in (attempt.error or "")


@dataclass
class DiesAfterSending:
    """The message went out, and the process is killed before it can write that down."""

    sent: list[str] = field(default_factory=list)

    async def send(self, _url: str, message_id: str, *_: Any) -> Any:
        """Send, and die."""
        self.sent.append(message_id)
        msg = "killed"
        raise SystemError(msg)

    def close(self) -> None:
        """Nothing is held."""


def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(post: Post, receiver: Receiver) -> None:
    """At least once: a kill between the answer and its note is a second delivery, never a lost one."""
    post.listen(receiver)
    post.happen("S1")
    post.happen("S1")
    post.house.store.sequence()
    dying = DiesAfterSending()
    Courier(post.house, dying).step()

    assert post.deliver() == 0, "its lease still holds"
    post.later(LEASE_SECONDS + 1)
    post.deliver()
    assert receiver.versions_of("S1") == [1, 2]
    assert receiver.seen[0].id == dying.sent[0]


@dataclass
class Late:
    """A sender that comes back after its lease, when another one has had the delivery."""

    post: Post
    outcome: Outcome

    async def send(self, *_: Any) -> Reply:
        """Be overtaken, and come back after all."""
        self.post.later(LEASE_SECONDS + 1)
        await asyncio.to_thread(self.post.courier().step)
        return Reply(self.outcome)

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(("status", "late"), [(500, Outcome.DELIVERED), (200, Outcome.TIMED_OUT)])
def test_that_it_was_delivered_counts_whoever_says_it(
    post: Post, receiver: Receiver, status: int, late: Outcome
) -> None:
    """Who lost the lease is believed when it went well; its failure says nothing about who came after it."""
    receiver.answers = lambda _: status
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.house.store.sequence()
    Courier(post.house, Late(post, late)).step()

    [delivery] = post.deliveries(endpoint_id)
    assert delivery.state is DeliveryState.DELIVERED
    assert len(post.attempts(endpoint_id)) == 2


def test_410_disables_the_endpoint_and_somebody_is_told(post: Post, receiver: Receiver) -> None:
    """It does not want to hear from us; what happens meanwhile is told when somebody enables it again."""
    receiver.answers = lambda _: 410
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.deliver()

    endpoint = post.endpoint(endpoint_id)
    assert (endpoint.state, endpoint.disabled_because) == (EndpointState.DISABLED, "gone")
    [item] = post.do(lambda work, _: work.inbox.by(kind="webhook_endpoint_disabled", state="open"), None)
    assert "410" in item.summary

    post.happen("S1", "S2")
    assert post.deliver() == 0
    receiver.answers = lambda _: 200
    post.do(enable_webhook_endpoint, EnableWebhookEndpoint(endpoint_id))
    post.happen("S2")
    post.deliver()
    assert receiver.versions_of("S1") == [1, 1, 2]
    assert receiver.versions_of("S2") == [1, 2]
    assert post.do(lambda work, _: work.inbox.by(kind="webhook_endpoint_disabled", state="open"), None) == []


def test_an_endpoint_that_takes_nothing_for_days_is_disabled_and_loses_nothing(post: Post, receiver: Receiver) -> None:
    """While it fails it is asked now and then, by one message, and not by a thousand."""
    receiver.answers = lambda _: 500
    endpoint_id, _ = post.listen(receiver)
    for number in range(30):
        post.happen(f"S{number}")
    rounds = 0
    while post.endpoint(endpoint_id).is_enabled:
        post.deliver()
        post.later(2 * HOUR)
        rounds += 1
        assert rounds < 100
    assert len(receiver.seen) < 2 * rounds + 10
    assert post.endpoint(endpoint_id).disabled_because == "failing"

    receiver.answers = lambda _: 200
    post.do(enable_webhook_endpoint, EnableWebhookEndpoint(endpoint_id))
    post.deliver()
    assert {one.state for one in post.deliveries(endpoint_id)} == {DeliveryState.DELIVERED}


def test_a_receiver_may_ask_for_patience(post: Post, receiver: Receiver) -> None:
    """Retry-After holds where it is longer than our own pause."""
    receiver.answers = lambda _: (429, {"retry-after": "600"}, b"")
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1", "S2")
    post.deliver()
    sent = len(receiver.seen)
    post.later(300)
    assert post.deliver() == 0

    receiver.answers = lambda _: 200
    post.later(600)
    post.deliver()
    assert len(receiver.seen) == sent + 2
    assert {one.state for one in post.deliveries(endpoint_id)} == {DeliveryState.DELIVERED}


def test_both_secrets_sign_while_one_follows_the_other(post: Post, receiver: Receiver) -> None:
    """The receiver changes over when it likes; after that day the old secret is worth nothing."""
    endpoint_id, old = post.listen(receiver)
    new = Webhook(post.do(rotate_webhook_secret, RotateWebhookSecret(endpoint_id, 120)).secret)
    post.happen("S1")
    post.deliver()
    [one] = receiver.seen
    assert old.verify(one.body, one.headers) == new.verify(one.body, one.headers)

    post.later(121)
    post.happen("S1")
    post.deliver()
    new.verify(receiver.seen[1].body, receiver.seen[1].headers)
    with pytest.raises(WebhookVerificationError):
        old.verify(receiver.seen[1].body, receiver.seen[1].headers)


def test_no_secret_is_kept_in_the_clear(post: Post, receiver: Receiver) -> None:
    """Who reads the database can sign nothing with it."""
    added = post.do(add_webhook_endpoint, AddWebhookEndpoint(receiver.url, allow="127.0.0.1"))
    rows = post.do(lambda work, _: [*work.webhook_secrets.by(), *work.actions.by(), *work.webhook_endpoints.by()], None)

    assert len(rows) >= 3
    assert added.secret.removeprefix("whsec_") not in repr(rows)
    assert Webhook(added.secret)._whsecret not in rows[0].sealed_secret


def test_everything_since_a_position_is_sent_again_in_order(post: Post, receiver: Receiver, other: Receiver) -> None:
    """The receiver lost its database: it gets the same messages again, the others none, and news come after them."""
    endpoint_id, _ = post.listen(receiver)
    post.listen(other)
    for _ in range(3):
        post.happen("S1", "S2")
    post.deliver()
    first = list(receiver.seen)
    start = post.deliveries(endpoint_id)[0].position
    replaying = post.do(replay_since, ReplaySince(endpoint_id, after=start))
    post.happen("S1")
    post.deliver()

    assert replaying.after == start
    again = receiver.seen[6:]
    news = {one.id for one in receiver.seen} - {one.id for one in first}
    assert len(news) == 1
    assert {(one.id, one.body) for one in again if one.id not in news} == {
        (one.id, one.body) for one in first if one.json["position"] > start
    }
    told_before = {first[0].about, first[1].about} - {one.about for one in again}
    assert len(told_before) == 1
    for session, versions in (("S1", [1, 2, 3, 4]), ("S2", [1, 2, 3])):
        assert [one.about[1] for one in again if one.about[0] == session] == [
            version for version in versions if (session, version) not in told_before
        ]
    assert len(other.seen) == 7
    assert post.endpoint(endpoint_id).position is None


def test_a_replay_tells_also_what_came_before_the_endpoint(post: Post, receiver: Receiver) -> None:
    """A new partner begins with the history, from a time on."""
    post.happen("S1")
    post.house.store.sequence()
    post.later(HOUR)
    since = post.clock.now()
    post.happen("S1", "S2")
    post.house.store.sequence()
    endpoint_id, _ = post.listen(receiver)
    post.deliver()
    assert receiver.seen == []

    post.do(replay_since, ReplaySince(endpoint_id, since=since))
    post.deliver()
    assert sorted(one.about for one in receiver.seen) == [("S1", 2), ("S2", 1)]


def test_a_disabled_endpoint_is_not_told_what_it_was_not_to_hear(post: Post, receiver: Receiver) -> None:
    """Whoever enables it may leave out what was missed."""
    endpoint_id, _ = post.listen(receiver)
    post.deliver()
    post.do(disable_webhook_endpoint, DisableWebhookEndpoint(endpoint_id))
    post.happen("S1")
    post.deliver()
    post.do(enable_webhook_endpoint, EnableWebhookEndpoint(endpoint_id, send_missed=False))
    post.happen("S2")
    post.deliver()

    assert [one.about for one in receiver.seen] == [("S2", 1)]


def test_a_removed_endpoint_hears_nothing_more(post: Post, receiver: Receiver) -> None:
    """Its log stays, its secrets end."""
    endpoint_id, _ = post.listen(receiver)
    post.do(remove_webhook_endpoint, RemoveWebhookEndpoint(endpoint_id))
    post.happen("S1")

    assert post.deliver() == 0
    secrets = post.do(lambda work, key: work.webhook_secrets.by(endpoint_id=key), endpoint_id)
    assert all(one.expires_at is not None for one in secrets)


def test_a_test_goes_to_one_endpoint_whatever_it_listens_to(post: Post, receiver: Receiver, other: Receiver) -> None:
    """By the same way as everything else, so that it proves something."""
    endpoint_id, webhook = post.listen(receiver, "payment.captured")
    post.listen(other)
    post.do(try_webhook, TryWebhook(endpoint_id))
    post.deliver()

    [one] = receiver.seen
    assert webhook.verify(one.body, one.headers)["type"] == "webhook_endpoint.tested"
    assert other.seen == []


def test_two_couriers_deliver_each_message_once(post: Post, receiver: Receiver) -> None:
    """Two worker processes share the work; a lease keeps them out of each other's way."""
    endpoint_id, _ = post.listen(receiver)
    both = [post.courier(), post.courier()]
    for one in both:
        one.start()
    for _ in range(10):
        post.happen(*(f"S{number}" for number in range(5)))
    post.house.store.sequence()
    receiver.wait_for(50)
    for one in both:
        one.stop()

    assert len(receiver.seen) == 50
    for number in range(5):
        assert receiver.versions_of(f"S{number}") == list(range(1, 11))
    assert {one.state for one in post.deliveries(endpoint_id)} == {DeliveryState.DELIVERED}


def test_a_receiver_that_takes_and_then_fails_hears_it_twice_under_one_id(post: Post, receiver: Receiver) -> None:
    """It answers twice: first an error, though it kept the message, then yes. Its id lets it keep one."""
    kept: set[str] = set()

    def keeps_then_fails(one: Received) -> int:
        known = one.id in kept
        kept.add(one.id)
        return 200 if known else 500

    receiver.answers = keeps_then_fails
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1")
    post.happen("S1")
    for _ in range(4):
        post.deliver()
        post.later(60)

    assert receiver.versions_of("S1") == [1, 1, 2, 2]
    assert len(kept) == 2
    assert {one.state for one in post.deliveries(endpoint_id)} == {DeliveryState.DELIVERED}


def test_what_ended_long_ago_leaves_the_log_and_what_waits_stays(post: Post, receiver: Receiver) -> None:
    """The log does not grow for ever; a replay makes the message anew, under its old id."""
    endpoint_id, _ = post.listen(receiver)
    post.happen("S1", "S2")
    receiver.answers = lambda one: 200 if one.about[0] == "S1" else 410
    post.deliver()
    post.later(89 * DAY)
    assert post.house.forget() == 0
    post.later(2 * DAY)
    assert post.house.forget() == 1

    assert [one.aggregate_id for one in post.deliveries(endpoint_id)] == ["S2"]
    assert {one.outcome for one in post.attempts(endpoint_id)} == {Outcome.GONE}
    assert len(post.do(lambda work, _: work.webhook_messages.by(), None)) == 1
    receiver.answers = lambda _: 200
    post.do(enable_webhook_endpoint, EnableWebhookEndpoint(endpoint_id))
    post.do(replay_since, ReplaySince(endpoint_id, after=0))
    post.deliver()
    again = [one for one in receiver.seen if one.about[0] == "S1"]
    assert len(again) == 2
    assert (again[0].id, again[0].body) == (again[1].id, again[1].body)
