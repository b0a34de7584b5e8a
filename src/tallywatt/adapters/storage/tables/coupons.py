"""The tables of coupons, and of who used which one when."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    index,
    instant,
    json_text,
    refers,
    table,
    text,
    unique,
    version,
    whole,
)
from tallywatt.rating.coupon import Coupon, CouponUse, UseState

COUPONS = Mapping(
    table(
        "coupons",
        text("coupon_id"),
        text("code"),
        text("title"),
        json_text("terms"),
        text("currency", null=True),
        whole("most_uses", null=True),
        whole("uses_per_customer"),
        whole("uses"),
        instant("valid_from"),
        instant("valid_until", null=True),
        instant("created_at"),
        version(),
        check("uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)", "uses"),
        check("valid_until IS NULL OR valid_until >= valid_from", "valid_until"),
        unique("code"),
        key=("coupon_id",),
    ),
    Coupon,
)

COUPON_USES = Mapping(
    table(
        "coupon_uses",
        text("use_id"),
        text("coupon_id"),
        text("customer_id", null=True),
        text("offer_id", null=True),
        choice("state", UseState),
        instant("created_at"),
        instant("claimed_at", null=True),
        instant("ended_at", null=True),
        text("session_id", null=True),
        version(),
        refers("coupon_id", "coupons"),
        refers("customer_id", "customers"),
        refers("session_id", "sessions"),
        index("customer_id"),
        index("offer_id"),
        index("coupon_id", "use_id"),
        key=("use_id",),
        personal="account",
    ),
    CouponUse,
)
