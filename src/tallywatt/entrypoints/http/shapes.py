"""The shapes that come in through the API; pydantic is used here at the edge, and nowhere else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from tallywatt.customers.access import Scope
from tallywatt.customers.circle import CircleKind
from tallywatt.payments.debit import Scheme
from tallywatt.payments.own_books import TransferFor
from tallywatt.rating.records import Dimension
from tallywatt.rating.records import Scope as Place
from tallywatt.stations.charging import LONGEST_MINUTES, Unit
from tallywatt.stations.command import Action
from tallywatt.stations.display import Shows
from tallywatt.stations.messages_shown import LARGEST_NUMBER, LONGEST_TEXT
from tallywatt.stations.offline import MOST_WH, Starts
from tallywatt.stations.station import Current
from tallywatt.workflows.resolve_inbox import Decision
from tallywatt.workflows.rotate_api_key import GRACE_SECONDS, LONGEST_GRACE_SECONDS


def storable(value: Any) -> Any:
    """Refuse text that no database holds: a NUL, half of a surrogate pair."""
    if isinstance(value, str) and ("\0" in value or value.encode("utf-8", "ignore").decode() != value):
        msg = "this text cannot be stored"
        raise ValueError(msg)
    return value


def _no_floats(value: Any) -> Any:
    """A quantity in JSON is a string, or a whole number: a float has lost digits before anybody could look."""
    if isinstance(value, float) and not value.is_integer():
        msg = "give a quantity with places as a string"
        raise ValueError(msg)  # pydantic turns a ValueError into a message
    return value


Quantity = Annotated[Decimal, BeforeValidator(_no_floats)]
Text = Annotated[str, Field(max_length=200)]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,8}(\.[0-9]{1,4})?$")]
Identity = Annotated[str, Field(min_length=1, max_length=48)]


class Shape(BaseModel):
    """What all have in common: unknown members are refused, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="after")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        return storable(value)


class NewLocation(Shape):
    """A place with stations."""

    reference: Identity
    name: Text
    address: Text = ""
    city: Text = ""
    postal_code: Text = ""
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    zone: Text | None = Field(default=None, examples=["Europe/London"])
    latitude: str | None = Field(default=None, pattern=r"^-?\d{1,2}(\.\d{1,8})?$")
    longitude: str | None = Field(default=None, pattern=r"^-?\d{1,3}(\.\d{1,8})?$")


class NewEvse(Shape):
    """One place to charge one vehicle."""

    number: int = Field(ge=1, le=64)
    current: Current = Current.AC
    max_watts: int | None = Field(default=None, ge=1, le=10_000_000)
    code: Annotated[str, Field(max_length=48)] | None = Field(default=None, examples=["GB*TWA*E50914*1"])


class NewStation(Shape):
    """A station that is to connect."""

    identity: Identity
    location: Identity | None = None
    key: Annotated[str, Field(min_length=8, max_length=200)] | None = Field(
        default=None, description="The station's Basic auth key; it is kept as a keyed hash."
    )
    evses: list[NewEvse] = Field(default_factory=lambda: [NewEvse(number=1)], min_length=1, max_length=64)


class Adoption(Shape):
    """A station leaves the quarantine."""

    location: Identity | None = None
    key: Annotated[str, Field(min_length=8, max_length=200)] | None = None
    evses: list[NewEvse] = Field(default_factory=lambda: [NewEvse(number=1)], min_length=1, max_length=64)


class SessionLimits(Shape):
    """The most of a session; what is reached first ends it."""

    gross_minor: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="Money, with tax, in minor units of the currency of its price."
    )
    energy_wh: Annotated[int, Field(ge=1, le=10**6)] | None = None
    seconds: Annotated[int, Field(ge=1, le=7 * 24 * 3600)] | None = Field(default=None, description="Since its start.")
    percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="Charge of the vehicle's battery; only stations of OCPP 2.1 can keep it."
    )

    def chosen(self) -> dict[str, int]:
        """Those that there are, in the units of the house."""
        told = {
            "gross_minor": self.gross_minor,
            "milliwatt_hours": None if self.energy_wh is None else self.energy_wh * 1000,
            "seconds": self.seconds,
            "percent": self.percent,
        }
        return {name: value for name, value in told.items() if value is not None}


class PricesShown(Shape):
    """Whether displays of stations are told prices."""

    shows: Shows = Field(description="`auto`: where the station can show them, as far as is known.")
    every_seconds: Annotated[int, Field(ge=10, le=3600)] = Field(
        default=60, description="While a session runs, at most so often."
    )
    tolerance_minor: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        default=None,
        description="By so many minor units a cost that a station counts itself may differ from ours; without it, as it was.",
    )


class ProfileMove(Shape):
    """To which security profile a station is to be moved, and in OCPP 2.x where it is to connect then."""

    profile: Literal[2, 3]
    url: Annotated[str, Field(max_length=512)] | None = Field(
        default=None,
        description="OCPP 2.x: the address within TLS, without the station's identity at its end.",
        examples=["wss://csms.example.org:9001/ocpp/dundee"],
    )
    slot: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="OCPP 2.x: which connection of the station is written; without it, a free one."
    )
    interface: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="OCPP 2.x: `Wired0` to `Wired3`, `Wireless0` to `Wireless3`; in 2.1 also `Any`."
    )


class OfflinePolicy(Shape):
    """What stations may do while they have no connection. What is left out stays as it is."""

    starts: Starts | None = Field(
        default=None,
        description="Who may start: `nobody`, cards that the station knows (`known`), or `anybody`.",
    )
    refused_wh: Annotated[int, Field(ge=0, le=MOST_WH)] | None = Field(
        default=None, description="Energy that may still flow when the station is back and the card is refused."
    )


class LimitOfPower(Shape):
    """No more than this, from now on, at one EVSE or at the whole station."""

    amount: Annotated[str, Field(pattern=r"^[0-9]{1,8}([.][0-9])?$", description="As text, with one place at most.")]
    unit: Unit = Unit.KW
    evse: Annotated[int, Field(ge=1, le=1_000)] | None = Field(default=None, description="Its number; null: all of it.")
    minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] | None = Field(
        default=None, description="How long; null: until it is cleared."
    )


class LimitCleared(Shape):
    """Which profile is cleared."""

    profile: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None, description="Its number; null: all of them."
    )


class LimitsAsked(Shape):
    """What a station is asked about the limits that it keeps to."""

    profiles: bool = Field(default=False, description="For the profiles themselves: OCPP 2.x; else what they come to.")
    evse: Annotated[int, Field(ge=1, le=1_000)] | None = None
    unit: Unit = Unit.KW
    minutes: Annotated[int, Field(ge=1, le=LONGEST_MINUTES)] = 24 * 60


class DisplayText(Shape):
    """A text that a station's display is to show."""

    number: Annotated[int, Field(ge=0, le=LARGEST_NUMBER, description="Your own; the same again replaces the text.")]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    priority: Literal["NormalCycle", "InFront", "AlwaysFront"] = "NormalCycle"
    state: Literal["", "Idle", "Charging", "Faulted", "Unavailable"] = Field(
        default="", description="While the station is so; empty: always."
    )
    language: Annotated[str, Field(max_length=8)] = ""
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None


class TextCleared(Shape):
    """Which text is taken away."""

    number: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]


class NewCommand(Shape):
    """What a station is to do. Accepted is not done: follow the command at the address in the answer."""

    action: Action
    evse: Annotated[str, Field(max_length=48)] | None = Field(
        default=None, description="Its code: start, unlock, availability."
    )
    session: Annotated[str, Field(max_length=36)] | None = Field(default=None, description="Which session to stop.")
    tag: Annotated[str, Field(min_length=1, max_length=36)] | None = Field(
        default=None, description="The token to start with."
    )
    limit: SessionLimits | None = Field(default=None, description="With the action `start`: the most of its session.")
    reset: Literal["soft", "hard"] = "soft"
    operative: bool = True
    message: Annotated[str, Field(max_length=50)] | None = Field(
        default=None,
        description="With the action `message`: which one, by its name in OCPP. `GET /messages` lists them.",
    )
    content: dict[str, Any] | None = Field(
        default=None, description="Its fields, as the schema of the station's version has them. A requestId is drawn."
    )
    deadline_seconds: Annotated[int, Field(ge=1, le=7 * 24 * 3600)] | None = Field(
        default=None, description="How long it may take to its end, if not as long as usual."
    )


class CertificateRequest(Shape):
    """A station's request, brought by hand."""

    request: Annotated[str, Field(max_length=5500)] = Field(description="PEM, as the station made it.")


class Revocation(Shape):
    """Why a certificate is valid no longer."""

    reason: Text = ""


class NewAssignment(Shape):
    """From when which tariff holds where."""

    tariff: Text = Field(description="A version's id, or a reference: then its newest version.")
    scope: Place = Place.OPERATOR
    target: Text = Field(default="", description="Location reference, station identity or EVSE code.")
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    audience: Text = Field(
        default="everyone",
        description="For whom: everyone, or conditions like customer:C-1,C-2, fleet:north, group:taxis, member:gold, "
        "payment:ad_hoc, speed:dc_fast, joined by &.",
    )


class NewCustomer(Shape):
    """An account."""

    reference: Annotated[str, Field(min_length=1, max_length=64)]
    name: Text = ""
    email: Annotated[str, Field(max_length=254, pattern="^[^@ ]+@[^@ ]+$")] | None = None
    address: Text | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    circles: list[Annotated[str, Field(max_length=80)]] = Field(
        default_factory=list,
        max_length=20,
        description="To what the customer belongs from now on.",
        examples=[["group:taxis"]],
    )


class NewCircle(Shape):
    """A fleet, a group or a membership."""

    kind: CircleKind
    name: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="As audiences of tariffs call it; it never changes.", examples=["taxis"]
    )
    title: Text = Field(default="", description="As people call it; the name if left out.")


class NewBelonging(Shape):
    """Who is of a circle, from when until when."""

    customer: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="The customer's reference.")
    valid_from: AwareDatetime | None = Field(default=None, description="Now if left out.")
    valid_until: AwareDatetime | None = Field(default=None, description="No end if left out.")


class CouponTerms(Shape):
    """What a coupon takes off: a percentage, or one amount."""

    percent: Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$")] | None = None
    after_taxes: Amount | None = Field(default=None, description="Tax included.", examples=["5.00"])
    before_taxes: Amount | None = None
    dimensions: list[Dimension] = Field(default_factory=list, max_length=4, description="Of what alone; none: of all.")


class NewCoupon(Shape):
    """A code with a discount behind it."""

    code: Annotated[str, Field(min_length=3, max_length=32)] = Field(examples=["WELCOME"])
    terms: CouponTerms
    title: Text = ""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="Of an amount; the operator's if left out."
    )
    most_uses: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        default=None, description="By all together; without one: no limit."
    )
    uses_per_customer: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class NewCouponKept(Shape):
    """The code of a coupon for a customer's next session."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class NewToken(Shape):
    """A card, a fob, an app's tag."""

    uid: Annotated[str, Field(min_length=1, max_length=36)]
    customer: Annotated[str, Field(max_length=64)] | None = None
    type: Literal["RFID", "APP_USER", "OTHER"] = "RFID"
    valid_until: AwareDatetime | None = None
    group: Annotated[str, Field(min_length=1, max_length=36)] | None = None
    """Cards of one group may stop what another one of it has started."""


class NewSession(Shape):
    """A session from elsewhere, told in one piece. The same `upstream_id` again is the same session."""

    upstream_id: Annotated[str, Field(min_length=1, max_length=64)]
    started_at: AwareDatetime
    ended_at: AwareDatetime
    energy_wh: Quantity = Field(ge=0, le=10_000_000, examples=["8420", "12057.5"])
    evse: Annotated[str, Field(max_length=48)] | None = Field(default=None, examples=["GB*TWA*E50914*1"])
    station: Identity | None = Field(default=None, description="With `evse_number`, where no EVSE code is given.")
    evse_number: int = Field(default=1, ge=1, le=64)
    token: Annotated[str, Field(max_length=36)] | None = None
    customer: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Your reference of who owes."
    )
    energy_ended_at: AwareDatetime | None = None
    occupancy_ended_at: AwareDatetime | None = None


class NewRefund(Shape):
    """Money to give back. It needs an Idempotency-Key."""

    amount_minor: int = Field(ge=1, le=2**53)
    reason: Text = "requested"


class DefencePart(Shape):
    """A document of an answer to a dispute: one that the house makes, or one that you bring."""

    kind: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="As the ground calls it.")
    use: Literal["evidence", "receipt"] | None = Field(
        default=None, description="What the house hands in: its evidence as a bank reads it, or the receipt."
    )
    content: str | None = Field(default=None, description="Your own document instead, in Base64; at most 2 MB.")
    media_type: Literal["application/pdf", "image/jpeg", "image/tiff"] = "application/pdf"


class DisputeContest(Shape):
    """That a dispute is wrong, and why."""

    ground: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="One of its grounds, by its code.")
    documents: Annotated[list[DefencePart], Field(max_length=10)] = Field(
        default=[], description="Left out, the evidence of the house for each document that the ground needs."
    )


class DisputeLetGo(Shape):
    """That a dispute is let go."""

    reason: Annotated[str, Field(max_length=500)] = ""


class Resolution(Shape):
    """What a person decides about an item of the inbox."""

    decision: Decision
    note: Annotated[str, Field(max_length=500)] = ""
    customer: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Who owes, where nobody was known."
    )
    session_id: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Which session a stop that waits belongs to, where several are suggested."
    )


class Order(Shape):
    """What is to become of all open items of a kind; without a decision: as the rules say."""

    kind: Annotated[str, Field(max_length=64)]
    decision: Decision | None = None
    most_minor: Annotated[int, Field(ge=0, le=10**9)] = 0
    note: Annotated[str, Field(max_length=200)] = ""


class SettingRight(Shape):
    """Whether values of stations that stand in the way of bills are written by us."""

    sets_values: bool


class NewReservation(Shape):
    """For whom (a token, or a customer's newest one that is good), where at the station, and for how long."""

    minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    evse: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="Its code; any if left out.")
    connector_type: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="OCPP 2.x: any EVSE with a connector of this type."
    )
    token: Annotated[str, Field(max_length=36)] | None = None
    customer: Annotated[str, Field(max_length=64)] | None = None


class ListSwitch(Shape):
    """Whether lists of tokens are kept in step."""

    is_on: bool


class ListSending(Shape):
    """How much of a list of tokens is sent: what has changed, or all of it."""

    whole: bool = False


class NewRule(Shape):
    """A rule by its name: a new one, or another text of it."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Annotated[str, Field(max_length=64)]
    decision: Decision
    most_minor: Annotated[int, Field(ge=0, le=10**9)]


class NewProfile(Shape):
    """A profile by its name. Patterns of what stations say at boot know `*` and `?`, and no case."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    vendor: Annotated[str, Field(min_length=1, max_length=128)] = "*"
    model: Annotated[str, Field(min_length=1, max_length=128)] = "*"
    firmware: Annotated[str, Field(min_length=1, max_length=128)] = "*"
    habits: dict[str, str | int | bool] = Field(
        description="counts (lifetime, boot, session), values_since_start, values_times, values_over, ends_times, ends_over, "
        "zero_is_nothing"
    )


class NewApiKey(Shape):
    """A key for a program."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.READ], min_length=1)
    expires_at: AwareDatetime | None = None


class Rotation(Shape):
    """A new secret for a key."""

    grace_seconds: int = Field(
        default=GRACE_SECONDS,
        ge=0,
        le=LONGEST_GRACE_SECONDS,
        description="How long the old secret goes on opening; 0 ends it at once.",
    )


EventTypes = Annotated[
    list[Annotated[str, Field(max_length=80)]],
    Field(
        max_length=100,
        description="Of `GET /event-types`; `session.*` for a family, `*` for all.",
        examples=[["session.*"]],
    ),
]
Address = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://hooks.example.org/tallywatt"])]


class NewWebhookEndpoint(Shape):
    """Where a system of yours listens."""

    url: Address
    event_types: EventTypes = Field(default_factory=lambda: ["*"])
    description: Text = ""


class WebhookEndpointChange(Shape):
    """What is to be otherwise; what is left out stays."""

    url: Address | None = None
    event_types: EventTypes | None = None
    description: Text | None = None


class WebhookEnabling(Shape):
    """Nothing is sent to a disabled endpoint, and nothing is forgotten."""

    send_missed: bool = Field(default=True, description="Whether it hears of what happened meanwhile.")


class WebhookRotation(Shape):
    """A new secret for an endpoint."""

    old_holds_seconds: int = Field(
        default=86_400,
        ge=0,
        le=2_592_000,
        description="How long the old secret signs beside the new one; 0: not at all.",
    )


class Replay(Shape):
    """What is to be sent again: one delivery, or everything since a time or behind a position."""

    delivery: Annotated[str, Field(max_length=64)] | None = None
    since: AwareDatetime | None = None
    after: int | None = Field(default=None, ge=0, le=2**53, description="A position: `position` of a message.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.delivery, self.since, self.after)) != 1:
            msg = "give one of delivery, since, after"
            raise ValueError(msg)
        return self


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str = Field(description="A sentence for people.")
    remedy: str | None = Field(default=None, description="What to do about it.")
    detail_en: str | None = Field(
        default=None,
        description="The sentence in English, where `detail` is in another language: Accept-Language asks.",
    )


CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]
Minor = Annotated[int, Field(ge=1, le=10_000_000_000, description="In minor units of the currency.")]


class NewBalance(Shape):
    """In which currency."""

    currency: CurrencyCode


class NewTopUp(Shape):
    """How much is paid in, and where the customer comes back to. `{secret}` becomes the secret of the payment."""

    amount_minor: Minor
    currency: CurrencyCode
    title: Annotated[str, Field(min_length=1, max_length=100)] = Field(examples=["Top up"])
    success_url: Annotated[str, Field(pattern="^https?://", max_length=500)]
    cancel_url: Annotated[str, Field(pattern="^https?://", max_length=500)]
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None


class PayOut(Shape):
    """Of which currency, and how a person has paid out what no card takes back."""

    currency: CurrencyCode
    by_bank: Annotated[str, Field(min_length=1, max_length=140)] | None = Field(
        default=None, description="The reference of your transfer; left out, what no card takes back stays."
    )


class NewCredit(Shape):
    """How much may be open and held at a time, and within how many days a bill is to be paid."""

    currency: CurrencyCode
    limit_minor: Annotated[int, Field(ge=0, le=10_000_000_000)]
    term_days: Annotated[int, Field(ge=0, le=365)] = 14


class NewTransfer(Shape):
    """Money that came by bank: from a customer, or for an invoice of theirs."""

    key: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="Your name for it, like the number of a line of a statement: told twice it is the same transfer."
    )
    amount_minor: Minor
    currency: CurrencyCode
    received_on: date = Field(description="The bank's booking date.")
    customer: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    invoice: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="The number of the invoice that it is for first."
    )
    reference: Annotated[str, Field(max_length=140)] = Field(default="", description="What the payer has written.")
    target: TransferFor = TransferFor.ITEMS


class NewCreditor(Shape):
    """Who collects by direct debit, and on which account it comes in."""

    creditor_id: Annotated[str, Field(min_length=1, max_length=60)] = Field(examples=["DE98ZZZ09999999999"])
    name: Annotated[str, Field(min_length=1, max_length=70)]
    iban: Annotated[str, Field(min_length=1, max_length=60)]
    bic: Annotated[str, Field(max_length=20)] | None = None
    notice_days: Annotated[int, Field(ge=1, le=60, description="How long before the day payers are told.")] = 14


class NewMandate(Shape):
    """A mandate as a customer has signed it. The account is sealed, and shown by its end alone."""

    customer: Annotated[str, Field(min_length=1, max_length=64)]
    iban: Annotated[str, Field(min_length=1, max_length=60)]
    signed_on: date
    name: Annotated[str, Field(min_length=1, max_length=70)] | None = Field(
        default=None, description="The holder of the account; the customer if left out."
    )
    bic: Annotated[str, Field(max_length=20)] | None = Field(default=None, description="Needed outside of the EEA.")
    reference: Annotated[str, Field(min_length=1, max_length=35)] | None = Field(
        default=None, description="As it stands on the mandate; drawn if left out."
    )
    scheme: Scheme = Scheme.CORE
    used_before: bool = Field(default=False, description="Whether it was collected with elsewhere before.")


class NewDebitBatch(Shape):
    """Until when it is due, and on which day it is collected: the first that is in time if left out."""

    collect_on: date | None = None
    key: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Your name for the batch; asked twice it is the same."
    )


class BankDecision(Shape):
    """What a line is: a payout, somebody's transfer, direct debits, or nothing of the house's. One of them."""

    account: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The provider account of the payout, by its name or its id."
    )
    payout: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The payout, by the reference of its settlement line."
    )
    customer: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Whose transfer it is, or takes back."
    )
    invoice: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="The number of the invoice that it is for first."
    )
    target: TransferFor = TransferFor.ITEMS
    debit: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="The file of direct debits, or the one of them, by its name."
    )
    nothing: bool = Field(default=False, description="It is none of the house's business.")
    note: Annotated[str, Field(max_length=200)] = ""


class BankUndo(Shape):
    """Why a line was decided wrongly."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]
