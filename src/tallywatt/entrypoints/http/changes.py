"""The shapes of changes: a member that is left out stays as it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from tallywatt.entrypoints.http.shapes import Identity, Shape, Text
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.station import Current

Language = Annotated[str, Field(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class LocationChange(Shape):
    """What is to be otherwise at a location."""

    name: Text | None = None
    address: Text | None = None
    city: Text | None = None
    postal_code: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    zone: Text | None = Field(default=None, examples=["Europe/London"])
    latitude: str | None = Field(default=None, pattern=r"^-?\d{1,2}(\.\d{1,8})?$")
    longitude: str | None = Field(default=None, pattern=r"^-?\d{1,3}(\.\d{1,8})?$")


class StationChange(Shape):
    """What is to be otherwise at a station."""

    location: Identity | None = Field(default=None, description="Reference of where it stands now.")
    key: Annotated[str, Field(min_length=8, max_length=200)] | None = Field(
        default=None, description="Its new Basic auth key, asked for at its next connection; kept as a keyed hash."
    )
    security_profile: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="The least of OCPP's security profiles with which it may connect; 0: any."
    )
    preferred_protocol: Literal["", "ocpp1.6", "ocpp2.0.1", "ocpp2.1"] | None = Field(
        default=None, description="Spoken when it offers several versions, or names none; empty: what it offers first."
    )


class EvseChange(Shape):
    """What is to be otherwise at an EVSE. Its code stays: it is on stickers and receipts."""

    current: Current | None = None
    max_watts: int | None = Field(default=None, ge=1, le=10_000_000)
    deployed_on: date | None = Field(default=None, description="Since when it is in public service.")
    metrology: Metrology | None = Field(
        default=None,
        description="The law of measurement there, for sessions that start from now on. `de_calibration_law`: only what the "
        "meter has signed is billed.",
    )


class NewMeterKey(Shape):
    """The public key of a meter, from a source that you trust: its plate, the maker's list."""

    meter_serial: Annotated[str, Field(min_length=1, max_length=64, examples=["1EMH0012345678"])]
    public_key: Annotated[str, Field(min_length=1, max_length=10_000)] = Field(
        description="SubjectPublicKeyInfo or a bare point, as hex, base64 or PEM."
    )
    evse: Annotated[str, Field(max_length=48)] | None = Field(
        default=None, description="Where it is built in; without one it is good wherever it is met."
    )
    valid_from: AwareDatetime | None = Field(
        default=None, description="When it was built in; without one: always there."
    )
    valid_until: AwareDatetime | None = None


class MeterKeyEnd(Shape):
    """From when on a key holds no more."""

    at: AwareDatetime | None = Field(default=None, description="Without one: now.")


class NewMarketPrice(Shape):
    """What a megawatt-hour costs from a moment on, for one slot."""

    starts_at: AwareDatetime
    per_mwh: Decimal = Field(gt=-1_000_000, lt=1_000_000, decimal_places=6, examples=["81.25"])


class NewMarketPrices(Shape):
    """Prices of one market, in slots of one length."""

    market: Annotated[str, Field(min_length=1, max_length=40, pattern=r"\S")] = Field(
        description="Its zone, as tariffs name it.", examples=["DE-LU"]
    )
    minutes: Literal[15, 60] = 60
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = Field(examples=["EUR"])
    prices: Annotated[list[NewMarketPrice], Field(min_length=1, max_length=10_000)]


class AssignmentEnd(Shape):
    """From when on a tariff holds no more."""

    at: AwareDatetime | None = Field(default=None, description="A time to come; without one: now.")


class BelongingEnd(Shape):
    """From when on a customer belongs to a circle no more."""

    at: AwareDatetime | None = Field(default=None, description="A time to come; without one: now.")


class CouponEnd(Shape):
    """From when on nobody may claim a coupon."""

    at: AwareDatetime | None = Field(default=None, description="A time to come; without one: now.")


class CustomerChange(Shape):
    """What is to be otherwise about a customer. An empty text takes away what was there."""

    name: Text | None = None
    email: Text | None = None
    address: Text | None = None
    language: Language | None = None


class OperatorChange(Shape):
    """What is to be otherwise about the operator. Zone and currency stay: books and numbers are kept in them."""

    name: Text | None = None
    address: Annotated[str, Field(max_length=500)] | None = None
    tax_id: Annotated[str, Field(max_length=40)] | None = None
    hold_minor: int | None = Field(default=None, ge=1, le=10_000_000)
    start_deadline_seconds: int | None = Field(default=None, ge=30, le=86_400)
    lost_stop_after_seconds: int | None = Field(default=None, ge=30, le=86_400)
    approval_hours: int | None = Field(
        default=None, ge=1, le=2160, description="How long a request for approval waits."
    )
    pay_to: Annotated[str, Field(max_length=200)] | None = Field(
        default=None,
        description="Where transfers for invoices go to, printed on them; a wrong digit in an IBAN is found.",
    )


class DecisionNote(Shape):
    """What is to be said about a decision."""

    note: Annotated[str, Field(max_length=500)] = ""


class MoneyLimitChange(Shape):
    """How much whoever has a role gives away alone. Null or left out: no limit; 0: everything waits for another person."""

    payment_minor: int | None = Field(default=None, ge=0, le=10**12, description="The most of one payment, in all.")
    day_minor: int | None = Field(default=None, ge=0, le=10**12, description="The most in one day.")


class NewCorrection(Shape):
    """Sessions that are to be priced again: under which tariff, which of them, and why."""

    tariff: Annotated[str, Field(min_length=1, max_length=200, description="A version's id, or a tariff's own id.")]
    since: AwareDatetime = Field(description="Sessions that began then or later …")
    until: AwareDatetime = Field(description="… and before then.")
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    priced_by: Annotated[str, Field(max_length=200, description="Only those priced by this tariff.")] = ""


class CarryOut(Shape):
    """What is to become of what was charged too little."""

    ask_above_minor: Annotated[int, Field(ge=0, le=10**12)] | None = Field(
        None,
        description="Ask for it where it is more than this in a session, give it up else; null: give all of it up.",
    )


class NewRestPage(Shape):
    """A page on which a driver pays what is missing. `{secret}` in the addresses becomes the secret of the payment."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    success_url: Annotated[str, Field(min_length=1, max_length=2000)]
    cancel_url: Annotated[str, Field(min_length=1, max_length=2000)]
    language: Annotated[str, Field(max_length=35)] | None = None


class PolicyChoice(Shape):
    """The rating policy of new offers."""

    policy: dict[str, Any] = Field(
        default_factory=dict, description="The choices; what is left out is as in the standard policy."
    )


class NewReader(Shape):
    """A card reader, as its provider names it, and what is paid for there: all of a location, or EVSEs by their codes."""

    account: Annotated[str, Field(min_length=1, max_length=64, description="The name of the provider account.")]
    reader_ref: Annotated[str, Field(min_length=1, max_length=64, examples=["tmr_F5XZ0bXq8y", "V400m-324688042"])]
    label: Annotated[str, Field(min_length=1, max_length=60, description="How drivers find it.")]
    location: Annotated[str, Field(max_length=64)] | None = None
    evses: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=100)


class CapturesSwitch(Shape):
    """Whether a hold at an account can be captured several times, for all holds from now on."""

    several: bool


class NewProviderAccount(Shape):
    """An account at a payment provider. Its secrets are named, and never told: `env:NAME` or `file:PATH`."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    provider: Annotated[
        str, Field(min_length=1, max_length=32, description="stripe, mollie, adyen, prepaid, invoice.")
    ] = "stripe"
    currencies: list[Annotated[str, Field(pattern="^[A-Z]{3}$")]] = Field(min_length=1, max_length=40)
    secret_reference: Annotated[str, Field(max_length=200)] = Field(
        default="", examples=["env:STRIPE_KEY"], description="prepaid and invoice need none."
    )
    webhook_secret_references: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=4, examples=[["env:STRIPE_WEBHOOK_SECRET"]]
    )
    live: bool = Field(default=False, description="Real money moves.")
    merchant: str | None = Field(
        default=None, max_length=80, description="The account's own name at the provider; Adyen wants one."
    )
    rank: int = Field(default=0, ge=0, le=1000, description="Who is asked first: the lowest.")
    fee_minor: int | None = Field(
        default=None, ge=0, le=100_000, description="What a payment costs there, in minor units."
    )
    fee_basis_points: int | None = Field(
        default=None, ge=0, le=10_000, description="And its share of the sum, in hundredths of a per cent."
    )
    least_minor: int | None = Field(
        default=None, ge=0, le=100_000_000, description="prepaid, invoice: what has to be free for a start."
    )
    low_minor: int | None = Field(
        default=None, ge=0, le=100_000_000, description="prepaid: below it a balance is told to be low."
    )
