"""The tables of rating: tariff and policy versions, assignments, offers, rated results with their lines and taxes."""

from __future__ import annotations

from sqlalchemy import Index, and_, column

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    check,
    choice,
    decimal_text,
    index,
    instant,
    json_text,
    refers,
    table,
    text,
    texts,
    unique_where,
    version,
    whole,
)
from tallywatt.rating.records import (
    Dimension,
    Offer,
    PolicyVersion,
    RatedLine,
    RatedResult,
    RatedTax,
    Scope,
    TariffAssignment,
    TariffVersion,
    TaxBasis,
    Unit,
)

TARIFF_VERSIONS = Mapping(
    table(
        "tariff_versions",
        text("tariff_version_id"),
        text("reference"),
        text("name"),
        text("canonical"),
        text("currency"),
        choice("tax_basis", TaxBasis),
        instant("created_at"),
        text("frozen_of", null=True),
        # Named by hand: PostgreSQL cuts a name of all its columns.
        Index("ix_tariff_versions_page", "operator_id", "reference", "created_at", "tariff_version_id"),
        key=("tariff_version_id",),
    ),
    TariffVersion,
)

TARIFF_ASSIGNMENTS = Mapping(
    table(
        "tariff_assignments",
        text("assignment_id"),
        text("tariff_version_id"),
        choice("scope", Scope),
        text("scope_id"),
        text("audience"),
        instant("valid_from"),
        instant("valid_until", null=True),
        instant("created_at"),
        version(),
        check("(scope = 'operator') = (scope_id = '')", "scope_id"),
        check("valid_until IS NULL OR valid_until >= valid_from", "valid_until"),
        refers("tariff_version_id", "tariff_versions"),
        index("scope", "scope_id"),
        key=("assignment_id",),
    ),
    TariffAssignment,
)

POLICY_VERSIONS = Mapping(
    table(
        "policy_versions",
        text("policy_version_id"),
        text("name"),
        text("canonical"),
        instant("created_at"),
        key=("policy_version_id",),
    ),
    PolicyVersion,
)

OFFERS = Mapping(
    table(
        "offers",
        text("offer_id"),
        text("evse_id", null=True),
        text("tariff_version_id"),
        text("policy_version_id"),
        text("assignment_id", null=True),
        text("choice_reason"),
        text("zone"),
        text("currency"),
        choice("tax_basis", TaxBasis),
        json_text("tax_rules"),
        json_text("shown"),
        instant("offered_at"),
        refers("tariff_version_id", "tariff_versions"),
        refers("policy_version_id", "policy_versions"),
        refers("assignment_id", "tariff_assignments"),
        key=("offer_id",),
    ),
    Offer,
)

RATED_RESULTS = Mapping(
    table(
        "rated_results",
        text("rated_id"),
        text("session_id"),
        text("supersedes", null=True),
        text("offer_id", null=True),
        text("tariff_version_id"),
        text("policy_version_id"),
        text("canonical_input"),
        text("engine_version"),
        text("zone_data_version"),
        instant("created_at"),
        text("currency"),
        choice("tax_basis", TaxBasis),
        whole("milliwatt_hours"),
        whole("priced_milliwatt_hours"),
        whole("net_minor"),
        whole("tax_minor"),
        whole("gross_minor"),
        texts("warnings"),
        text("credits", null=True),
        check("net_minor + tax_minor = gross_minor", "adds_up"),
        check("priced_milliwatt_hours BETWEEN 0 AND milliwatt_hours", "priced_energy"),
        refers("tariff_version_id", "tariff_versions"),
        refers("policy_version_id", "policy_versions"),
        refers("offer_id", "offers"),
        refers("supersedes", "rated_results", "rated_id"),
        # A session is rated once, and each result is superseded at most once: the results of a session form one chain.
        # What a credit note takes back of one stands beside it.
        unique_where(
            "uq_rated_results_first",
            "session_id",
            where=and_(column("supersedes").is_(None), column("credits").is_(None)),
        ),
        unique_where("uq_rated_results_superseded", "supersedes", where=column("supersedes").is_not(None)),
        index("session_id"),
        key=("rated_id",),
    ),
    RatedResult,
)

RATED_LINES = Mapping(
    table(
        "rated_lines",
        text("rated_id"),
        whole("line_number"),
        choice("dimension", Dimension),
        whole("element_index"),
        instant("period_start"),
        instant("period_end"),
        choice("unit", Unit),
        whole("measured"),
        whole("quantity"),
        decimal_text("unit_price"),
        decimal_text("tax_rate", null=True),
        text("exact_amount"),
        whole("net_minor"),
        whole("tax_minor"),
        whole("gross_minor"),
        text("reason_code"),
        json_text("reason"),
        texts("assumptions"),
        check("net_minor + tax_minor = gross_minor", "adds_up"),
        refers("rated_id", "rated_results"),
        key=("rated_id", "line_number"),
    ),
    RatedLine,
)

RATED_TAXES = Mapping(
    table(
        "rated_taxes",
        text("rated_id"),
        whole("tax_number"),
        decimal_text("tax_rate", null=True),
        whole("net_minor"),
        whole("tax_minor"),
        whole("gross_minor"),
        check("net_minor + tax_minor = gross_minor", "adds_up"),
        refers("rated_id", "rated_results"),
        key=("rated_id", "tax_number"),
    ),
    RatedTax,
)
