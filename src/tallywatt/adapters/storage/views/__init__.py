"""The read side: functions of a read-only connection that answer with plain dicts; they decide nothing.

Wh are decimal strings, instants RFC 3339, money whole minor units beside their currency.
"""

from __future__ import annotations

from tallywatt.adapters.storage import sequencer
from tallywatt.adapters.storage.views import (
    approvals,
    attention,
    banking,
    charging,
    circles,
    closing,
    commissioning,
    corrections,
    coupons,
    debits,
    doors,
    driving,
    equations,
    finding,
    habits,
    kept_there,
    key_changes,
    lists,
    local_lists,
    long_work,
    measured,
    membership,
    money,
    offline,
    own_books,
    pages,
    people,
    places,
    prices,
    profile_changes,
    proofs,
    readers,
    rerating,
    reservations,
    returning,
    running,
    sealed,
    settlements,
    telling,
    traffic,
    webhooks,
)
from tallywatt.adapters.storage.views import station_tariffs as told_tariffs


class Views:
    """All views under one name, as the house hands them out: `await house.ask(house.views.sessions, operator_id)`."""

    def __init__(self) -> None:
        self.cost_so_far = running.Running().cost_so_far

    page = staticmethod(lists.page)

    operators = staticmethod(people.operators)
    operator_by_slug = staticmethod(people.operator_by_slug)
    operator_by_id = staticmethod(people.operator_by_id)
    customers = staticmethod(people.customers_of)
    customer = staticmethod(people.customer)
    correction = staticmethod(corrections.correction)
    corrected_sessions = staticmethod(corrections.corrected_sessions)
    asked_rest = staticmethod(corrections.asked_rest)
    open_corrected = staticmethod(corrections.open_corrected)
    corrections = staticmethod(corrections.corrections_of)
    approval = staticmethod(approvals.approval)
    money_limits = staticmethod(approvals.money_limits)
    approvals = staticmethod(approvals.approvals_of)
    circle = staticmethod(circles.circle)
    circles_of_customer = staticmethod(circles.circles_of_customer)
    customers_of_circle = staticmethod(circles.customers_of_circle)
    circles = staticmethod(circles.circles_of)

    customer_account = staticmethod(own_books.customer_account)
    fleet_accounts = staticmethod(own_books.fleet_accounts)
    open_items = staticmethod(own_books.open_items)
    creditor = staticmethod(debits.creditor)
    mandate = staticmethod(debits.mandate)
    mandates = staticmethod(debits.mandates)
    debit_batch = staticmethod(debits.debit_batch)
    debits_due = staticmethod(debits.debits_due)
    debit_batches = staticmethod(debits.debit_batches)
    debit_file_rows = staticmethod(debits.debit_file_rows)
    coupon = staticmethod(coupons.coupon)
    coupon_by_code = staticmethod(coupons.coupon_by_code)
    uses_of_coupon = staticmethod(coupons.uses_of_coupon)
    coupons_of_customer = staticmethod(coupons.coupons_of_customer)
    coupons = staticmethod(coupons.coupons_of)

    token = staticmethod(people.token)
    tokens = staticmethod(people.tokens)
    tokens_by_uid = staticmethod(people.tokens_by_uid)
    api_keys = staticmethod(people.api_keys)
    api_key_by_prefix = staticmethod(people.api_key_by_prefix)
    console_link_by_hash = staticmethod(membership.console_link_by_hash)
    console_session_by_hash = staticmethod(people.console_session_by_hash)
    actions = staticmethod(people.actions)

    members = staticmethod(membership.members)
    member = staticmethod(membership.member)
    members_by_email = staticmethod(membership.members_by_email)
    person = staticmethod(membership.person)
    invitations = staticmethod(membership.invitations)
    invitation_by_hash = staticmethod(membership.invitation_by_hash)
    links_of_browser = staticmethod(membership.links_of_browser)
    passkeys_of = staticmethod(membership.passkeys_of)
    passkey_by_credential = staticmethod(membership.passkey_by_credential)
    identity_provider = staticmethod(membership.identity_provider)
    open_identity_providers = staticmethod(membership.open_identity_providers)
    identity_providers = staticmethod(membership.identity_providers)
    sessions_of_person = staticmethod(membership.sessions_of_person)

    locations = staticmethod(places.locations)
    location = staticmethod(places.location)
    evse = staticmethod(lists.evse)
    stations = staticmethod(places.stations_of)
    station = staticmethod(places.station)
    evse_by_code = staticmethod(places.evse_by_code)
    station_credentials = staticmethod(places.station_credentials)
    commands = staticmethod(places.commands)
    command = staticmethod(places.command)
    authorities = staticmethod(telling.authorities)
    certificates_of = staticmethod(telling.certificates_of)
    billable = staticmethod(commissioning.billable)
    commissioning = staticmethod(commissioning.commissioning)
    reports_of = staticmethod(telling.reports_of)
    limits_of = staticmethod(kept_there.limits_of)
    texts_of = staticmethod(kept_there.texts_of)
    told_of = staticmethod(telling.told_of)
    variables_of = staticmethod(telling.variables_of)

    sessions = staticmethod(charging.sessions)
    session = staticmethod(charging.session)
    session_by_secret = staticmethod(charging.session_by_secret)

    meter_keys = staticmethod(proofs.meter_keys)
    meter_key = staticmethod(proofs.meter_key)
    signed_values = staticmethod(proofs.signed_values)

    tariffs = staticmethod(prices.tariffs)
    tariff = staticmethod(prices.tariff)
    policy = staticmethod(prices.policy)
    rated_sessions = staticmethod(rerating.rated_sessions)
    rated_taxes = staticmethod(rerating.rated_taxes)
    tariff_assignments = staticmethod(prices.tariff_assignments)
    market_prices = staticmethod(prices.market_prices)
    markets = staticmethod(prices.markets)
    newest_tariff = staticmethod(prices.newest_tariff)
    sites = staticmethod(prices.sites)

    payments = staticmethod(money.payments_of)
    payment = staticmethod(money.payment)
    payment_by_secret = staticmethod(money.payment_by_secret)
    business_anchor = staticmethod(doors.business_anchor)
    account_of_webhook = staticmethod(doors.account_of_webhook)
    secrets = staticmethod(sealed.secrets)
    opened_secret = staticmethod(sealed.opened_secret)
    provider_accounts = staticmethod(money.provider_accounts)
    payment_methods = staticmethod(money.payment_methods)
    webhook_events = staticmethod(money.webhook_events)
    invoices = staticmethod(money.invoices)
    invoice = staticmethod(money.invoice)
    printed_invoice = staticmethod(money.printed_invoice)

    measured = staticmethod(measured.measured)
    restorations = staticmethod(returning.restorations)
    unfinished_payments = staticmethod(returning.unfinished_payments)

    settlement_differences = staticmethod(settlements.differences)
    settlement_difference = staticmethod(settlements.difference)
    disputes = staticmethod(settlements.disputes)
    dispute = staticmethod(settlements.dispute)
    disputes_due = staticmethod(settlements.disputes_due)
    settlement_lines = staticmethod(settlements.settlement_lines)
    settled_accounts = staticmethod(settlements.settled_accounts)
    bank_lines = staticmethod(banking.bank_lines)
    bank_line = staticmethod(banking.bank_line)

    inbox = staticmethod(attention.inbox)
    inbox_item = staticmethod(attention.inbox_item)
    rules = staticmethod(habits.rules)
    rules_with_count = staticmethod(habits.rules_with_count)
    profiles = staticmethod(habits.profiles)
    jobs = staticmethod(attention.jobs)
    job = staticmethod(attention.job)
    job_counts = staticmethod(attention.job_counts)

    import_of = staticmethod(long_work.import_of)
    audit_of = staticmethod(long_work.audit_of)

    find = staticmethod(finding.find)
    customers_like = staticmethod(finding.customers_like)

    overview = staticmethod(equations.overview)
    session_counts = staticmethod(equations.session_counts)
    payment_counts = staticmethod(equations.payment_counts)
    day_close = staticmethod(closing.day_close)
    ledger_balanced = staticmethod(equations.ledger_balanced)

    evses_printed = staticmethod(driving.evses_printed)
    neighbours = staticmethod(driving.neighbours)
    charged_by = staticmethod(driving.charged_by)
    stop_of = staticmethod(driving.stop_of)
    start_of = staticmethod(driving.start_of)
    plug = staticmethod(driving.plug)

    price_at = staticmethod(pages.price_at)
    live_sessions = staticmethod(pages.live_sessions)
    running_versions = staticmethod(pages.running_versions)
    running_count = staticmethod(pages.running_count)
    frame = staticmethod(pages.frame)
    frames_of = staticmethod(pages.frames_of)
    traffic = staticmethod(traffic.traffic)
    local_lists = staticmethod(local_lists.local_lists)
    reader = staticmethod(readers.reader)
    readers_at = staticmethod(readers.readers_at)
    resting_readers = staticmethod(readers.resting_readers)
    readers = staticmethod(readers.readers_of)
    station_tariffs = staticmethod(told_tariffs.station_tariffs_told)
    tariffs_of_station = staticmethod(told_tariffs.tariffs_of_station)
    counted_of = staticmethod(told_tariffs.counted_of)
    offline_rules = staticmethod(offline.offline_rules)
    offline_of = staticmethod(offline.offline_of)
    key_change = staticmethod(key_changes.key_change)
    profile_change = staticmethod(profile_changes.profile_change)
    reservation = staticmethod(reservations.reservation)
    badges = staticmethod(pages.badges)
    owed_invoices = staticmethod(pages.owed_invoices)
    last_position = staticmethod(pages.last_position)
    events_after = staticmethod(sequencer.events_after)

    webhook_endpoints = staticmethod(webhooks.webhook_endpoints)
    webhook_endpoint = staticmethod(webhooks.webhook_endpoint)
    webhook_deliveries = staticmethod(webhooks.webhook_deliveries)
    webhook_delivery = staticmethod(webhooks.webhook_delivery)
