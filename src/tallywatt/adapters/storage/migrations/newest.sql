CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE accounts (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	code TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	constrained INTEGER NOT NULL, 
	debits_pending INTEGER NOT NULL, 
	debits_posted INTEGER NOT NULL, 
	credits_pending INTEGER NOT NULL, 
	credits_posted INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_accounts PRIMARY KEY (operator_id, account_id), 
	CONSTRAINT ck_accounts_not_overdrawn CHECK (constrained = 0 OR debits_posted + debits_pending <= credits_posted), 
	CONSTRAINT uq_accounts_operator_id_account_id_currency UNIQUE (operator_id, account_id, currency), 
	CONSTRAINT uq_accounts_operator_id_code_currency UNIQUE (operator_id, code, currency)
)
 STRICT

;

CREATE TABLE actions (
	operator_id TEXT NOT NULL, 
	action_id TEXT NOT NULL, 
	caller_kind TEXT NOT NULL, 
	caller_id TEXT NOT NULL, 
	action TEXT NOT NULL, 
	subject_kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	recorded_at INTEGER NOT NULL, 
	booked_at INTEGER NOT NULL, 
	CONSTRAINT pk_actions PRIMARY KEY (operator_id, action_id)
)
 STRICT

;

CREATE TABLE answered_requests (
	operator_id TEXT NOT NULL, 
	caller_id TEXT NOT NULL, 
	idempotency_key TEXT NOT NULL, 
	request_hash TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created_at INTEGER NOT NULL, key_id TEXT, forget_at INTEGER, 
	CONSTRAINT pk_answered_requests PRIMARY KEY (operator_id, caller_id, idempotency_key)
)
 STRICT

;

CREATE TABLE api_keys (
	operator_id TEXT NOT NULL, 
	api_key_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	prefix TEXT NOT NULL, 
	secret_hash TEXT NOT NULL, 
	scopes TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER, 
	last_used_at INTEGER, 
	revoked_at INTEGER, rotated_at INTEGER, old_secret_hash TEXT, old_valid_until INTEGER, 
	CONSTRAINT pk_api_keys PRIMARY KEY (operator_id, api_key_id)
)
 STRICT

;

CREATE TABLE business_clock (
	name TEXT NOT NULL, 
	machine INTEGER NOT NULL, 
	business INTEGER NOT NULL, 
	rate_ppm INTEGER NOT NULL, 
	CONSTRAINT pk_business_clock PRIMARY KEY (name)
)
 STRICT

;

CREATE TABLE console_links (
	operator_id TEXT NOT NULL, 
	link_id TEXT NOT NULL, 
	secret_hash TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	used_at INTEGER, membership_id TEXT, browser_hash TEXT, tries INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_console_links PRIMARY KEY (operator_id, link_id)
)
 STRICT

;

CREATE TABLE console_sessions (
	operator_id TEXT NOT NULL, 
	console_session_id TEXT NOT NULL, 
	secret_hash TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	revoked_at INTEGER, membership_id TEXT, person_id TEXT, way TEXT, label TEXT, seen_at INTEGER, 
	CONSTRAINT pk_console_sessions PRIMARY KEY (operator_id, console_session_id)
)
 STRICT

;

CREATE TABLE cursors (
	consumer TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_cursors PRIMARY KEY (consumer)
)
 STRICT

;

CREATE TABLE customers (
	operator_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	language TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_customers PRIMARY KEY (operator_id, customer_id), 
	CONSTRAINT uq_customers_operator_id_reference UNIQUE (operator_id, reference)
)
 STRICT

;

CREATE TABLE data_keys (
	operator_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	class TEXT NOT NULL, 
	month TEXT NOT NULL, 
	wrapped BLOB, 
	created_at INTEGER NOT NULL, 
	dropped_at INTEGER, 
	CONSTRAINT pk_data_keys PRIMARY KEY (operator_id, key_id), 
	CONSTRAINT uq_data_keys_operator_id_class_month UNIQUE (operator_id, class, month)
)
 STRICT

;

CREATE TABLE entries (
	operator_id TEXT NOT NULL, 
	entry_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	cause_kind TEXT NOT NULL, 
	cause_id TEXT NOT NULL, 
	payload_hash TEXT NOT NULL, 
	booked_at INTEGER NOT NULL, 
	CONSTRAINT pk_entries PRIMARY KEY (operator_id, entry_id)
)
 STRICT

;

CREATE TABLE events (
	operator_id TEXT NOT NULL, 
	event_id TEXT NOT NULL, 
	position INTEGER, 
	aggregate TEXT NOT NULL, 
	aggregate_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	schema_version INTEGER NOT NULL, 
	data TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	cause TEXT NOT NULL, 
	booked_at INTEGER NOT NULL, 
	recorded_at INTEGER NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (operator_id, event_id), 
	CONSTRAINT uq_events_operator_id_aggregate_aggregate_id_version UNIQUE (operator_id, aggregate, aggregate_id, version)
)
 STRICT

;

CREATE TABLE inbox (
	operator_id TEXT NOT NULL, 
	item_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	natural_key TEXT NOT NULL, 
	station_id TEXT, 
	session_id TEXT, 
	payment_id TEXT, 
	frame_id TEXT, 
	summary TEXT NOT NULL, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	resolved_at INTEGER, 
	resolved_by TEXT, 
	resolution TEXT, 
	version INTEGER NOT NULL, detail TEXT, 
	CONSTRAINT pk_inbox PRIMARY KEY (operator_id, item_id), 
	CONSTRAINT ck_inbox_state CHECK (state IN ('open', 'resolved')), 
	CONSTRAINT uq_inbox_operator_id_natural_key UNIQUE (operator_id, natural_key)
)
 STRICT

;

CREATE TABLE jobs (
	operator_id TEXT NOT NULL, 
	job_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	state TEXT NOT NULL, 
	run_at INTEGER NOT NULL, 
	lease_until INTEGER, 
	leased_by TEXT, 
	attempts INTEGER NOT NULL, 
	last_error TEXT, 
	created_at INTEGER NOT NULL, wanted_at INTEGER, cut_short INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (operator_id, job_id), 
	CONSTRAINT ck_jobs_state CHECK (state IN ('ready', 'leased', 'done', 'failed')), 
	CONSTRAINT uq_jobs_operator_id_kind_subject_id UNIQUE (operator_id, kind, subject_id)
)
 STRICT

;

CREATE TABLE locations (
	operator_id TEXT NOT NULL, 
	location_id TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	name TEXT NOT NULL, 
	address TEXT NOT NULL, 
	city TEXT NOT NULL, 
	postal_code TEXT NOT NULL, 
	country TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	latitude TEXT, 
	longitude TEXT, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_locations PRIMARY KEY (operator_id, location_id), 
	CONSTRAINT uq_locations_operator_id_reference UNIQUE (operator_id, reference)
)
 STRICT

;

CREATE TABLE number_series (
	operator_id TEXT NOT NULL, 
	series TEXT NOT NULL, 
	year INTEGER NOT NULL, 
	next_number INTEGER NOT NULL, 
	last_issue_date TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_number_series PRIMARY KEY (operator_id, series, year), 
	CONSTRAINT ck_number_series_next_number CHECK (next_number >= 1)
)
 STRICT

;

CREATE TABLE operators (
	operator_id TEXT NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	country TEXT NOT NULL, 
	party_code TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	address TEXT NOT NULL, 
	tax_id TEXT, 
	policy_version_id TEXT, 
	clock_floor INTEGER NOT NULL, 
	hold_minor INTEGER NOT NULL, 
	start_deadline_seconds INTEGER NOT NULL, 
	lost_stop_after_seconds INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, approval_hours INTEGER DEFAULT '168' NOT NULL, pay_to TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_operators PRIMARY KEY (operator_id)
)
 STRICT

;

CREATE TABLE parties (
	operator_id TEXT NOT NULL, 
	party_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	CONSTRAINT pk_parties PRIMARY KEY (operator_id, party_id), 
	CONSTRAINT uq_parties_operator_id_reference UNIQUE (operator_id, reference)
)
 STRICT

;

CREATE TABLE policy_versions (
	operator_id TEXT NOT NULL, 
	policy_version_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	canonical TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_policy_versions PRIMARY KEY (operator_id, policy_version_id)
)
 STRICT

;

CREATE TABLE provider_accounts (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	live INTEGER NOT NULL, 
	base_url TEXT, 
	currencies TEXT NOT NULL, 
	secret_reference TEXT NOT NULL, 
	webhook_secret_references TEXT NOT NULL, 
	is_default INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	closed_at INTEGER, 
	version INTEGER NOT NULL, merchant TEXT, rank INTEGER DEFAULT '0' NOT NULL, fee_minor INTEGER, fee_basis_points INTEGER, report_user TEXT, report_secret_reference TEXT, least_minor INTEGER, low_minor INTEGER, several_captures INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_provider_accounts PRIMARY KEY (operator_id, account_id), 
	CONSTRAINT uq_provider_accounts_operator_id_name UNIQUE (operator_id, name)
)
 STRICT

;

CREATE TABLE revenue_by_day (
	operator_id TEXT NOT NULL, 
	day TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	sessions INTEGER NOT NULL, 
	milliwatt_hours INTEGER NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	gross_minor INTEGER NOT NULL, 
	CONSTRAINT pk_revenue_by_day PRIMARY KEY (operator_id, day, currency)
)
 STRICT

;

CREATE TABLE sequencer (
	name TEXT NOT NULL, 
	last_position INTEGER NOT NULL, 
	CONSTRAINT pk_sequencer PRIMARY KEY (name)
)
 STRICT

;

CREATE TABLE tariff_versions (
	operator_id TEXT NOT NULL, 
	tariff_version_id TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	name TEXT NOT NULL, 
	canonical TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	tax_basis TEXT NOT NULL, 
	created_at INTEGER NOT NULL, frozen_of TEXT, 
	CONSTRAINT pk_tariff_versions PRIMARY KEY (operator_id, tariff_version_id), 
	CONSTRAINT ck_tariff_versions_tax_basis CHECK (tax_basis IN ('gross', 'net'))
)
 STRICT

;

CREATE TABLE customer_details (
	operator_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT, 
	address TEXT, 
	CONSTRAINT pk_customer_details PRIMARY KEY (operator_id, customer_id), 
	CONSTRAINT fk_customer_details_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id)
)
 STRICT

;

CREATE TABLE payment_methods (
	operator_id TEXT NOT NULL, 
	method_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	customer_ref TEXT NOT NULL, 
	method_ref TEXT NOT NULL, 
	brand TEXT NOT NULL, 
	last4 TEXT NOT NULL, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_payment_methods PRIMARY KEY (operator_id, method_id), 
	CONSTRAINT ck_payment_methods_state CHECK (state IN ('active', 'failed', 'removed')), 
	CONSTRAINT fk_payment_methods_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_payment_methods_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT uq_payment_methods_operator_id_account_id_method_ref UNIQUE (operator_id, account_id, method_ref)
)
 STRICT

;

CREATE TABLE stations (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	identity TEXT NOT NULL, 
	location_id TEXT, 
	state TEXT NOT NULL, 
	protocol TEXT, 
	vendor TEXT, 
	model TEXT, 
	serial_number TEXT, 
	firmware TEXT, 
	key_hash TEXT, 
	booted_at INTEGER, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, security_profile INTEGER DEFAULT '0' NOT NULL, preferred_protocol TEXT, 
	CONSTRAINT pk_stations PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT ck_stations_state CHECK (state IN ('quarantined', 'adopted', 'retired')), 
	CONSTRAINT fk_stations_operator_id_location_id FOREIGN KEY(operator_id, location_id) REFERENCES locations (operator_id, location_id), 
	CONSTRAINT uq_stations_operator_id_identity UNIQUE (operator_id, identity)
)
 STRICT

;

CREATE TABLE tariff_assignments (
	operator_id TEXT NOT NULL, 
	assignment_id TEXT NOT NULL, 
	tariff_version_id TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	scope_id TEXT NOT NULL, 
	audience TEXT NOT NULL, 
	valid_from INTEGER NOT NULL, 
	valid_until INTEGER, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_tariff_assignments PRIMARY KEY (operator_id, assignment_id), 
	CONSTRAINT ck_tariff_assignments_scope_id CHECK ((scope = 'operator') = (scope_id = '')), 
	CONSTRAINT ck_tariff_assignments_scope CHECK (scope IN ('evse', 'station', 'location', 'operator')), 
	CONSTRAINT ck_tariff_assignments_valid_until CHECK (valid_until IS NULL OR valid_until >= valid_from), 
	CONSTRAINT fk_tariff_assignments_operator_id_tariff_version_id FOREIGN KEY(operator_id, tariff_version_id) REFERENCES tariff_versions (operator_id, tariff_version_id)
)
 STRICT

;

CREATE TABLE tokens (
	operator_id TEXT NOT NULL, 
	token_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	uid TEXT NOT NULL, 
	uid_folded TEXT NOT NULL, 
	customer_id TEXT, 
	payment_id TEXT, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	valid_until INTEGER, 
	version INTEGER NOT NULL, group_uid TEXT, 
	CONSTRAINT pk_tokens PRIMARY KEY (operator_id, token_id), 
	CONSTRAINT ck_tokens_state CHECK (state IN ('active', 'blocked', 'used', 'expired')), 
	CONSTRAINT fk_tokens_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT uq_tokens_operator_id_uid_folded_type UNIQUE (operator_id, uid_folded, type)
)
 STRICT

;

CREATE TABLE transfers (
	operator_id TEXT NOT NULL, 
	transfer_id TEXT NOT NULL, 
	entry_id TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	debit_account_id TEXT NOT NULL, 
	credit_account_id TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	pending_id TEXT, 
	booked_at INTEGER NOT NULL, 
	CONSTRAINT pk_transfers PRIMARY KEY (operator_id, transfer_id), 
	CONSTRAINT ck_transfers_resolution CHECK ((phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)), 
	CONSTRAINT ck_transfers_phase CHECK (phase IN ('single', 'pending', 'post', 'void', 'expire')), 
	CONSTRAINT ck_transfers_amount CHECK (amount_minor >= 0), 
	CONSTRAINT ck_transfers_two_accounts CHECK (debit_account_id <> credit_account_id), 
	CONSTRAINT fk_transfers_operator_id_credit_account_id_currency FOREIGN KEY(operator_id, credit_account_id, currency) REFERENCES accounts (operator_id, account_id, currency), 
	CONSTRAINT fk_transfers_operator_id_debit_account_id_currency FOREIGN KEY(operator_id, debit_account_id, currency) REFERENCES accounts (operator_id, account_id, currency), 
	CONSTRAINT fk_transfers_operator_id_entry_id FOREIGN KEY(operator_id, entry_id) REFERENCES entries (operator_id, entry_id), 
	CONSTRAINT fk_transfers_operator_id_pending_id FOREIGN KEY(operator_id, pending_id) REFERENCES transfers (operator_id, transfer_id)
)
 STRICT

;

CREATE TABLE webhook_events (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	event_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	payment_id TEXT, 
	state TEXT NOT NULL, 
	said_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	key_id TEXT, 
	sealed BLOB, 
	CONSTRAINT pk_webhook_events PRIMARY KEY (operator_id, account_id, event_id), 
	CONSTRAINT ck_webhook_events_state CHECK (state IN ('applied', 'ignored', 'unmatched')), 
	CONSTRAINT fk_webhook_events_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id)
)
 STRICT

;

CREATE TABLE evses (
	operator_id TEXT NOT NULL, 
	evse_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	code TEXT NOT NULL, 
	current TEXT NOT NULL, 
	max_watts INTEGER, 
	deployed_on TEXT, 
	created_at INTEGER NOT NULL, metrology TEXT NOT NULL DEFAULT 'none' CONSTRAINT ck_evses_metrology CHECK (metrology IN ('none', 'de_calibration_law', 'mid', 'us_ctep')), metrology_since INTEGER, 
	CONSTRAINT pk_evses PRIMARY KEY (operator_id, evse_id), 
	CONSTRAINT ck_evses_current CHECK (current IN ('ac', 'dc')), 
	CONSTRAINT fk_evses_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT uq_evses_operator_id_code UNIQUE (operator_id, code), 
	CONSTRAINT uq_evses_operator_id_station_id_number UNIQUE (operator_id, station_id, number)
)
 STRICT

;

CREATE TABLE frames (
	operator_id TEXT NOT NULL, 
	frame_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	received_at INTEGER NOT NULL, 
	protocol TEXT NOT NULL, 
	action TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed BLOB NOT NULL, 
	flags TEXT NOT NULL, 
	CONSTRAINT pk_frames PRIMARY KEY (operator_id, frame_id), 
	CONSTRAINT fk_frames_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE offers (
	operator_id TEXT NOT NULL, 
	offer_id TEXT NOT NULL, 
	evse_id TEXT, 
	tariff_version_id TEXT NOT NULL, 
	policy_version_id TEXT NOT NULL, 
	assignment_id TEXT, 
	choice_reason TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	tax_basis TEXT NOT NULL, 
	tax_rules TEXT NOT NULL, 
	shown TEXT NOT NULL, 
	offered_at INTEGER NOT NULL, 
	CONSTRAINT pk_offers PRIMARY KEY (operator_id, offer_id), 
	CONSTRAINT ck_offers_tax_basis CHECK (tax_basis IN ('gross', 'net')), 
	CONSTRAINT fk_offers_operator_id_assignment_id FOREIGN KEY(operator_id, assignment_id) REFERENCES tariff_assignments (operator_id, assignment_id), 
	CONSTRAINT fk_offers_operator_id_policy_version_id FOREIGN KEY(operator_id, policy_version_id) REFERENCES policy_versions (operator_id, policy_version_id), 
	CONSTRAINT fk_offers_operator_id_tariff_version_id FOREIGN KEY(operator_id, tariff_version_id) REFERENCES tariff_versions (operator_id, tariff_version_id)
)
 STRICT

;

CREATE TABLE payments (
	operator_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	session_id TEXT, 
	customer_id TEXT, 
	account_id TEXT NOT NULL, 
	method_id TEXT, 
	evse_id TEXT, 
	offer_id TEXT, 
	invoice_id TEXT, 
	kind TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	due_minor INTEGER, 
	authorised_minor INTEGER NOT NULL, 
	captured_minor INTEGER NOT NULL, 
	refunded_minor INTEGER NOT NULL, 
	suspense_minor INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	provider_ref TEXT, 
	page_ref TEXT, 
	hosted_page_url TEXT, 
	hold_expires_at INTEGER, 
	card_brand TEXT, 
	card_last4 TEXT, 
	driver_secret TEXT, 
	reason TEXT, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, lost_minor INTEGER DEFAULT '0' NOT NULL, terminal_until INTEGER, purpose TEXT, reader_id TEXT, several_captures INTEGER DEFAULT '0' NOT NULL, keeps_hold INTEGER DEFAULT '0' NOT NULL CONSTRAINT ck_payments_keeps_hold CHECK (keeps_hold = 0 OR (state = 'authorised' AND several_captures = 1)), 
	CONSTRAINT pk_payments PRIMARY KEY (operator_id, payment_id), 
	CONSTRAINT ck_payments_kind CHECK (kind IN ('stored', 'ad_hoc')), 
	CONSTRAINT ck_payments_state CHECK (state IN ('created', 'prepared', 'requires_action', 'authorised', 'captured', 'refunded', 'voided', 'expired', 'declined', 'abandoned', 'owed')), 
	CONSTRAINT ck_payments_captured_or_released CHECK (state NOT IN ('voided', 'expired', 'abandoned') OR captured_minor = 0), 
	CONSTRAINT ck_payments_amounts CHECK (amount_minor >= 0 AND authorised_minor >= 0 AND suspense_minor >= 0), 
	CONSTRAINT ck_payments_captured CHECK (captured_minor BETWEEN 0 AND authorised_minor), 
	CONSTRAINT ck_payments_due CHECK (due_minor IS NULL OR due_minor >= 0), 
	CONSTRAINT ck_payments_refunded CHECK (refunded_minor BETWEEN 0 AND captured_minor), 
	CONSTRAINT fk_payments_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_payments_operator_id_method_id FOREIGN KEY(operator_id, method_id) REFERENCES payment_methods (operator_id, method_id), 
	CONSTRAINT uq_payments_operator_id_reference UNIQUE (operator_id, reference)
)
 STRICT

;

CREATE TABLE station_facts (
	operator_id TEXT NOT NULL, 
	fact_key TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	session_id TEXT, 
	frame_id TEXT, 
	answer TEXT NOT NULL, 
	occurred_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	CONSTRAINT pk_station_facts PRIMARY KEY (operator_id, fact_key), 
	CONSTRAINT fk_station_facts_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE transaction_counters (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	last_transaction_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_transaction_counters PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT ck_transaction_counters_last_transaction_id CHECK (last_transaction_id BETWEEN 0 AND 2147483647), 
	CONSTRAINT fk_transaction_counters_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE allocations (
	operator_id TEXT NOT NULL, 
	allocation_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	target TEXT NOT NULL, 
	target_id TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	operation_id TEXT, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_allocations PRIMARY KEY (operator_id, allocation_id), 
	CONSTRAINT ck_allocations_target CHECK (target IN ('invoice', 'balance', 'refund_due', 'suspense')), 
	CONSTRAINT ck_allocations_amount CHECK (amount_minor <> 0), 
	CONSTRAINT fk_allocations_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id)
)
 STRICT

;

CREATE TABLE connector_states (
	operator_id TEXT NOT NULL, 
	evse_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	occurred_at INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	error_code TEXT, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT, 
	CONSTRAINT pk_connector_states PRIMARY KEY (operator_id, evse_id, number, occurred_at, status), 
	CONSTRAINT fk_connector_states_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id)
)
 STRICT

;

CREATE TABLE connectors (
	operator_id TEXT NOT NULL, 
	evse_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	error_code TEXT, 
	occurred_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	CONSTRAINT pk_connectors PRIMARY KEY (operator_id, evse_id, number), 
	CONSTRAINT fk_connectors_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id)
)
 STRICT

;

CREATE TABLE evse_roles (
	operator_id TEXT NOT NULL, 
	evse_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	valid_from INTEGER NOT NULL, 
	party_id TEXT NOT NULL, 
	valid_to INTEGER, 
	CONSTRAINT pk_evse_roles PRIMARY KEY (operator_id, evse_id, role, valid_from), 
	CONSTRAINT ck_evse_roles_role CHECK (role IN ('merchant', 'owner', 'payee')), 
	CONSTRAINT fk_evse_roles_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id), 
	CONSTRAINT fk_evse_roles_operator_id_party_id FOREIGN KEY(operator_id, party_id) REFERENCES parties (operator_id, party_id)
)
 STRICT

;

CREATE TABLE rated_results (
	operator_id TEXT NOT NULL, 
	rated_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	supersedes TEXT, 
	offer_id TEXT, 
	tariff_version_id TEXT NOT NULL, 
	policy_version_id TEXT NOT NULL, 
	canonical_input TEXT NOT NULL, 
	engine_version TEXT NOT NULL, 
	zone_data_version TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	tax_basis TEXT NOT NULL, 
	milliwatt_hours INTEGER NOT NULL, 
	priced_milliwatt_hours INTEGER NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	gross_minor INTEGER NOT NULL, 
	warnings TEXT NOT NULL, credits TEXT, 
	CONSTRAINT pk_rated_results PRIMARY KEY (operator_id, rated_id), 
	CONSTRAINT ck_rated_results_tax_basis CHECK (tax_basis IN ('gross', 'net')), 
	CONSTRAINT ck_rated_results_adds_up CHECK (net_minor + tax_minor = gross_minor), 
	CONSTRAINT ck_rated_results_priced_energy CHECK (priced_milliwatt_hours BETWEEN 0 AND milliwatt_hours), 
	CONSTRAINT fk_rated_results_operator_id_offer_id FOREIGN KEY(operator_id, offer_id) REFERENCES offers (operator_id, offer_id), 
	CONSTRAINT fk_rated_results_operator_id_policy_version_id FOREIGN KEY(operator_id, policy_version_id) REFERENCES policy_versions (operator_id, policy_version_id), 
	CONSTRAINT fk_rated_results_operator_id_supersedes FOREIGN KEY(operator_id, supersedes) REFERENCES rated_results (operator_id, rated_id), 
	CONSTRAINT fk_rated_results_operator_id_tariff_version_id FOREIGN KEY(operator_id, tariff_version_id) REFERENCES tariff_versions (operator_id, tariff_version_id)
)
 STRICT

;

CREATE TABLE sessions (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	upstream_id TEXT, 
	start_key TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	station_id TEXT, 
	evse_id TEXT, 
	connector_number INTEGER, 
	transaction_id TEXT, 
	token_uid TEXT, 
	payer TEXT NOT NULL, 
	payer_id TEXT, 
	payment_id TEXT, 
	merchant_party_id TEXT, 
	owner_party_id TEXT, 
	payee_party_id TEXT, 
	offer_id TEXT, 
	state TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	started_at INTEGER NOT NULL, 
	energy_ended_at INTEGER, 
	transaction_ended_at INTEGER, 
	occupancy_ended_at INTEGER, 
	meter_start INTEGER, 
	meter_stop INTEGER, 
	milliwatt_hours INTEGER NOT NULL, 
	last_register INTEGER, 
	last_reading_at INTEGER, 
	sequence_number INTEGER, 
	stop_reason TEXT, 
	stopped_by TEXT, 
	rated_id TEXT, 
	invoice_id TEXT, 
	flags TEXT NOT NULL, 
	driver_secret TEXT, 
	start_frame_id TEXT, 
	stop_frame_id TEXT, 
	received_at INTEGER NOT NULL, 
	booked_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, missing_events TEXT, reservation_id TEXT, 
	CONSTRAINT pk_sessions PRIMARY KEY (operator_id, session_id), 
	CONSTRAINT ck_sessions_evidence CHECK (evidence IN ('signed', 'metered', 'reported')), 
	CONSTRAINT ck_sessions_payer CHECK (payer IN ('customer', 'ad_hoc', 'partner', 'employer', 'operator', 'unknown')), 
	CONSTRAINT ck_sessions_source CHECK (source IN ('ocpp', 'ocpp-tap', 'ocpi', 'api', 'csv')), 
	CONSTRAINT ck_sessions_state CHECK (state IN ('active', 'ended', 'held', 'billed', 'explained')), 
	CONSTRAINT ck_sessions_energy CHECK (milliwatt_hours >= 0), 
	CONSTRAINT fk_sessions_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id), 
	CONSTRAINT fk_sessions_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT uq_sessions_operator_id_start_key UNIQUE (operator_id, start_key)
)
 STRICT

;

CREATE TABLE invoices (
	operator_id TEXT NOT NULL, 
	invoice_id TEXT NOT NULL, 
	number TEXT NOT NULL, 
	series TEXT NOT NULL, 
	year INTEGER NOT NULL, 
	sequence INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	rated_id TEXT NOT NULL, 
	payer TEXT NOT NULL, 
	payer_id TEXT, 
	issue_date TEXT NOT NULL, 
	issued_at INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	gross_minor INTEGER NOT NULL, 
	corrects_invoice_id TEXT, 
	CONSTRAINT pk_invoices PRIMARY KEY (operator_id, invoice_id), 
	CONSTRAINT ck_invoices_corrects CHECK ((kind = 'credit_note') = (corrects_invoice_id IS NOT NULL)), 
	CONSTRAINT ck_invoices_kind CHECK (kind IN ('invoice', 'credit_note')), 
	CONSTRAINT ck_invoices_payer CHECK (payer IN ('customer', 'ad_hoc', 'partner', 'employer', 'operator', 'unknown')), 
	CONSTRAINT ck_invoices_adds_up CHECK (net_minor + tax_minor = gross_minor), 
	CONSTRAINT fk_invoices_operator_id_corrects_invoice_id FOREIGN KEY(operator_id, corrects_invoice_id) REFERENCES invoices (operator_id, invoice_id), 
	CONSTRAINT fk_invoices_operator_id_rated_id FOREIGN KEY(operator_id, rated_id) REFERENCES rated_results (operator_id, rated_id), 
	CONSTRAINT uq_invoices_operator_id_number UNIQUE (operator_id, number), 
	CONSTRAINT uq_invoices_operator_id_rated_id_kind UNIQUE (operator_id, rated_id, kind), 
	CONSTRAINT uq_invoices_operator_id_series_year_sequence UNIQUE (operator_id, series, year, sequence)
)
 STRICT

;

CREATE TABLE meter_readings (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	reading_key TEXT NOT NULL, 
	occurred_at INTEGER NOT NULL, 
	register INTEGER NOT NULL, 
	watts INTEGER, 
	context TEXT NOT NULL, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT, 
	CONSTRAINT pk_meter_readings PRIMARY KEY (operator_id, session_id, reading_key), 
	CONSTRAINT fk_meter_readings_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE rated_lines (
	operator_id TEXT NOT NULL, 
	rated_id TEXT NOT NULL, 
	line_number INTEGER NOT NULL, 
	dimension TEXT NOT NULL, 
	element_index INTEGER NOT NULL, 
	period_start INTEGER NOT NULL, 
	period_end INTEGER NOT NULL, 
	unit TEXT NOT NULL, 
	measured INTEGER NOT NULL, 
	quantity INTEGER NOT NULL, 
	unit_price TEXT NOT NULL, 
	tax_rate TEXT, 
	exact_amount TEXT NOT NULL, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	gross_minor INTEGER NOT NULL, 
	reason_code TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	assumptions TEXT NOT NULL, 
	CONSTRAINT pk_rated_lines PRIMARY KEY (operator_id, rated_id, line_number), 
	CONSTRAINT ck_rated_lines_dimension CHECK (dimension IN ('ENERGY', 'TIME', 'PARKING_TIME', 'FLAT')), 
	CONSTRAINT ck_rated_lines_unit CHECK (unit IN ('milliwatt_hours', 'milliseconds', 'times')), 
	CONSTRAINT ck_rated_lines_adds_up CHECK (net_minor + tax_minor = gross_minor), 
	CONSTRAINT fk_rated_lines_operator_id_rated_id FOREIGN KEY(operator_id, rated_id) REFERENCES rated_results (operator_id, rated_id)
)
 STRICT

;

CREATE TABLE rated_taxes (
	operator_id TEXT NOT NULL, 
	rated_id TEXT NOT NULL, 
	tax_number INTEGER NOT NULL, 
	tax_rate TEXT, 
	net_minor INTEGER NOT NULL, 
	tax_minor INTEGER NOT NULL, 
	gross_minor INTEGER NOT NULL, 
	CONSTRAINT pk_rated_taxes PRIMARY KEY (operator_id, rated_id, tax_number), 
	CONSTRAINT ck_rated_taxes_adds_up CHECK (net_minor + tax_minor = gross_minor), 
	CONSTRAINT fk_rated_taxes_operator_id_rated_id FOREIGN KEY(operator_id, rated_id) REFERENCES rated_results (operator_id, rated_id)
)
 STRICT

;

CREATE TABLE printed_invoices (
	operator_id TEXT NOT NULL, 
	invoice_id TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	content BLOB NOT NULL, 
	printed_at INTEGER NOT NULL, 
	CONSTRAINT pk_printed_invoices PRIMARY KEY (operator_id, invoice_id, media_type), 
	CONSTRAINT fk_printed_invoices_operator_id_invoice_id FOREIGN KEY(operator_id, invoice_id) REFERENCES invoices (operator_id, invoice_id)
)
 STRICT

;

CREATE TABLE people (
	operator_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT, 
	email_folded TEXT, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (operator_id, person_id), 
	CONSTRAINT uq_people_operator_id_email_folded UNIQUE (operator_id, email_folded)
)
 STRICT

;

CREATE TABLE memberships (
	operator_id TEXT NOT NULL, 
	membership_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	customer_ids TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_memberships PRIMARY KEY (operator_id, membership_id), 
	CONSTRAINT ck_memberships_role CHECK (role IN ('owner', 'operations', 'support', 'finance', 'read_only', 'fleet_manager', 'driver')), 
	CONSTRAINT fk_memberships_operator_id_person_id FOREIGN KEY(operator_id, person_id) REFERENCES people (operator_id, person_id), 
	CONSTRAINT uq_memberships_operator_id_person_id_role UNIQUE (operator_id, person_id, role)
)
 STRICT

;

CREATE TABLE invitations (
	operator_id TEXT NOT NULL, 
	invitation_id TEXT NOT NULL, 
	email TEXT NOT NULL, 
	email_folded TEXT NOT NULL, 
	role TEXT NOT NULL, 
	customer_ids TEXT NOT NULL, 
	secret_hash TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	accepted_at INTEGER, 
	revoked_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_invitations PRIMARY KEY (operator_id, invitation_id), 
	CONSTRAINT ck_invitations_role CHECK (role IN ('owner', 'operations', 'support', 'finance', 'read_only', 'fleet_manager', 'driver'))
)
 STRICT

;

CREATE TABLE restorations (
	operator_id TEXT NOT NULL, 
	restoration_id TEXT NOT NULL, 
	archive_sha256 TEXT NOT NULL, 
	backup_at INTEGER NOT NULL, 
	restored_at INTEGER NOT NULL, 
	compared_at INTEGER, 
	found INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_restorations PRIMARY KEY (operator_id, restoration_id)
)
 STRICT

;

CREATE TABLE skipped_numbers (
	operator_id TEXT NOT NULL, 
	series TEXT NOT NULL, 
	year INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	cause TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_skipped_numbers PRIMARY KEY (operator_id, series, year, first), 
	CONSTRAINT ck_skipped_numbers_run CHECK (first >= 1 AND last >= first)
)
 STRICT

;

CREATE TABLE webhook_endpoints (
	operator_id TEXT NOT NULL, 
	endpoint_id TEXT NOT NULL, 
	url TEXT NOT NULL, 
	description TEXT NOT NULL, 
	event_types TEXT NOT NULL, 
	state TEXT NOT NULL, 
	disabled_because TEXT, 
	disabled_at INTEGER, 
	position INTEGER, 
	replay_to INTEGER, 
	failures INTEGER NOT NULL, 
	failing_since INTEGER, 
	paused_until INTEGER, 
	last_delivered_at INTEGER, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_webhook_endpoints PRIMARY KEY (operator_id, endpoint_id), 
	CONSTRAINT ck_webhook_endpoints_state CHECK (state IN ('enabled', 'disabled', 'removed'))
)
 STRICT

;

CREATE TABLE webhook_messages (
	operator_id TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	schema_version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_webhook_messages PRIMARY KEY (operator_id, message_id), 
	CONSTRAINT fk_webhook_messages_operator_id_message_id FOREIGN KEY(operator_id, message_id) REFERENCES events (operator_id, event_id)
)
 STRICT

;

CREATE TABLE webhook_secrets (
	operator_id TEXT NOT NULL, 
	secret_id TEXT NOT NULL, 
	endpoint_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed_secret BLOB NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER, 
	CONSTRAINT pk_webhook_secrets PRIMARY KEY (operator_id, secret_id), 
	CONSTRAINT fk_webhook_secrets_operator_id_endpoint_id FOREIGN KEY(operator_id, endpoint_id) REFERENCES webhook_endpoints (operator_id, endpoint_id)
)
 STRICT

;

CREATE TABLE webhook_deliveries (
	operator_id TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	endpoint_id TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	aggregate TEXT NOT NULL, 
	aggregate_id TEXT NOT NULL, 
	aggregate_version INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	due_at INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	attempts INTEGER NOT NULL, 
	lease_until INTEGER, 
	leased_by TEXT, 
	last_status INTEGER, 
	last_error TEXT, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	CONSTRAINT pk_webhook_deliveries PRIMARY KEY (operator_id, delivery_id), 
	CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('blocked', 'ready', 'sending', 'delivered', 'given_up')), 
	CONSTRAINT fk_webhook_deliveries_operator_id_endpoint_id FOREIGN KEY(operator_id, endpoint_id) REFERENCES webhook_endpoints (operator_id, endpoint_id), 
	CONSTRAINT fk_webhook_deliveries_operator_id_message_id FOREIGN KEY(operator_id, message_id) REFERENCES webhook_messages (operator_id, message_id), 
	CONSTRAINT uq_webhook_deliveries_operator_id_endpoint_id_position UNIQUE (operator_id, endpoint_id, position)
)
 STRICT

;

CREATE TABLE webhook_attempts (
	operator_id TEXT NOT NULL, 
	attempt_id TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	endpoint_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	status INTEGER, 
	error TEXT, 
	answer TEXT, 
	milliseconds INTEGER NOT NULL, 
	started_at INTEGER NOT NULL, 
	CONSTRAINT pk_webhook_attempts PRIMARY KEY (operator_id, attempt_id), 
	CONSTRAINT ck_webhook_attempts_outcome CHECK (outcome IN ('delivered', 'refused', 'redirected', 'gone', 'timed_out', 'unreachable', 'forbidden')), 
	CONSTRAINT fk_webhook_attempts_operator_id_delivery_id FOREIGN KEY(operator_id, delivery_id) REFERENCES webhook_deliveries (operator_id, delivery_id)
)
 STRICT

;

CREATE TABLE erasures (
	operator_id TEXT NOT NULL, 
	erasure_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	key_id TEXT, 
	sealed BLOB, 
	rows INTEGER NOT NULL, 
	requested_at INTEGER NOT NULL, 
	kept_until TEXT, 
	done_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_erasures PRIMARY KEY (operator_id, erasure_id), 
	CONSTRAINT ck_erasures_state CHECK (state IN ('searching', 'kept', 'done')), 
	CONSTRAINT fk_erasures_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id)
)
 STRICT

;

CREATE TABLE passkeys (
	operator_id TEXT NOT NULL, 
	passkey_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	credential_id TEXT NOT NULL, 
	public_key BLOB NOT NULL, 
	sign_count INTEGER NOT NULL, 
	transports TEXT NOT NULL, 
	name TEXT NOT NULL, 
	backed_up INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	last_used_at INTEGER, 
	removed_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_passkeys PRIMARY KEY (operator_id, passkey_id), 
	CONSTRAINT fk_passkeys_operator_id_person_id FOREIGN KEY(operator_id, person_id) REFERENCES people (operator_id, person_id)
)
 STRICT

;

CREATE TABLE challenges (
	operator_id TEXT NOT NULL, 
	challenge_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	about TEXT, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	used_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_challenges PRIMARY KEY (operator_id, challenge_id), 
	CONSTRAINT ck_challenges_kind CHECK (kind IN ('make_passkey', 'use_passkey', 'single_sign_on'))
)
 STRICT

;

CREATE TABLE identity_providers (
	operator_id TEXT NOT NULL, 
	provider_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	issuer TEXT NOT NULL, 
	client_id TEXT NOT NULL, 
	secret_key_id TEXT NOT NULL, 
	client_secret BLOB NOT NULL, 
	allowed_domains TEXT NOT NULL, 
	role_claim TEXT, 
	roles TEXT NOT NULL, 
	default_role TEXT, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_identity_providers PRIMARY KEY (operator_id, provider_id), 
	CONSTRAINT ck_identity_providers_default_role CHECK (default_role IN ('owner', 'operations', 'support', 'finance', 'read_only', 'fleet_manager', 'driver'))
)
 STRICT

;

CREATE TABLE linked_identities (
	operator_id TEXT NOT NULL, 
	identity_id TEXT NOT NULL, 
	provider_id TEXT NOT NULL, 
	person_id TEXT NOT NULL, 
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	last_used_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_linked_identities PRIMARY KEY (operator_id, identity_id), 
	CONSTRAINT fk_linked_identities_operator_id_person_id FOREIGN KEY(operator_id, person_id) REFERENCES people (operator_id, person_id), 
	CONSTRAINT fk_linked_identities_operator_id_provider_id FOREIGN KEY(operator_id, provider_id) REFERENCES identity_providers (operator_id, provider_id), 
	CONSTRAINT uq_linked_identities_operator_id_issuer_subject UNIQUE (operator_id, issuer, subject)
)
 STRICT

;

CREATE TABLE keyring (
	purpose TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	sealed_by TEXT NOT NULL, 
	wrapped BLOB NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_keyring PRIMARY KEY (purpose, number)
)
 STRICT

;

CREATE TABLE sealed_secrets (
	operator_id TEXT NOT NULL, 
	secret_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed_secret BLOB NOT NULL, 
	created_at INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_sealed_secrets PRIMARY KEY (operator_id, secret_id), 
	CONSTRAINT uq_sealed_secrets_operator_id_name UNIQUE (operator_id, name)
)
 STRICT

;

CREATE TABLE imports (
	operator_id TEXT NOT NULL, 
	import_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	user_is TEXT NOT NULL, 
	dry_run INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	shape TEXT, 
	bytes INTEGER NOT NULL, 
	parts INTEGER NOT NULL, 
	rows INTEGER, 
	read INTEGER NOT NULL, 
	taken INTEGER NOT NULL, 
	already_there INTEGER NOT NULL, 
	held INTEGER NOT NULL, 
	refused INTEGER NOT NULL, 
	code TEXT, 
	message TEXT, 
	actor TEXT NOT NULL, 
	received_at INTEGER NOT NULL, 
	began_at INTEGER, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_imports PRIMARY KEY (operator_id, import_id), 
	CONSTRAINT ck_imports_kind CHECK (kind IN ('sessions', 'customers', 'tokens', 'stations')), 
	CONSTRAINT ck_imports_user_is CHECK (user_is IN ('token', 'customer')), 
	CONSTRAINT ck_imports_state CHECK (state IN ('receiving', 'reading', 'running', 'done', 'failed', 'cancelled'))
)
 STRICT

;

CREATE TABLE import_parts (
	operator_id TEXT NOT NULL, 
	import_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed BLOB NOT NULL, 
	CONSTRAINT pk_import_parts PRIMARY KEY (operator_id, import_id, number), 
	CONSTRAINT fk_import_parts_operator_id_import_id FOREIGN KEY(operator_id, import_id) REFERENCES imports (operator_id, import_id)
)
 STRICT

;

CREATE TABLE import_rows (
	operator_id TEXT NOT NULL, 
	import_id TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	code TEXT, 
	message TEXT, 
	subject_kind TEXT, 
	subject_id TEXT, 
	key_id TEXT, 
	sealed BLOB, 
	CONSTRAINT pk_import_rows PRIMARY KEY (operator_id, import_id, line), 
	CONSTRAINT ck_import_rows_outcome CHECK (outcome IN ('waiting', 'taken', 'already_there', 'held', 'refused', 'cancelled')), 
	CONSTRAINT fk_import_rows_operator_id_import_id FOREIGN KEY(operator_id, import_id) REFERENCES imports (operator_id, import_id)
)
 STRICT

;

CREATE TABLE audits (
	operator_id TEXT NOT NULL, 
	audit_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	asked_by TEXT NOT NULL, 
	asked_at INTEGER NOT NULL, 
	began_at INTEGER, 
	ended_at INTEGER, 
	is_clean INTEGER, 
	findings INTEGER, 
	figures TEXT, 
	error TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_audits PRIMARY KEY (operator_id, audit_id), 
	CONSTRAINT ck_audits_state CHECK (state IN ('waiting', 'running', 'done', 'failed'))
)
 STRICT

;

CREATE TABLE audit_findings (
	operator_id TEXT NOT NULL, 
	audit_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	code TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	says TEXT NOT NULL, 
	expected TEXT, 
	found TEXT, 
	CONSTRAINT pk_audit_findings PRIMARY KEY (operator_id, audit_id, number), 
	CONSTRAINT fk_audit_findings_operator_id_audit_id FOREIGN KEY(operator_id, audit_id) REFERENCES audits (operator_id, audit_id)
)
 STRICT

;

CREATE TABLE running_sums (
	operator_id TEXT NOT NULL, 
	figure TEXT NOT NULL, 
	part TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	stripe INTEGER NOT NULL, 
	amount INTEGER NOT NULL, 
	CONSTRAINT pk_running_sums PRIMARY KEY (operator_id, figure, part, currency, stripe)
)
 STRICT

;

CREATE TABLE "station_commands" (
	operator_id TEXT NOT NULL, 
	command_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	action TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	state TEXT NOT NULL, 
	evse_id TEXT, 
	session_id TEXT, 
	payment_id TEXT, 
	remote_start_id INTEGER, 
	requested_at INTEGER NOT NULL, 
	deadline_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	reason TEXT, 
	requested_by TEXT NOT NULL, 
	version INTEGER NOT NULL, name TEXT, request_number INTEGER, sent_at INTEGER, answered_at INTEGER, answer TEXT, 
	CONSTRAINT pk_station_commands PRIMARY KEY (operator_id, command_id), 
	CONSTRAINT ck_station_commands_action CHECK (action IN ('start', 'stop', 'reset', 'unlock', 'availability', 'transaction_status', 'message')), 
	CONSTRAINT ck_station_commands_state CHECK (state IN ('requested', 'sent', 'accepted', 'completed', 'rejected', 'expired')), 
	CONSTRAINT fk_station_commands_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT uq_station_commands_operator_id_station_id_remote_start_id UNIQUE (operator_id, station_id, remote_start_id)
)
 STRICT

;

CREATE TABLE settlement_lines (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	line_ref TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT NOT NULL, 
	payment_id TEXT, 
	source_ref TEXT, 
	amount_minor INTEGER NOT NULL, 
	fee_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	source_minor INTEGER NOT NULL, 
	source_currency TEXT NOT NULL, 
	exchange_rate TEXT, 
	payout_ref TEXT, 
	said_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	version INTEGER NOT NULL, operation_id TEXT, 
	CONSTRAINT pk_settlement_lines PRIMARY KEY (operator_id, account_id, line_ref), 
	CONSTRAINT ck_settlement_lines_kind CHECK (kind IN ('charge', 'refund', 'dispute', 'fee', 'payout', 'other')), 
	CONSTRAINT ck_settlement_lines_state CHECK (state IN ('matched', 'extra')), 
	CONSTRAINT ck_settlement_lines_revision CHECK (revision >= 0), 
	CONSTRAINT ck_settlement_lines_extra CHECK (state = 'matched' OR payment_id IS NULL), 
	CONSTRAINT fk_settlement_lines_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_settlement_lines_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id)
)
 STRICT

;

CREATE TABLE settlement_readings (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	from_at INTEGER NOT NULL, 
	until_at INTEGER NOT NULL, 
	read_at INTEGER NOT NULL, 
	error TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_settlement_readings PRIMARY KEY (operator_id, account_id), 
	CONSTRAINT fk_settlement_readings_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id)
)
 STRICT

;

CREATE TABLE settlement_differences (
	operator_id TEXT NOT NULL, 
	difference_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject_ref TEXT NOT NULL, 
	payment_id TEXT, 
	currency TEXT NOT NULL, 
	expected_minor INTEGER NOT NULL, 
	found_minor INTEGER NOT NULL, 
	booked_minor INTEGER NOT NULL, 
	suggestion TEXT NOT NULL, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	resolved_at INTEGER, 
	resolved_by TEXT, 
	resolution TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_settlement_differences PRIMARY KEY (operator_id, difference_id), 
	CONSTRAINT ck_settlement_differences_kind CHECK (kind IN ('missing', 'extra', 'charged', 'refunded', 'payout')), 
	CONSTRAINT ck_settlement_differences_suggestion CHECK (suggestion IN ('ask', 'match', 'book', 'dismiss')), 
	CONSTRAINT ck_settlement_differences_state CHECK (state IN ('open', 'resolved')), 
	CONSTRAINT ck_settlement_differences_resolved CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)), 
	CONSTRAINT fk_settlement_differences_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_settlement_differences_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id), 
	CONSTRAINT uq_settlement_differences_operator_id_account_id_kind_subject_ref UNIQUE (operator_id, account_id, kind, subject_ref)
)
 STRICT

;

CREATE TABLE meter_keys (
	operator_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	meter_serial TEXT NOT NULL, 
	serial_folded TEXT NOT NULL, 
	public_key TEXT NOT NULL, 
	curve TEXT, 
	fingerprint TEXT NOT NULL, 
	evse_id TEXT, 
	valid_from INTEGER NOT NULL, 
	valid_until INTEGER, 
	added_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_meter_keys PRIMARY KEY (operator_id, key_id), 
	CONSTRAINT uq_meter_keys_operator_id_serial_folded_fingerprint UNIQUE (operator_id, serial_folded, fingerprint), 
	CONSTRAINT fk_meter_keys_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id)
)
 STRICT

;

CREATE TABLE signed_values (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	value_key TEXT NOT NULL, 
	occurred_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT, 
	context TEXT, 
	format TEXT NOT NULL, 
	data TEXT NOT NULL, 
	delivered_key TEXT, 
	CONSTRAINT pk_signed_values PRIMARY KEY (operator_id, session_id, value_key), 
	CONSTRAINT fk_signed_values_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE signature_verdicts (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	judged_at INTEGER NOT NULL, 
	signature TEXT NOT NULL, 
	energy_is_billable INTEGER NOT NULL, 
	time_is_billable INTEGER NOT NULL, 
	reasons TEXT NOT NULL, 
	warnings TEXT NOT NULL, 
	milliwatt_hours INTEGER, 
	register_start INTEGER, 
	register_stop INTEGER, 
	began_at INTEGER, 
	ended_at INTEGER, 
	meter_serial TEXT, 
	gateway_serial TEXT, 
	serial_folded TEXT, 
	gateway_folded TEXT, 
	pages TEXT, 
	curve TEXT, 
	fingerprint TEXT, 
	CONSTRAINT pk_signature_verdicts PRIMARY KEY (operator_id, session_id, number), 
	CONSTRAINT ck_signature_verdicts_signature CHECK (signature IN ('valid', 'invalid', 'unverifiable')), 
	CONSTRAINT fk_signature_verdicts_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE meter_pages (
	operator_id TEXT NOT NULL, 
	natural_key TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	noted_at INTEGER NOT NULL, 
	CONSTRAINT pk_meter_pages PRIMARY KEY (operator_id, natural_key), 
	CONSTRAINT fk_meter_pages_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE disputes (
	operator_id TEXT NOT NULL, 
	dispute_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	dispute_ref TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	withdrawn_minor INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	due_at INTEGER, 
	said_at INTEGER NOT NULL, 
	opened_at INTEGER NOT NULL, 
	decided_at INTEGER, 
	revision INTEGER NOT NULL, 
	version INTEGER NOT NULL, answer TEXT, answer_note TEXT, answered_by TEXT, answer_error TEXT, answered_at INTEGER, answer_told_at INTEGER, 
	CONSTRAINT pk_disputes PRIMARY KEY (operator_id, dispute_id), 
	CONSTRAINT ck_disputes_state CHECK (state IN ('warning', 'open', 'answered', 'won', 'lost', 'closed')), 
	CONSTRAINT ck_disputes_withdrawn CHECK (withdrawn_minor BETWEEN 0 AND amount_minor), 
	CONSTRAINT ck_disputes_revision CHECK (revision >= 0), 
	CONSTRAINT ck_disputes_decided CHECK ((state IN ('warning', 'open', 'answered')) = (decided_at IS NULL)), 
	CONSTRAINT fk_disputes_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_disputes_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id), 
	CONSTRAINT uq_disputes_operator_id_account_id_dispute_ref UNIQUE (operator_id, account_id, dispute_ref)
)
 STRICT

;

CREATE TABLE provider_health (
	operator_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	failures INTEGER NOT NULL, 
	pauses INTEGER NOT NULL, 
	retry_at INTEGER, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_provider_health PRIMARY KEY (operator_id, account_id), 
	CONSTRAINT ck_provider_health_state CHECK (state IN ('closed', 'open', 'probing')), 
	CONSTRAINT fk_provider_health_operator_id_account_id_provider_accounts FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id)
)
 STRICT

;

CREATE TABLE circles (
	operator_id TEXT NOT NULL, 
	circle_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	title TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_circles PRIMARY KEY (operator_id, circle_id), 
	CONSTRAINT ck_circles_kind CHECK (kind IN ('fleet', 'group', 'member')), 
	CONSTRAINT uq_circles_operator_id_kind_name UNIQUE (operator_id, kind, name)
)
 STRICT

;

CREATE TABLE belongings (
	operator_id TEXT NOT NULL, 
	belonging_id TEXT NOT NULL, 
	circle_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	valid_from INTEGER NOT NULL, 
	valid_until INTEGER, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_belongings PRIMARY KEY (operator_id, belonging_id), 
	CONSTRAINT ck_belongings_valid_until CHECK (valid_until IS NULL OR valid_until >= valid_from), 
	CONSTRAINT fk_belongings_operator_id_circle_id FOREIGN KEY(operator_id, circle_id) REFERENCES circles (operator_id, circle_id), 
	CONSTRAINT fk_belongings_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id)
)
 STRICT

;

CREATE TABLE market_prices (
	operator_id TEXT NOT NULL, 
	market TEXT NOT NULL, 
	minutes INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	starts_at INTEGER NOT NULL, 
	per_mwh TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	changed_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_market_prices PRIMARY KEY (operator_id, market, minutes, currency, starts_at)
)
 STRICT

;

CREATE TABLE "explanations" (
	operator_id TEXT NOT NULL, 
	explanation_id TEXT NOT NULL, 
	session_id TEXT, 
	evse_id TEXT, 
	milliwatt_hours INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	cause TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_explanations PRIMARY KEY (operator_id, explanation_id), 
	CONSTRAINT ck_explanations_reason CHECK (reason IN ('lost_stop', 'start_missing', 'meter_reset', 'implausible', 'missing_energy', 'meter_corrected', 'unknown_payer', 'no_tariff', 'not_signed', 'signed_differs', 'price_awaited', 'written_off')), 
	CONSTRAINT fk_explanations_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE meter_profiles (
	operator_id TEXT NOT NULL, 
	profile_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	vendor TEXT NOT NULL, 
	model TEXT NOT NULL, 
	firmware TEXT NOT NULL, 
	habits TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_meter_profiles PRIMARY KEY (operator_id, profile_id), 
	CONSTRAINT uq_meter_profiles_operator_id_name UNIQUE (operator_id, name)
)
 STRICT

;

CREATE TABLE resolution_rules (
	operator_id TEXT NOT NULL, 
	rule_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	decision TEXT NOT NULL, 
	most_minor INTEGER NOT NULL, 
	is_on INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_resolution_rules PRIMARY KEY (operator_id, rule_id), 
	CONSTRAINT uq_resolution_rules_operator_id_name UNIQUE (operator_id, name), 
	CONSTRAINT ck_resolution_rules_cap CHECK (most_minor >= 0)
)
 STRICT

;

CREATE TABLE station_reports (
	operator_id TEXT NOT NULL, 
	command_id TEXT NOT NULL, 
	report_key TEXT NOT NULL, 
	message TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	is_last INTEGER NOT NULL, 
	status TEXT, 
	content TEXT, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT NOT NULL, 
	CONSTRAINT pk_station_reports PRIMARY KEY (operator_id, command_id, report_key), 
	CONSTRAINT fk_station_reports_operator_id_command_id FOREIGN KEY(operator_id, command_id) REFERENCES station_commands (operator_id, command_id)
)
 STRICT

;

CREATE TABLE station_variables (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	component TEXT NOT NULL, 
	component_instance TEXT NOT NULL, 
	evse INTEGER NOT NULL, 
	connector INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	instance TEXT NOT NULL, 
	attribute TEXT NOT NULL, 
	value TEXT, 
	is_writable INTEGER, 
	told_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_station_variables PRIMARY KEY (operator_id, station_id, component, component_instance, evse, connector, name, instance, attribute), 
	CONSTRAINT fk_station_variables_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE security_events (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	event_key TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	occurred_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	detail TEXT, 
	frame_id TEXT NOT NULL, 
	CONSTRAINT pk_security_events PRIMARY KEY (operator_id, station_id, event_key), 
	CONSTRAINT fk_security_events_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE money_limits (
	operator_id TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	payment_minor INTEGER, 
	day_minor INTEGER, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_money_limits PRIMARY KEY (operator_id, holder, currency), 
	CONSTRAINT ck_money_limits_holder CHECK (holder IN ('owner', 'support', 'finance', 'program')), 
	CONSTRAINT ck_money_limits_not_negative CHECK (payment_minor >= 0 AND day_minor >= 0)
)
 STRICT

;

CREATE TABLE given_away (
	operator_id TEXT NOT NULL, 
	holder_id TEXT NOT NULL, 
	day TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	given_minor INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_given_away PRIMARY KEY (operator_id, holder_id, day, currency), 
	CONSTRAINT ck_given_away_given CHECK (given_minor >= 0)
)
 STRICT

;

CREATE TABLE authorities (
	operator_id TEXT NOT NULL, 
	authority_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	certificate TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	secret_id TEXT NOT NULL, 
	holds_from INTEGER NOT NULL, 
	holds_until INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_authorities PRIMARY KEY (operator_id, authority_id), 
	CONSTRAINT uq_authorities_operator_id_fingerprint UNIQUE (operator_id, fingerprint)
)
 STRICT

;

CREATE TABLE station_certificates (
	operator_id TEXT NOT NULL, 
	certificate_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	request_key TEXT NOT NULL, 
	request TEXT NOT NULL, 
	request_number INTEGER, 
	state TEXT NOT NULL, 
	requested_at INTEGER NOT NULL, 
	serial TEXT, 
	fingerprint TEXT, 
	certificate TEXT, 
	holds_from INTEGER, 
	holds_until INTEGER, 
	command_id TEXT, 
	ended_at INTEGER, 
	reason TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_station_certificates PRIMARY KEY (operator_id, certificate_id), 
	CONSTRAINT ck_station_certificates_state CHECK (state IN ('requested', 'issued', 'refused', 'revoked')), 
	CONSTRAINT fk_station_certificates_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT uq_station_certificates_operator_id_station_id_request_key UNIQUE (operator_id, station_id, request_key)
)
 STRICT

;

CREATE TABLE corrections (
	operator_id TEXT NOT NULL, 
	correction_id TEXT NOT NULL, 
	tariff_version_id TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	since_at INTEGER NOT NULL, 
	until_at INTEGER NOT NULL, 
	priced_by TEXT NOT NULL, 
	state TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	looked INTEGER NOT NULL, 
	less_minor INTEGER NOT NULL, 
	more_minor INTEGER NOT NULL, 
	largest_minor INTEGER NOT NULL, 
	asked_by TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, others INTEGER DEFAULT '0' NOT NULL, ask_above_minor INTEGER, decided_by TEXT, 
	CONSTRAINT pk_corrections PRIMARY KEY (operator_id, correction_id), 
	CONSTRAINT ck_corrections_state CHECK (state IN ('pricing', 'proposed', 'waiting', 'running', 'done', 'discarded')), 
	CONSTRAINT fk_corrections_operator_id_tariff_version_id FOREIGN KEY(operator_id, tariff_version_id) REFERENCES tariff_versions (operator_id, tariff_version_id)
)
 STRICT

;

CREATE TABLE web_codes (
	operator_id TEXT NOT NULL, 
	evse_id TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	validity_seconds INTEGER NOT NULL, 
	length INTEGER NOT NULL, 
	last_window INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_web_codes PRIMARY KEY (operator_id, evse_id), 
	CONSTRAINT fk_web_codes_operator_id_evse_id FOREIGN KEY(operator_id, evse_id) REFERENCES evses (operator_id, evse_id)
)
 STRICT

;

CREATE TABLE coupons (
	operator_id TEXT NOT NULL, 
	coupon_id TEXT NOT NULL, 
	code TEXT NOT NULL, 
	title TEXT NOT NULL, 
	terms TEXT NOT NULL, 
	currency TEXT, 
	most_uses INTEGER, 
	uses_per_customer INTEGER NOT NULL, 
	uses INTEGER NOT NULL, 
	valid_from INTEGER NOT NULL, 
	valid_until INTEGER, 
	created_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_coupons PRIMARY KEY (operator_id, coupon_id), 
	CONSTRAINT ck_coupons_uses CHECK (uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)), 
	CONSTRAINT ck_coupons_valid_until CHECK (valid_until IS NULL OR valid_until >= valid_from), 
	CONSTRAINT uq_coupons_operator_id_code UNIQUE (operator_id, code)
)
 STRICT

;

CREATE TABLE coupon_uses (
	operator_id TEXT NOT NULL, 
	use_id TEXT NOT NULL, 
	coupon_id TEXT NOT NULL, 
	customer_id TEXT, 
	offer_id TEXT, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	claimed_at INTEGER, 
	ended_at INTEGER, 
	session_id TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_coupon_uses PRIMARY KEY (operator_id, use_id), 
	CONSTRAINT ck_coupon_uses_state CHECK (state IN ('kept', 'claimed', 'used', 'released')), 
	CONSTRAINT fk_coupon_uses_operator_id_coupon_id FOREIGN KEY(operator_id, coupon_id) REFERENCES coupons (operator_id, coupon_id), 
	CONSTRAINT fk_coupon_uses_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT fk_coupon_uses_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE station_checks (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	asked_at INTEGER NOT NULL, 
	answered_at INTEGER, 
	set_at INTEGER, 
	off TEXT NOT NULL, 
	version INTEGER NOT NULL, next_at INTEGER, is_billable INTEGER, 
	CONSTRAINT pk_station_checks PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT fk_station_checks_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE commissioning_rules (
	operator_id TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	sets_values INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_commissioning_rules PRIMARY KEY (operator_id, scope)
)
 STRICT

;

CREATE TABLE display_rules (
	operator_id TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	shows TEXT NOT NULL, 
	every_seconds INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, tolerance_minor INTEGER, 
	CONSTRAINT pk_display_rules PRIMARY KEY (operator_id, scope), 
	CONSTRAINT ck_display_rules_shows CHECK (shows IN ('auto', 'always', 'never'))
)
 STRICT

;

CREATE TABLE told_prices (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	gross_minor INTEGER, 
	told_at INTEGER, 
	command_id TEXT, 
	silences INTEGER NOT NULL, 
	is_refused INTEGER NOT NULL, 
	is_final INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_told_prices PRIMARY KEY (operator_id, session_id), 
	CONSTRAINT fk_told_prices_operator_id_command_id FOREIGN KEY(operator_id, command_id) REFERENCES station_commands (operator_id, command_id), 
	CONSTRAINT fk_told_prices_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE message_chunks (
	operator_id TEXT NOT NULL, 
	chunk_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	first_at INTEGER NOT NULL, 
	last_at INTEGER NOT NULL, 
	messages INTEGER NOT NULL, 
	actions TEXT NOT NULL, 
	transactions TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed BLOB NOT NULL, 
	CONSTRAINT pk_message_chunks PRIMARY KEY (operator_id, chunk_id), 
	CONSTRAINT fk_message_chunks_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE wanted_limits (
	operator_id TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	limits TEXT NOT NULL, 
	chosen_at INTEGER NOT NULL, 
	confirmed TEXT, 
	version INTEGER NOT NULL, told TEXT, 
	CONSTRAINT pk_wanted_limits PRIMARY KEY (operator_id, subject_id)
)
 STRICT

;

CREATE TABLE list_rules (
	operator_id TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	is_on INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_list_rules PRIMARY KEY (operator_id, scope)
)
 STRICT

;

CREATE TABLE local_lists (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	sent TEXT NOT NULL, 
	is_known INTEGER NOT NULL, 
	command_id TEXT, 
	pending TEXT NOT NULL, 
	state TEXT NOT NULL, 
	tries INTEGER NOT NULL, 
	entries INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, told_number INTEGER, told_at INTEGER, 
	CONSTRAINT pk_local_lists PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT ck_local_lists_state CHECK (state IN ('waiting', 'in_step', 'unsupported', 'failed')), 
	CONSTRAINT fk_local_lists_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE customer_holds (
	operator_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	provider TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	held_minor INTEGER NOT NULL, 
	taken_minor INTEGER NOT NULL, 
	returned_minor INTEGER NOT NULL, 
	settled_minor INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	pending_id TEXT, 
	invoice_id TEXT, 
	due_on TEXT, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_customer_holds PRIMARY KEY (operator_id, payment_id), 
	CONSTRAINT ck_customer_holds_taken CHECK (held_minor > 0 AND taken_minor BETWEEN 0 AND held_minor), 
	CONSTRAINT ck_customer_holds_returned CHECK (returned_minor BETWEEN 0 AND taken_minor), 
	CONSTRAINT ck_customer_holds_settled CHECK (settled_minor BETWEEN 0 AND taken_minor), 
	CONSTRAINT ck_customer_holds_pending CHECK ((state = 'held') = (pending_id IS NOT NULL)), 
	CONSTRAINT fk_customer_holds_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id), 
	CONSTRAINT fk_customer_holds_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_customer_holds_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT ck_customer_holds_state CHECK (state IN ('held', 'taken', 'released'))
)
 STRICT

;

CREATE TABLE credit_terms (
	operator_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	limit_minor INTEGER NOT NULL, 
	term_days INTEGER NOT NULL, 
	allowed_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_credit_terms PRIMARY KEY (operator_id, customer_id, currency), 
	CONSTRAINT ck_credit_terms_terms CHECK (limit_minor >= 0 AND term_days >= 0), 
	CONSTRAINT fk_credit_terms_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id)
)
 STRICT

;

CREATE TABLE received_transfers (
	operator_id TEXT NOT NULL, 
	transfer_id TEXT NOT NULL, 
	transfer_key TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	target TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	left_minor INTEGER NOT NULL, 
	reference TEXT NOT NULL, 
	received_on TEXT NOT NULL, 
	received_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, returned_at INTEGER, 
	CONSTRAINT pk_received_transfers PRIMARY KEY (operator_id, transfer_id), 
	CONSTRAINT uq_received_transfers_operator_id_transfer_key UNIQUE (operator_id, transfer_key), 
	CONSTRAINT ck_received_transfers_left CHECK (amount_minor > 0 AND left_minor BETWEEN 0 AND amount_minor), 
	CONSTRAINT fk_received_transfers_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT ck_received_transfers_target CHECK (target IN ('items', 'balance'))
)
 STRICT

;

CREATE TABLE "transfer_parts" (
	operator_id TEXT NOT NULL, 
	part_id TEXT NOT NULL, 
	transfer_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	created_at INTEGER NOT NULL, 
	CONSTRAINT pk_transfer_parts PRIMARY KEY (operator_id, part_id), 
	CONSTRAINT ck_transfer_parts_amount CHECK (amount_minor <> 0), 
	CONSTRAINT fk_transfer_parts_operator_id_transfer_id FOREIGN KEY(operator_id, transfer_id) REFERENCES received_transfers (operator_id, transfer_id), 
	CONSTRAINT fk_transfer_parts_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES customer_holds (operator_id, payment_id)
)
 STRICT

;

CREATE TABLE creditors (
	operator_id TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	creditor_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	iban TEXT NOT NULL, 
	bic TEXT, 
	notice_days INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_creditors PRIMARY KEY (operator_id, currency), 
	CONSTRAINT ck_creditors_currency CHECK (currency = 'EUR'), 
	CONSTRAINT ck_creditors_notice CHECK (notice_days > 0)
)
 STRICT

;

CREATE TABLE debit_batches (
	operator_id TEXT NOT NULL, 
	batch_id TEXT NOT NULL, 
	batch_key TEXT NOT NULL, 
	message_id TEXT NOT NULL, 
	collect_on TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	creditor_id TEXT NOT NULL, 
	creditor_name TEXT NOT NULL, 
	creditor_iban TEXT NOT NULL, 
	creditor_bic TEXT, 
	count INTEGER NOT NULL, 
	total_minor INTEGER NOT NULL, 
	looked_to TEXT NOT NULL, 
	made_at INTEGER NOT NULL, 
	closed_at INTEGER, 
	given_at INTEGER, 
	cancelled_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_debit_batches PRIMARY KEY (operator_id, batch_id), 
	CONSTRAINT ck_debit_batches_total CHECK (count >= 0 AND total_minor >= 0 AND (count = 0) = (total_minor = 0)), 
	CONSTRAINT uq_debit_batches_operator_id_batch_key UNIQUE (operator_id, batch_key), 
	CONSTRAINT uq_debit_batches_operator_id_message_id UNIQUE (operator_id, message_id)
)
 STRICT

;

CREATE TABLE mandates (
	operator_id TEXT NOT NULL, 
	mandate_id TEXT NOT NULL, 
	reference TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	scheme TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	sealed_account BLOB NOT NULL, 
	shown TEXT NOT NULL, 
	signed_on TEXT NOT NULL, 
	state TEXT NOT NULL, 
	used_on TEXT, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	end_reason TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_mandates PRIMARY KEY (operator_id, mandate_id), 
	CONSTRAINT ck_mandates_ended CHECK ((state = 'ended') = (ended_at IS NOT NULL)), 
	CONSTRAINT ck_mandates_scheme CHECK (scheme IN ('core', 'b2b')), 
	CONSTRAINT ck_mandates_state CHECK (state IN ('active', 'paused', 'ended')), 
	CONSTRAINT fk_mandates_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT uq_mandates_operator_id_reference UNIQUE (operator_id, reference)
)
 STRICT

;

CREATE TABLE debit_collections (
	operator_id TEXT NOT NULL, 
	collection_id TEXT NOT NULL, 
	batch_id TEXT NOT NULL, 
	mandate_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	end_to_end TEXT NOT NULL, 
	scheme TEXT NOT NULL, 
	sequence TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	remittance TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT, 
	pending_id TEXT NOT NULL, 
	transfer_id TEXT, 
	line_id TEXT, 
	return_line_id TEXT, 
	fee_minor INTEGER NOT NULL, 
	told_at INTEGER, 
	created_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	version INTEGER NOT NULL, revision INTEGER DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_debit_collections PRIMARY KEY (operator_id, collection_id), 
	CONSTRAINT ck_debit_collections_returned CHECK ((state = 'returned') = (return_line_id IS NOT NULL)), 
	CONSTRAINT ck_debit_collections_transfer CHECK ((state IN ('collected', 'returned')) = (transfer_id IS NOT NULL)), 
	CONSTRAINT ck_debit_collections_scheme CHECK (scheme IN ('core', 'b2b')), 
	CONSTRAINT ck_debit_collections_sequence CHECK (sequence IN ('FRST', 'RCUR')), 
	CONSTRAINT ck_debit_collections_state CHECK (state IN ('asked', 'collected', 'rejected', 'returned', 'cancelled')), 
	CONSTRAINT ck_debit_collections_amount CHECK (amount_minor > 0 AND fee_minor >= 0), 
	CONSTRAINT fk_debit_collections_operator_id_batch_id FOREIGN KEY(operator_id, batch_id) REFERENCES debit_batches (operator_id, batch_id), 
	CONSTRAINT fk_debit_collections_operator_id_customer_id FOREIGN KEY(operator_id, customer_id) REFERENCES customers (operator_id, customer_id), 
	CONSTRAINT fk_debit_collections_operator_id_mandate_id FOREIGN KEY(operator_id, mandate_id) REFERENCES mandates (operator_id, mandate_id), 
	CONSTRAINT uq_debit_collections_operator_id_batch_id_mandate_id UNIQUE (operator_id, batch_id, mandate_id), 
	CONSTRAINT uq_debit_collections_operator_id_end_to_end UNIQUE (operator_id, end_to_end)
)
 STRICT

;

CREATE TABLE debit_parts (
	operator_id TEXT NOT NULL, 
	collection_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	is_open INTEGER NOT NULL, 
	CONSTRAINT pk_debit_parts PRIMARY KEY (operator_id, collection_id, payment_id), 
	CONSTRAINT ck_debit_parts_amount CHECK (amount_minor > 0), 
	CONSTRAINT fk_debit_parts_operator_id_collection_id FOREIGN KEY(operator_id, collection_id) REFERENCES debit_collections (operator_id, collection_id), 
	CONSTRAINT fk_debit_parts_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES customer_holds (operator_id, payment_id)
)
 STRICT

;

CREATE TABLE "bank_lines" (
	operator_id TEXT NOT NULL, 
	line_id TEXT NOT NULL, 
	bank_account TEXT NOT NULL, 
	statement_ref TEXT NOT NULL, 
	entry_ref TEXT NOT NULL, 
	booked_at INTEGER NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	reference TEXT, 
	end_to_end TEXT, 
	remittance TEXT, 
	counterparty TEXT, 
	counterparty_account TEXT, 
	return_code TEXT, 
	state TEXT NOT NULL, 
	candidates INTEGER NOT NULL, 
	account_id TEXT, 
	settlement_ref TEXT, 
	received_at INTEGER NOT NULL, 
	decided_at INTEGER, 
	decided_by TEXT, 
	note TEXT, 
	version INTEGER NOT NULL, transfer_id TEXT, batch_ref TEXT, mandate_ref TEXT, batch_id TEXT, revision INTEGER DEFAULT 0 NOT NULL, undone_at INTEGER, undone_by TEXT, undo_note TEXT, under_way TEXT CONSTRAINT ck_bank_lines_under_way CHECK (under_way IN ('collecting', 'undoing')), debit_groups TEXT, carried_to TEXT, 
	CONSTRAINT pk_bank_lines PRIMARY KEY (operator_id, line_id), 
	CONSTRAINT ck_bank_lines_matched CHECK ((state = 'matched') = (settlement_ref IS NOT NULL)), 
	CONSTRAINT ck_bank_lines_payout CHECK ((account_id IS NULL) = (settlement_ref IS NULL)), 
	CONSTRAINT ck_bank_lines_state CHECK (state IN ('open', 'matched', 'transfer', 'debit', 'dismissed')), 
	CONSTRAINT fk_bank_lines_operator_id_account_id_settlement_ref FOREIGN KEY(operator_id, account_id, settlement_ref) REFERENCES settlement_lines (operator_id, account_id, line_ref), 
	CONSTRAINT uq_bank_lines_operator_id_account_id_settlement_ref UNIQUE (operator_id, account_id, settlement_ref)
)
 STRICT

;

CREATE TABLE station_notices (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	notice_key TEXT NOT NULL, 
	message TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	kind TEXT, 
	severity INTEGER, 
	is_cleared INTEGER NOT NULL, 
	evse INTEGER NOT NULL, 
	value TEXT, 
	detail TEXT, 
	occurred_at INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT NOT NULL, 
	CONSTRAINT pk_station_notices PRIMARY KEY (operator_id, station_id, notice_key), 
	CONSTRAINT fk_station_notices_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE reservations (
	operator_id TEXT NOT NULL, 
	reservation_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	evse_id TEXT, 
	connector_type TEXT, 
	token_id TEXT NOT NULL, 
	customer_id TEXT, 
	state TEXT NOT NULL, 
	is_watched INTEGER NOT NULL, 
	command_id TEXT NOT NULL, 
	cancel_command_id TEXT, 
	requested_at INTEGER NOT NULL, 
	reserved_at INTEGER, 
	expires_at INTEGER NOT NULL, 
	ended_at INTEGER, 
	kept_from INTEGER, 
	session_id TEXT, 
	reason TEXT, 
	requested_by TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_reservations PRIMARY KEY (operator_id, reservation_id), 
	CONSTRAINT ck_reservations_state CHECK (state IN ('requested', 'active', 'refused', 'used', 'expired', 'cancelled', 'removed')), 
	CONSTRAINT fk_reservations_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT uq_reservations_operator_id_station_id_number UNIQUE (operator_id, station_id, number)
)
 STRICT

;

CREATE TABLE told_tariffs (
	operator_id TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	evse_number INTEGER, 
	session_id TEXT, 
	tariff_version_id TEXT, 
	tariff_id TEXT, 
	state TEXT NOT NULL, 
	reason TEXT, 
	command_id TEXT, 
	silences INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, older TEXT DEFAULT '[]' NOT NULL, named TEXT DEFAULT '[]' NOT NULL, verified_at INTEGER, is_cleared INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_told_tariffs PRIMARY KEY (operator_id, subject_id), 
	CONSTRAINT ck_told_tariffs_state CHECK (state IN ('sent', 'held', 'refused', 'unsupported', 'unsaid', 'none', 'silent')), 
	CONSTRAINT fk_told_tariffs_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id), 
	CONSTRAINT fk_told_tariffs_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id), 
	CONSTRAINT fk_told_tariffs_operator_id_command_id FOREIGN KEY(operator_id, command_id) REFERENCES station_commands (operator_id, command_id)
)
 STRICT

;

CREATE TABLE told_costs (
	operator_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	currency TEXT, 
	before_taxes TEXT, 
	after_taxes TEXT, 
	kind TEXT, 
	failure TEXT, 
	tariff_id TEXT, 
	parts TEXT NOT NULL, 
	sequence_number INTEGER, 
	is_final INTEGER NOT NULL, 
	received_at INTEGER NOT NULL, 
	frame_id TEXT NOT NULL, 
	rated_id TEXT, 
	difference_minor INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_told_costs PRIMARY KEY (operator_id, session_id), 
	CONSTRAINT fk_told_costs_operator_id_session_id FOREIGN KEY(operator_id, session_id) REFERENCES sessions (operator_id, session_id)
)
 STRICT

;

CREATE TABLE offline_rules (
	operator_id TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	starts TEXT NOT NULL, 
	refused_wh INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	version INTEGER NOT NULL, removed_at INTEGER, 
	CONSTRAINT pk_offline_rules PRIMARY KEY (operator_id, scope), 
	CONSTRAINT ck_offline_rules_starts CHECK (starts IN ('nobody', 'known', 'anybody'))
)
 STRICT

;

CREATE TABLE "corrected_sessions" (
	operator_id TEXT NOT NULL, 
	correction_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	invoice_id TEXT NOT NULL, 
	was_minor INTEGER NOT NULL, 
	now_minor INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	credited_minor INTEGER NOT NULL, 
	refunded_minor INTEGER NOT NULL, 
	note TEXT, 
	version INTEGER NOT NULL, replaces INTEGER DEFAULT '0' NOT NULL, asked_minor INTEGER DEFAULT '0' NOT NULL, waived_minor INTEGER DEFAULT '0' NOT NULL, was_tax_minor INTEGER, now_tax_minor INTEGER, new_invoice_id TEXT, decided_by TEXT, 
	CONSTRAINT pk_corrected_sessions PRIMARY KEY (operator_id, correction_id, session_id), 
	CONSTRAINT ck_corrected_sessions_outcome CHECK (outcome IN ('open', 'returned', 'left', 'waived', 'asked', 'replaced', 'skipped')), CONSTRAINT ck_corrected_sessions_asked CHECK (asked_minor >= 0 AND waived_minor >= 0), 
	CONSTRAINT ck_corrected_sessions_not_negative CHECK (credited_minor >= 0 AND refunded_minor >= 0), 
	CONSTRAINT ck_corrected_sessions_no_more_than_was_charged CHECK (credited_minor + refunded_minor <= was_minor), 
	CONSTRAINT ck_corrected_sessions_returned CHECK ((outcome = 'returned') = (credited_minor + refunded_minor > 0)), 
	CONSTRAINT fk_corrected_sessions_operator_id_correction_id FOREIGN KEY(operator_id, correction_id) REFERENCES corrections (operator_id, correction_id), 
	CONSTRAINT fk_corrected_sessions_operator_id_invoice_id FOREIGN KEY(operator_id, invoice_id) REFERENCES invoices (operator_id, invoice_id)
)
 STRICT

;

CREATE TABLE readers (
	operator_id TEXT NOT NULL, 
	reader_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	reader_ref TEXT NOT NULL, 
	label TEXT NOT NULL, 
	location_id TEXT, 
	evse_ids TEXT NOT NULL, 
	added_at INTEGER NOT NULL, 
	removed_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_readers PRIMARY KEY (operator_id, reader_id), 
	CONSTRAINT fk_readers_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_readers_operator_id_location_id FOREIGN KEY(operator_id, location_id) REFERENCES locations (operator_id, location_id)
)
 STRICT

;

CREATE TABLE "operations" (
	operator_id TEXT NOT NULL, 
	operation_id TEXT NOT NULL, 
	payment_id TEXT NOT NULL, 
	account_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	idempotency_key TEXT NOT NULL, 
	request TEXT NOT NULL, 
	request_hash TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	first_sent_at INTEGER, 
	last_sent_at INTEGER, 
	provider_ref TEXT, 
	code TEXT, 
	advice TEXT, 
	error TEXT, 
	created_at INTEGER NOT NULL, 
	resolved_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_operations PRIMARY KEY (operator_id, operation_id), 
	CONSTRAINT ck_operations_kind CHECK (kind IN ('prepare', 'charge', 'hosted_page', 'present', 'authorise', 'adjust', 'capture', 'void', 'refund')), 
	CONSTRAINT ck_operations_state CHECK (state IN ('intended', 'unknown', 'pending', 'succeeded', 'declined', 'not_sent', 'failed')), 
	CONSTRAINT ck_operations_amounts CHECK (amount_minor >= 0 AND attempts >= 0), 
	CONSTRAINT fk_operations_operator_id_account_id FOREIGN KEY(operator_id, account_id) REFERENCES provider_accounts (operator_id, account_id), 
	CONSTRAINT fk_operations_operator_id_payment_id FOREIGN KEY(operator_id, payment_id) REFERENCES payments (operator_id, payment_id), 
	CONSTRAINT uq_operations_operator_id_idempotency_key UNIQUE (operator_id, idempotency_key)
)
 STRICT

;

CREATE TABLE key_changes (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	key_id TEXT, 
	sealed_key BLOB, 
	key_hash TEXT, 
	command_id TEXT NOT NULL, 
	requested_at INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	reason TEXT, 
	requested_by TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_key_changes PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT ck_key_changes_state CHECK (state IN ('waiting', 'accepted', 'refused', 'unknown', 'done', 'ended')), 
	CONSTRAINT fk_key_changes_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE TABLE "approvals" (
	operator_id TEXT NOT NULL, 
	approval_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	request_key TEXT NOT NULL, 
	amount_minor INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	beyond TEXT NOT NULL, 
	request TEXT NOT NULL, 
	asked_by TEXT NOT NULL, 
	state TEXT NOT NULL, 
	created_at INTEGER NOT NULL, 
	expires_at INTEGER NOT NULL, 
	decided_at INTEGER, 
	decided_by TEXT, 
	note TEXT, 
	result_id TEXT, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_approvals PRIMARY KEY (operator_id, approval_id), 
	CONSTRAINT ck_approvals_kind CHECK (kind IN ('refund', 'correction', 'payout', 'dispute')), 
	CONSTRAINT ck_approvals_state CHECK (state IN ('waiting', 'approved', 'declined', 'expired')), 
	CONSTRAINT ck_approvals_decided CHECK ((state = 'waiting') = (decided_at IS NULL)), 
	CONSTRAINT ck_approvals_decider CHECK (state NOT IN ('approved', 'declined') OR decided_by IS NOT NULL), 
	CONSTRAINT ck_approvals_second_eyes CHECK (decided_by IS NULL OR state <> 'approved' OR decided_by <> asked_by), 
	CONSTRAINT uq_approvals_operator_id_kind_request_key UNIQUE (operator_id, kind, request_key)
)
 STRICT

;

CREATE TABLE profile_changes (
	operator_id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	wanted INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	url TEXT, 
	slot INTEGER, 
	interface TEXT, 
	priority TEXT, 
	command_id TEXT NOT NULL, 
	requested_at INTEGER NOT NULL, 
	changed_at INTEGER NOT NULL, 
	reason TEXT, 
	requested_by TEXT NOT NULL, 
	shown INTEGER, 
	shown_at INTEGER, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_profile_changes PRIMARY KEY (operator_id, station_id), 
	CONSTRAINT ck_profile_changes_state CHECK (state IN ('asking', 'writing', 'ordering', 'resetting', 'returning', 'done', 'went_back', 'refused', 'silent', 'ended')), 
	CONSTRAINT fk_profile_changes_operator_id_station_id FOREIGN KEY(operator_id, station_id) REFERENCES stations (operator_id, station_id)
)
 STRICT

;

CREATE UNIQUE INDEX uq_api_keys_prefix ON api_keys (prefix);

CREATE UNIQUE INDEX uq_console_links_secret_hash ON console_links (secret_hash);

CREATE UNIQUE INDEX uq_console_sessions_secret_hash ON console_sessions (secret_hash);

CREATE INDEX ix_entries_operator_id_booked_at ON entries (operator_id, booked_at);

CREATE INDEX ix_entries_operator_id_cause_kind_cause_id ON entries (operator_id, cause_kind, cause_id);

CREATE INDEX ix_events_unsequenced ON events (recorded_at, event_id) WHERE position IS NULL;

CREATE UNIQUE INDEX uq_events_position ON events (position);

CREATE INDEX ix_inbox_operator_id_session_id ON inbox (operator_id, session_id);

CREATE INDEX ix_inbox_operator_id_state_item_id ON inbox (operator_id, state, item_id);

CREATE INDEX ix_jobs_due ON jobs (run_at) WHERE state IN ('ready', 'leased');

CREATE UNIQUE INDEX uq_operators_slug ON operators (slug);

CREATE UNIQUE INDEX uq_provider_accounts_default ON provider_accounts (operator_id) WHERE is_default = 1;

CREATE INDEX ix_payment_methods_operator_id_customer_id ON payment_methods (operator_id, customer_id);

CREATE INDEX ix_stations_identity ON stations (identity);

CREATE INDEX ix_tariff_assignments_operator_id_scope_scope_id ON tariff_assignments (operator_id, scope, scope_id);

CREATE INDEX ix_tokens_operator_id_customer_id ON tokens (operator_id, customer_id);

CREATE INDEX ix_transfers_operator_id_credit_account_id ON transfers (operator_id, credit_account_id);

CREATE INDEX ix_transfers_operator_id_debit_account_id ON transfers (operator_id, debit_account_id);

CREATE INDEX ix_transfers_operator_id_entry_id ON transfers (operator_id, entry_id);

CREATE UNIQUE INDEX uq_transfers_pending ON transfers (operator_id, pending_id) WHERE pending_id IS NOT NULL;

CREATE INDEX ix_webhook_events_operator_id_payment_id ON webhook_events (operator_id, payment_id);

CREATE INDEX ix_webhook_events_operator_id_received_at ON webhook_events (operator_id, received_at);

CREATE INDEX ix_webhook_events_operator_id_state ON webhook_events (operator_id, state);

CREATE INDEX ix_evses_code ON evses (code);

CREATE INDEX ix_frames_operator_id_station_id_received_at ON frames (operator_id, station_id, received_at);

CREATE INDEX ix_payments_operator_id_customer_id_payment_id ON payments (operator_id, customer_id, payment_id);

CREATE INDEX ix_payments_operator_id_invoice_id ON payments (operator_id, invoice_id);

CREATE INDEX ix_payments_operator_id_session_id ON payments (operator_id, session_id);

CREATE INDEX ix_payments_operator_id_state_payment_id ON payments (operator_id, state, payment_id);

CREATE UNIQUE INDEX uq_payments_driver_secret ON payments (operator_id, driver_secret) WHERE driver_secret IS NOT NULL;

CREATE UNIQUE INDEX uq_payments_provider_ref ON payments (operator_id, account_id, provider_ref) WHERE provider_ref IS NOT NULL;

CREATE INDEX ix_station_facts_operator_id_session_id ON station_facts (operator_id, session_id);

CREATE INDEX ix_allocations_operator_id_payment_id ON allocations (operator_id, payment_id);

CREATE INDEX ix_allocations_operator_id_target_target_id ON allocations (operator_id, target, target_id);

CREATE INDEX ix_connector_states_operator_id_evse_id_occurred_at ON connector_states (operator_id, evse_id, occurred_at);

CREATE INDEX ix_rated_results_operator_id_session_id ON rated_results (operator_id, session_id);

CREATE UNIQUE INDEX uq_rated_results_superseded ON rated_results (operator_id, supersedes) WHERE supersedes IS NOT NULL;

CREATE INDEX ix_sessions_operator_id_booked_at ON sessions (operator_id, booked_at);

CREATE INDEX ix_sessions_operator_id_driver_secret ON sessions (operator_id, driver_secret);

CREATE INDEX ix_sessions_operator_id_evse_id_started_at_session_id ON sessions (operator_id, evse_id, started_at, session_id);

CREATE INDEX ix_sessions_operator_id_evse_id_state ON sessions (operator_id, evse_id, state);

CREATE INDEX ix_sessions_operator_id_payer_id_session_id ON sessions (operator_id, payer_id, session_id);

CREATE INDEX ix_sessions_operator_id_state_session_id ON sessions (operator_id, state, session_id);

CREATE INDEX ix_sessions_operator_id_station_id_session_id ON sessions (operator_id, station_id, session_id);

CREATE INDEX ix_sessions_operator_id_token_uid_session_id ON sessions (operator_id, token_uid, session_id);

CREATE UNIQUE INDEX uq_sessions_transaction ON sessions (operator_id, station_id, transaction_id) WHERE transaction_id IS NOT NULL;

CREATE UNIQUE INDEX uq_sessions_upstream ON sessions (operator_id, source, upstream_id) WHERE upstream_id IS NOT NULL;

CREATE INDEX ix_invoices_operator_id_payer_payer_id_issued_at ON invoices (operator_id, payer, payer_id, issued_at);

CREATE INDEX ix_invoices_operator_id_session_id ON invoices (operator_id, session_id);

CREATE INDEX ix_people_email_folded ON people (email_folded);

CREATE INDEX ix_memberships_operator_id_role ON memberships (operator_id, role);

CREATE INDEX ix_invitations_operator_id_email_folded ON invitations (operator_id, email_folded);

CREATE UNIQUE INDEX uq_invitations_secret_hash ON invitations (secret_hash);

CREATE INDEX ix_console_sessions_operator_id_person_id ON console_sessions (operator_id, person_id);

CREATE INDEX ix_console_sessions_operator_id_membership_id ON console_sessions (operator_id, membership_id);

CREATE INDEX ix_sessions_operator_id_source_session_id ON sessions (operator_id, source, session_id);

CREATE INDEX ix_sessions_operator_id_payer_session_id ON sessions (operator_id, payer, session_id);

CREATE INDEX ix_sessions_operator_id_started_at_session_id ON sessions (operator_id, started_at, session_id);

CREATE INDEX ix_inbox_operator_id_state_kind_item_id ON inbox (operator_id, state, kind, item_id);

CREATE INDEX ix_payments_operator_id_kind_payment_id ON payments (operator_id, kind, payment_id);

CREATE INDEX ix_payments_operator_id_created_at_payment_id ON payments (operator_id, created_at, payment_id);

CREATE INDEX ix_invoices_operator_id_payer_id_invoice_id ON invoices (operator_id, payer_id, invoice_id);

CREATE INDEX ix_invoices_operator_id_issued_at_invoice_id ON invoices (operator_id, issued_at, invoice_id);

CREATE INDEX ix_customer_details_operator_id_email ON customer_details (operator_id, email);

CREATE INDEX ix_tokens_operator_id_state_token_id ON tokens (operator_id, state, token_id);

CREATE INDEX ix_actions_operator_id_recorded_at_action_id ON actions (operator_id, recorded_at, action_id);

CREATE INDEX ix_actions_operator_id_subject_id_recorded_at_action_id ON actions (operator_id, subject_id, recorded_at, action_id);

CREATE INDEX ix_jobs_operator_id_state_job_id ON jobs (operator_id, state, job_id);

CREATE INDEX ix_stations_operator_id_state_identity ON stations (operator_id, state, identity);

CREATE INDEX ix_stations_operator_id_location_id_identity ON stations (operator_id, location_id, identity);

CREATE INDEX ix_tariff_versions_page ON tariff_versions (operator_id, reference, created_at, tariff_version_id);

CREATE INDEX ix_console_links_browser_hash ON console_links (browser_hash);

CREATE INDEX ix_console_links_operator_id_membership_id ON console_links (operator_id, membership_id);

CREATE INDEX ix_webhook_secrets_operator_id_endpoint_id ON webhook_secrets (operator_id, endpoint_id);

CREATE INDEX ix_webhook_deliveries_open ON webhook_deliveries (operator_id, endpoint_id, aggregate, aggregate_id, aggregate_version) WHERE state IN ('blocked', 'ready', 'sending');

CREATE INDEX ix_webhook_deliveries_operator_id_endpoint_id_state_due_at ON webhook_deliveries (operator_id, endpoint_id, state, due_at);

CREATE UNIQUE INDEX uq_webhook_deliveries_on_its_way ON webhook_deliveries (operator_id, endpoint_id, aggregate, aggregate_id) WHERE state IN ('ready', 'sending');

CREATE INDEX ix_webhook_attempts_operator_id_delivery_id ON webhook_attempts (operator_id, delivery_id);

CREATE INDEX ix_erasures_operator_id_customer_id ON erasures (operator_id, customer_id);

CREATE INDEX ix_passkeys_operator_id_person_id ON passkeys (operator_id, person_id);

CREATE UNIQUE INDEX uq_passkeys_credential_id ON passkeys (credential_id);

CREATE INDEX ix_challenges_expires_at ON challenges (expires_at);

CREATE INDEX ix_linked_identities_operator_id_person_id ON linked_identities (operator_id, person_id);

CREATE INDEX ix_webhook_deliveries_operator_id_message_id ON webhook_deliveries (operator_id, message_id);

CREATE INDEX ix_answered_requests_forget_at ON answered_requests (forget_at) WHERE key_id IS NOT NULL;

CREATE INDEX ix_imports_operator_id_state_import_id ON imports (operator_id, state, import_id);

CREATE INDEX ix_imports_operator_id_kind_import_id ON imports (operator_id, kind, import_id);

CREATE INDEX ix_import_rows_operator_id_import_id_outcome_line ON import_rows (operator_id, import_id, outcome, line);

CREATE INDEX ix_audits_operator_id_state_audit_id ON audits (operator_id, state, audit_id);

CREATE INDEX ix_actions_operator_id_caller_id_recorded_at_action_id ON actions (operator_id, caller_id, recorded_at, action_id);

CREATE INDEX ix_actions_operator_id_action_recorded_at_action_id ON actions (operator_id, action, recorded_at, action_id);

CREATE INDEX ix_station_commands_operator_id_payment_id ON station_commands (operator_id, payment_id);

CREATE INDEX ix_station_commands_operator_id_state_deadline_at ON station_commands (operator_id, state, deadline_at);

CREATE INDEX ix_station_commands_operator_id_station_id_requested_at ON station_commands (operator_id, station_id, requested_at);

CREATE INDEX ix_station_commands_operator_id_station_id_command_id ON station_commands (operator_id, station_id, command_id);

CREATE INDEX ix_station_commands_operator_id_state_command_id ON station_commands (operator_id, state, command_id);

CREATE INDEX ix_settlement_lines_operator_id_payment_id ON settlement_lines (operator_id, payment_id);

CREATE INDEX ix_settlement_lines_operator_id_account_id_payout_ref ON settlement_lines (operator_id, account_id, payout_ref);

CREATE INDEX ix_settlement_lines_operator_id_account_id_kind_said_at ON settlement_lines (operator_id, account_id, kind, said_at);

CREATE INDEX ix_settlement_lines_operator_id_said_at_line_ref ON settlement_lines (operator_id, said_at, line_ref);

CREATE INDEX ix_settlement_differences_operator_id_payment_id ON settlement_differences (operator_id, payment_id);

CREATE INDEX ix_settlement_differences_operator_id_state_difference_id ON settlement_differences (operator_id, state, difference_id);

CREATE INDEX ix_signature_verdicts_operator_id_serial_folded_energy_is_billable ON signature_verdicts (operator_id, serial_folded, energy_is_billable);

CREATE INDEX ix_signature_verdicts_operator_id_gateway_folded_energy_is_billable ON signature_verdicts (operator_id, gateway_folded, energy_is_billable);

CREATE INDEX ix_disputes_operator_id_payment_id ON disputes (operator_id, payment_id);

CREATE INDEX ix_disputes_operator_id_state_dispute_id ON disputes (operator_id, state, dispute_id);

CREATE INDEX ix_belongings_operator_id_customer_id ON belongings (operator_id, customer_id);

CREATE INDEX ix_belongings_operator_id_circle_id_belonging_id ON belongings (operator_id, circle_id, belonging_id);

CREATE INDEX ix_answered_requests_operator_id_created_at ON answered_requests (operator_id, created_at);

CREATE INDEX ix_market_prices_operator_id_starts_at_market_minutes_currency ON market_prices (operator_id, starts_at, market, minutes, currency);

CREATE INDEX ix_explanations_operator_id_session_id ON explanations (operator_id, session_id);

CREATE INDEX ix_explanations_operator_id_reason_explanation_id ON explanations (operator_id, reason, explanation_id);

CREATE UNIQUE INDEX uq_rated_results_first ON rated_results (operator_id, session_id) WHERE supersedes IS NULL AND credits IS NULL;

CREATE INDEX ix_resolution_rules_operator_id_kind ON resolution_rules (operator_id, kind);

CREATE INDEX ix_station_commands_operator_id_station_id_request_number ON station_commands (operator_id, station_id, request_number);

CREATE INDEX ix_security_events_operator_id_received_at_event_key ON security_events (operator_id, received_at, event_key);

CREATE INDEX ix_security_events_operator_id_station_id_received_at_event_key ON security_events (operator_id, station_id, received_at, event_key);

CREATE INDEX ix_station_certificates_operator_id_station_id_requested_at ON station_certificates (operator_id, station_id, requested_at);

CREATE INDEX ix_coupon_uses_operator_id_customer_id ON coupon_uses (operator_id, customer_id);

CREATE INDEX ix_coupon_uses_operator_id_offer_id ON coupon_uses (operator_id, offer_id);

CREATE INDEX ix_coupon_uses_operator_id_coupon_id_use_id ON coupon_uses (operator_id, coupon_id, use_id);

CREATE INDEX ix_message_chunks_operator_id_station_id_last_at_chunk_id ON message_chunks (operator_id, station_id, last_at, chunk_id);

CREATE INDEX ix_customer_holds_operator_id_customer_id_provider ON customer_holds (operator_id, customer_id, provider);

CREATE INDEX ix_customer_holds_operator_id_provider_state_due_on ON customer_holds (operator_id, provider, state, due_on);

CREATE INDEX ix_received_transfers_operator_id_customer_id_currency ON received_transfers (operator_id, customer_id, currency);

CREATE INDEX ix_transfer_parts_operator_id_transfer_id ON transfer_parts (operator_id, transfer_id);

CREATE INDEX ix_transfer_parts_operator_id_payment_id ON transfer_parts (operator_id, payment_id);

CREATE INDEX ix_customer_holds_live ON customer_holds (operator_id, customer_id, currency) WHERE provider = 'invoice' AND (state = 'held' OR taken_minor - returned_minor - settled_minor <> 0);

CREATE INDEX ix_received_transfers_left ON received_transfers (operator_id, customer_id, currency) WHERE left_minor > 0;

CREATE INDEX ix_debit_batches_operator_id_collect_on ON debit_batches (operator_id, collect_on);

CREATE INDEX ix_mandates_operator_id_customer_id ON mandates (operator_id, customer_id);

CREATE INDEX ix_mandates_operator_id_state_mandate_id ON mandates (operator_id, state, mandate_id);

CREATE UNIQUE INDEX uq_mandates_one_of_customer ON mandates (operator_id, customer_id) WHERE state != 'ended';

CREATE INDEX ix_debit_collections_operator_id_customer_id ON debit_collections (operator_id, customer_id);

CREATE INDEX ix_debit_collections_operator_id_line_id ON debit_collections (operator_id, line_id);

CREATE INDEX ix_debit_collections_operator_id_mandate_id ON debit_collections (operator_id, mandate_id);

CREATE INDEX ix_debit_parts_operator_id_payment_id ON debit_parts (operator_id, payment_id);

CREATE UNIQUE INDEX uq_debit_parts_open ON debit_parts (operator_id, payment_id) WHERE is_open = 1;

CREATE INDEX ix_station_notices_operator_id_received_at_notice_key ON station_notices (operator_id, received_at, notice_key);

CREATE INDEX ix_station_notices_operator_id_station_id_received_at_notice_key ON station_notices (operator_id, station_id, received_at, notice_key);

CREATE INDEX ix_told_prices_operator_id_command_id ON told_prices (operator_id, command_id);

CREATE INDEX ix_reservations_operator_id_station_id_is_watched ON reservations (operator_id, station_id, is_watched);

CREATE INDEX ix_reservations_operator_id_command_id ON reservations (operator_id, command_id);

CREATE INDEX ix_reservations_operator_id_cancel_command_id ON reservations (operator_id, cancel_command_id);

CREATE INDEX ix_reservations_operator_id_customer_id_reservation_id ON reservations (operator_id, customer_id, reservation_id);

CREATE INDEX ix_reservations_operator_id_station_id_reservation_id ON reservations (operator_id, station_id, reservation_id);

CREATE INDEX ix_reservations_operator_id_state_reservation_id ON reservations (operator_id, state, reservation_id);

CREATE INDEX ix_bank_lines_operator_id_state_booked_at_line_id ON bank_lines (operator_id, state, booked_at, line_id);

CREATE INDEX ix_bank_lines_operator_id_booked_at_line_id ON bank_lines (operator_id, booked_at, line_id);

CREATE INDEX ix_told_tariffs_operator_id_station_id_session_id ON told_tariffs (operator_id, station_id, session_id);

CREATE INDEX ix_told_tariffs_operator_id_command_id ON told_tariffs (operator_id, command_id);

CREATE INDEX ix_told_tariffs_operator_id_session_id ON told_tariffs (operator_id, session_id);

CREATE INDEX ix_corrected_sessions_operator_id_invoice_id ON corrected_sessions (operator_id, invoice_id);

CREATE INDEX ix_corrected_sessions_operator_id_correction_id_outcome_session_id ON corrected_sessions (operator_id, correction_id, outcome, session_id);

CREATE INDEX ix_corrected_sessions_operator_id_session_id ON corrected_sessions (operator_id, session_id);

CREATE INDEX ix_readers_operator_id_location_id ON readers (operator_id, location_id);

CREATE UNIQUE INDEX uq_readers_in_use ON readers (operator_id, account_id, reader_ref) WHERE removed_at IS NULL;

CREATE UNIQUE INDEX uq_payments_at_reader ON payments (operator_id, reader_id) WHERE reader_id IS NOT NULL AND state IN ('created', 'prepared', 'requires_action');

CREATE INDEX ix_operations_operator_id_payment_id ON operations (operator_id, payment_id);

CREATE INDEX ix_operations_operator_id_state ON operations (operator_id, state);

CREATE UNIQUE INDEX uq_operations_unresolved ON operations (operator_id, payment_id) WHERE state IN ('intended', 'unknown', 'pending');

CREATE INDEX ix_station_commands_told ON station_commands (operator_id, station_id, command_id) WHERE name IN ('SetChargingProfile', 'ClearChargingProfile', 'GetCompositeSchedule', 'GetChargingProfiles', 'SetDisplayMessage', 'ClearDisplayMessage', 'GetDisplayMessages');

CREATE INDEX ix_station_commands_routine ON station_commands (operator_id, command_id) WHERE name IN ('CostUpdated', 'DataTransfer', 'GetConfiguration', 'GetVariables', 'GetLocalListVersion', 'GetTariffs');

CREATE INDEX ix_told_costs_differ ON told_costs (operator_id, session_id) WHERE rated_id IS NOT NULL AND (difference_minor IS NULL OR difference_minor <> 0);

CREATE INDEX ix_station_commands_monitors ON station_commands (operator_id, station_id, requested_at) WHERE name IN ('GetMonitoringReport', 'SetVariableMonitoring');

CREATE INDEX ix_approvals_operator_id_subject_id_approval_id ON approvals (operator_id, subject_id, approval_id);

CREATE INDEX ix_approvals_operator_id_state_approval_id ON approvals (operator_id, state, approval_id);

CREATE INDEX ix_bank_lines_operator_id_state_amount_minor ON bank_lines (operator_id, state, amount_minor);

CREATE INDEX ix_bank_lines_transfer ON bank_lines (operator_id, transfer_id) WHERE transfer_id IS NOT NULL;

CREATE INDEX ix_bank_lines_under_way ON bank_lines (operator_id, batch_id) WHERE under_way IS NOT NULL;

INSERT INTO alembic_version ("version_num") VALUES ('0065');

INSERT INTO sequencer ("name", "last_position") VALUES ('events', 0)
