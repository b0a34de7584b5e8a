"""Tables of the room `customers`: operators, parties, customers, tokens, and who may."""

from __future__ import annotations

from sqlalchemy import Column, Index, Text, column
from sqlalchemy import text as sql

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    WHOLE,
    blob,
    choice,
    flag,
    index,
    instant,
    json_text,
    partial_index,
    refers,
    table,
    text,
    texts,
    unique,
    version,
    whole,
)
from tallywatt.customers.access import ActionRecord, AnsweredRequest, ApiKey, ConsoleLink, ConsoleSession
from tallywatt.customers.customer import Customer, CustomerDetails, Token, TokenState
from tallywatt.customers.erasure import Erasure, ErasureState
from tallywatt.customers.identity import IdentityProvider, LinkedIdentity
from tallywatt.customers.operator import Operator, Party
from tallywatt.customers.passkey import Challenge, ChallengeKind, Passkey
from tallywatt.customers.person import Invitation, Membership, Person
from tallywatt.customers.roles import Role

OPERATORS = Mapping(
    table(
        "operators",
        text("slug"),
        text("name"),
        text("country"),
        text("party_code"),
        text("zone"),
        text("currency"),
        text("address"),
        text("tax_id", null=True),
        text("policy_version_id", null=True),
        instant("clock_floor"),
        whole("hold_minor"),
        whole("start_deadline_seconds"),
        whole("lost_stop_after_seconds"),
        instant("created_at"),
        Column("approval_hours", WHOLE, nullable=False, server_default="168"),
        Column("pay_to", Text, nullable=False, server_default=sql("''")),
        version(),
        # The slug is how an operator is found before its id is known: an exception of RULES §9.
        Index("uq_operators_slug", "slug", unique=True),
        key=(),
    ),
    Operator,
)

PARTIES = Mapping(
    table(
        "parties",
        text("party_id"),
        text("kind"),
        text("name"),
        text("reference"),
        unique("reference"),
        key=("party_id",),
    ),
    Party,
)

CUSTOMERS = Mapping(
    table(
        "customers",
        text("customer_id"),
        text("reference"),
        text("language"),
        instant("created_at"),
        version(),
        unique("reference"),
        key=("customer_id",),
    ),
    Customer,
)

CUSTOMER_DETAILS = Mapping(
    table(
        "customer_details",
        text("customer_id"),
        text("name"),
        text("email", null=True),
        text("address", null=True),
        refers("customer_id", "customers"),
        index("email"),
        key=("customer_id",),
        personal="account",
    ),
    CustomerDetails,
)

TOKENS = Mapping(
    table(
        "tokens",
        text("token_id"),
        text("type"),
        text("uid"),
        text("uid_folded"),
        text("customer_id", null=True),
        text("payment_id", null=True),
        choice("state", TokenState),
        instant("created_at"),
        instant("valid_until", null=True),
        text("group_uid", null=True),
        version(),
        unique("uid_folded", "type"),
        refers("customer_id", "customers"),
        index("customer_id"),
        index("state", "token_id"),
        key=("token_id",),
        personal="account",
    ),
    Token,
)

API_KEYS = Mapping(
    table(
        "api_keys",
        text("api_key_id"),
        text("name"),
        text("prefix"),
        text("secret_hash"),
        texts("scopes"),
        instant("created_at"),
        instant("expires_at", null=True),
        instant("last_used_at", null=True),
        instant("revoked_at", null=True),
        instant("rotated_at", null=True),
        text("old_secret_hash", null=True),
        instant("old_valid_until", null=True),
        # A key is shown before its operator is known: an exception of RULES §9.
        Index("uq_api_keys_prefix", "prefix", unique=True),
        key=("api_key_id",),
    ),
    ApiKey,
)

CONSOLE_LINKS = Mapping(
    table(
        "console_links",
        text("link_id"),
        text("secret_hash"),
        instant("created_at"),
        instant("expires_at"),
        instant("used_at", null=True),
        text("membership_id", null=True),
        text("browser_hash", null=True),
        Column("tries", WHOLE, nullable=False, server_default="0"),
        Index("uq_console_links_secret_hash", "secret_hash", unique=True),
        Index("ix_console_links_browser_hash", "browser_hash"),
        index("membership_id"),
        key=("link_id",),
    ),
    ConsoleLink,
)

CONSOLE_SESSIONS = Mapping(
    table(
        "console_sessions",
        text("console_session_id"),
        text("secret_hash"),
        instant("created_at"),
        instant("expires_at"),
        instant("revoked_at", null=True),
        text("membership_id", null=True),
        text("person_id", null=True),
        text("way", null=True),
        text("label", null=True),
        instant("seen_at", null=True),
        Index("uq_console_sessions_secret_hash", "secret_hash", unique=True),
        index("person_id"),
        index("membership_id"),
        key=("console_session_id",),
        personal="account",
    ),
    ConsoleSession,
)

PEOPLE = Mapping(
    table(
        "people",
        text("person_id"),
        text("name"),
        text("email", null=True),
        text("email_folded", null=True),
        instant("created_at"),
        version(),
        unique("email_folded"),
        Index("ix_people_email_folded", "email_folded"),
        key=("person_id",),
        personal="account",
    ),
    Person,
)

MEMBERSHIPS = Mapping(
    table(
        "memberships",
        text("membership_id"),
        text("person_id"),
        choice("role", Role),
        texts("customer_ids"),
        instant("created_at"),
        instant("ended_at", null=True),
        version(),
        unique("person_id", "role"),
        refers("person_id", "people"),
        index("role"),
        key=("membership_id",),
    ),
    Membership,
)

INVITATIONS = Mapping(
    table(
        "invitations",
        text("invitation_id"),
        text("email"),
        text("email_folded"),
        choice("role", Role),
        texts("customer_ids"),
        text("secret_hash"),
        instant("created_at"),
        instant("expires_at"),
        instant("accepted_at", null=True),
        instant("revoked_at", null=True),
        version(),
        index("email_folded"),
        Index("uq_invitations_secret_hash", "secret_hash", unique=True),
        key=("invitation_id",),
        personal="account",
    ),
    Invitation,
)

PASSKEYS = Mapping(
    table(
        "passkeys",
        text("passkey_id"),
        text("person_id"),
        text("credential_id"),
        blob("public_key"),
        whole("sign_count"),
        texts("transports"),
        text("name"),
        flag("backed_up"),
        instant("created_at"),
        instant("last_used_at", null=True),
        instant("removed_at", null=True),
        version(),
        refers("person_id", "people"),
        index("person_id"),
        Index("uq_passkeys_credential_id", "credential_id", unique=True),
        key=("passkey_id",),
        personal="account",
    ),
    Passkey,
)

CHALLENGES = Mapping(
    table(
        "challenges",
        text("challenge_id"),
        choice("kind", ChallengeKind),
        text("about", null=True),
        instant("created_at"),
        instant("expires_at"),
        instant("used_at", null=True),
        version(),
        Index("ix_challenges_expires_at", "expires_at"),
        key=("challenge_id",),
    ),
    Challenge,
)

IDENTITY_PROVIDERS = Mapping(
    table(
        "identity_providers",
        text("provider_id"),
        text("name"),
        text("issuer"),
        text("client_id"),
        text("secret_key_id"),
        blob("client_secret"),
        texts("allowed_domains"),
        text("role_claim", null=True),
        json_text("roles"),
        choice("default_role", Role, null=True),
        instant("created_at"),
        instant("ended_at", null=True),
        version(),
        key=("provider_id",),
    ),
    IdentityProvider,
)

LINKED_IDENTITIES = Mapping(
    table(
        "linked_identities",
        text("identity_id"),
        text("provider_id"),
        text("person_id"),
        text("issuer"),
        text("subject"),
        instant("created_at"),
        instant("last_used_at", null=True),
        version(),
        unique("issuer", "subject"),
        refers("person_id", "people"),
        refers("provider_id", "identity_providers"),
        index("person_id"),
        key=("identity_id",),
        personal="account",
    ),
    LinkedIdentity,
)

ACTIONS = Mapping(
    table(
        "actions",
        text("action_id"),
        text("caller_kind"),
        text("caller_id"),
        text("action"),
        text("subject_kind"),
        text("subject_id"),
        json_text("before", null=True),
        json_text("after", null=True),
        instant("recorded_at"),
        instant("booked_at"),
        index("recorded_at", "action_id"),
        index("subject_id", "recorded_at", "action_id"),
        index("caller_id", "recorded_at", "action_id"),
        index("action", "recorded_at", "action_id"),
        key=("action_id",),
    ),
    ActionRecord,
)

ERASURES = Mapping(
    table(
        "erasures",
        text("erasure_id"),
        text("customer_id"),
        choice("state", ErasureState),
        text("key_id", null=True),
        blob("sealed", null=True),
        whole("rows"),
        instant("requested_at"),
        text("kept_until", null=True),
        instant("done_at", null=True),
        version(),
        refers("customer_id", "customers"),
        index("customer_id"),
        key=("erasure_id",),
        personal="erasure",
    ),
    Erasure,
)

ANSWERED_REQUESTS = Mapping(
    table(
        "answered_requests",
        text("caller_id"),
        text("idempotency_key"),
        text("request_hash"),
        whole("status"),
        text("body"),
        instant("created_at"),
        text("key_id", null=True),
        instant("forget_at", null=True),
        index("created_at"),
        partial_index("ix_answered_requests_forget_at", "forget_at", where=column("key_id").is_not(None)),
        key=("caller_id", "idempotency_key"),
        personal="request",
    ),
    AnsweredRequest,
)
