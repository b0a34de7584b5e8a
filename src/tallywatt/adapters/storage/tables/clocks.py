"""Whose clock every moment in the tables is of: the business's, which may be moved, the machine's, or that of who told it.

Two moments are compared, or one is taken from the other, only where they are of the same clock (RULES §4). A new column of a
moment gets its line here; a test reads the metadata, and another one plays with the three clocks years apart.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Clock(StrEnum):
    """Who says what time it is."""

    BUSINESS = "business"
    """Prices, validity, books and papers: it may stand still, be moved or run faster."""
    MACHINE = "machine"
    """Leases, deadlines, tries, sign-ins, records of who did what: it is never moved."""
    SOURCE = "source"
    """Stations, partners and providers: it may be wrong, and is kept as it was told."""


_BUSINESS = """
    accounts.created_at actions.booked_at allocations.created_at belongings.created_at belongings.valid_from
    belongings.valid_until circles.created_at coupon_uses.claimed_at coupon_uses.created_at coupon_uses.ended_at
    credit_terms.allowed_at credit_terms.ended_at customer_holds.created_at customer_holds.ended_at
    creditors.changed_at debit_batches.made_at debit_collections.created_at mandates.created_at mandates.ended_at
    coupons.created_at coupons.valid_from coupons.valid_until customers.created_at entries.booked_at erasures.done_at
    readers.added_at readers.removed_at
    erasures.requested_at events.booked_at evse_roles.valid_from evse_roles.valid_to evses.created_at invoices.issued_at
    locations.created_at market_prices.changed_at market_prices.created_at meter_keys.valid_from meter_keys.valid_until
    operators.created_at payment_methods.created_at payments.created_at policy_versions.created_at
    printed_invoices.printed_at provider_accounts.closed_at provider_accounts.created_at rated_results.created_at
    sessions.booked_at skipped_numbers.created_at stations.created_at tariff_assignments.created_at
    tariff_assignments.valid_from tariff_assignments.valid_until tariff_versions.created_at tokens.created_at
    tokens.valid_until transfers.booked_at web_codes.created_at
"""
_MACHINE = """
    debit_batches.cancelled_at debit_batches.closed_at debit_batches.given_at debit_collections.ended_at
    debit_collections.told_at
    corrections.created_at corrections.ended_at
    approvals.created_at approvals.decided_at approvals.expires_at money_limits.changed_at
    actions.recorded_at answered_requests.created_at answered_requests.forget_at api_keys.created_at api_keys.expires_at
    api_keys.last_used_at api_keys.old_valid_until api_keys.revoked_at api_keys.rotated_at audits.asked_at audits.began_at
    audits.ended_at challenges.created_at imports.began_at imports.ended_at imports.received_at
    challenges.expires_at challenges.used_at connector_states.received_at connectors.received_at console_links.created_at
    console_links.expires_at console_links.used_at console_sessions.created_at console_sessions.expires_at
    console_sessions.revoked_at console_sessions.seen_at data_keys.created_at data_keys.dropped_at events.recorded_at
    evses.metrology_since
    explanations.created_at frames.received_at identity_providers.created_at identity_providers.ended_at inbox.created_at
    inbox.resolved_at invitations.accepted_at invitations.created_at invitations.expires_at invitations.revoked_at
    jobs.created_at jobs.lease_until jobs.run_at jobs.wanted_at keyring.created_at linked_identities.created_at
    linked_identities.last_used_at memberships.created_at memberships.ended_at meter_keys.added_at meter_pages.noted_at
    meter_readings.received_at
    display_rules.changed_at told_prices.told_at wanted_limits.chosen_at
    offline_rules.changed_at offline_rules.removed_at told_costs.received_at told_tariffs.changed_at
    told_tariffs.verified_at
    commissioning_rules.changed_at station_checks.answered_at station_checks.asked_at station_checks.set_at
    station_checks.next_at local_lists.told_at station_notices.received_at
    meter_profiles.created_at resolution_rules.created_at
    operations.created_at operations.first_sent_at operations.last_sent_at operations.resolved_at passkeys.created_at
    passkeys.last_used_at passkeys.removed_at people.created_at provider_health.changed_at
    provider_health.retry_at payments.terminal_until restorations.backup_at restorations.compared_at
    restorations.restored_at disputes.decided_at bank_lines.decided_at bank_lines.received_at
    bank_lines.undone_at disputes.answered_at disputes.answer_told_at
    disputes.opened_at settlement_differences.created_at settlement_differences.resolved_at settlement_lines.received_at
    settlement_readings.from_at settlement_readings.read_at settlement_readings.until_at
    received_transfers.received_at received_transfers.returned_at transfer_parts.created_at
    sealed_secrets.changed_at sealed_secrets.created_at sessions.received_at
    signature_verdicts.judged_at signed_values.received_at
    authorities.created_at authorities.holds_from authorities.holds_until security_events.received_at
    station_certificates.ended_at station_certificates.holds_from station_certificates.holds_until
    station_certificates.requested_at reservations.ended_at reservations.expires_at reservations.requested_at
    reservations.reserved_at list_rules.changed_at local_lists.changed_at key_changes.requested_at key_changes.changed_at
    profile_changes.changed_at profile_changes.requested_at profile_changes.shown_at
    message_chunks.first_at message_chunks.last_at
    station_commands.answered_at station_commands.deadline_at station_commands.ended_at station_commands.requested_at
    station_commands.sent_at station_facts.received_at station_reports.received_at station_variables.told_at
    stations.booted_at webhook_attempts.started_at webhook_deliveries.created_at webhook_deliveries.due_at
    webhook_deliveries.ended_at webhook_deliveries.lease_until webhook_endpoints.created_at webhook_endpoints.disabled_at
    webhook_endpoints.failing_since webhook_endpoints.last_delivered_at webhook_endpoints.paused_until
    webhook_events.received_at webhook_messages.created_at webhook_secrets.created_at webhook_secrets.expires_at
"""
_SOURCE = """
    connector_states.occurred_at connectors.occurred_at meter_readings.occurred_at offers.offered_at operators.clock_floor
    payments.hold_expires_at market_prices.starts_at rated_lines.period_end rated_lines.period_start
    sessions.energy_ended_at sessions.last_reading_at sessions.occupancy_ended_at sessions.started_at
    sessions.transaction_ended_at
    settlement_lines.said_at station_facts.occurred_at webhook_events.said_at
    signature_verdicts.began_at signature_verdicts.ended_at signed_values.occurred_at
    corrections.since_at corrections.until_at
    disputes.due_at disputes.said_at bank_lines.booked_at
    station_notices.occurred_at security_events.occurred_at reservations.kept_from
"""
CLOCK_OF: Final[dict[str, Clock]] = {
    column: clock
    for clock, columns in ((Clock.BUSINESS, _BUSINESS), (Clock.MACHINE, _MACHINE), (Clock.SOURCE, _SOURCE))
    for column in columns.split()
}
"""Every column that holds a moment, and its clock."""
