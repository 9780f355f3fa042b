alter table jobs drop constraint jobs_terms;

alter table jobs add CONSTRAINT jobs_terms CHECK (terms in ('prepaid', 'authorised', 'free', 'later'));

alter table jobs drop constraint jobs_free_or_prepaid;

alter table jobs add CONSTRAINT jobs_free_or_prepaid CHECK ((terms <> 'free' or price_minor = 0) and (terms not in ('prepaid', 'authorised') or price_minor > 0));

alter table bookings drop constraint bookings_terms;

alter table bookings add CONSTRAINT bookings_terms CHECK (terms in ('prepaid', 'authorised', 'free', 'later'));

alter table bookings drop constraint bookings_confirmed_means;

alter table bookings add CONSTRAINT bookings_confirmed_means CHECK (state not in ('confirmed', 'completed', 'no_show') or paid or terms not in ('prepaid', 'authorised'));

alter table payments add column disputed_minor BIGINT NOT NULL default 0, add column disputed_currency TEXT NOT NULL default '', add column open_disputes BIGINT NOT NULL default 0, add column capture_later BOOLEAN NOT NULL default false, add column capturing_minor BIGINT, add column capturing_currency TEXT, add column authorised_until TIMESTAMP WITH TIME ZONE;

update payments set disputed_currency = amount_currency;

alter table payments alter column disputed_minor drop default, alter column disputed_currency drop default, alter column open_disputes drop default, alter column capture_later drop default;

alter table payments drop constraint payments_state;

alter table payments add CONSTRAINT payments_state CHECK (state in ('requested', 'unknown', 'open', 'requires_action', 'processing', 'failed', 'authorised', 'cancelled', 'captured'));

alter table payments drop constraint payments_one_currency;

alter table payments add CONSTRAINT payments_one_currency CHECK (captured_currency = amount_currency and refunding_currency = amount_currency and refunded_currency = amount_currency and disputed_currency = amount_currency and coalesce(capturing_currency, amount_currency) = amount_currency);

alter table payments add CONSTRAINT payments_disputed CHECK (disputed_minor >= 0);

alter table payments add CONSTRAINT payments_open_disputes CHECK (open_disputes >= 0);

alter table payments add CONSTRAINT payments_set_aside_on_purpose CHECK (capture_later or (state <> 'authorised' and capturing_minor is null));

alter table payments add CONSTRAINT payments_capturing_within_amount CHECK (capturing_minor between 1 and amount_minor);

alter table ledger drop constraint ledger_source_kind;

alter table ledger add CONSTRAINT ledger_source_kind CHECK (source_kind in ('capture', 'refund', 'refund_returned', 'dispute', 'dispute_returned', 'dispute_fee', 'dispute_fee_returned', 'by_hand', 'transfer', 'fee', 'transfer_reversed', 'fee_returned', 'payout', 'payout_returned'));

CREATE TABLE payment_methods (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	brand TEXT NOT NULL, 
	last4 TEXT NOT NULL, 
	exp_month BIGINT NOT NULL, 
	exp_year BIGINT NOT NULL, 
	preferred_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT payment_methods_pkey PRIMARY KEY (id), 
	CONSTRAINT payment_methods_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT payment_methods_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT payment_methods_end_in_a_month CHECK (exp_month between 1 and 12)
);

CREATE INDEX payment_methods_of_user ON payment_methods USING btree (user_id, preferred_at, id);

CREATE TABLE disputes (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	payment_id UUID NOT NULL, 
	booking_id UUID, 
	invoice_id UUID, 
	provider_id UUID, 
	organization_id UUID NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	taken_minor BIGINT NOT NULL, 
	taken_currency TEXT NOT NULL, 
	returned_minor BIGINT NOT NULL, 
	returned_currency TEXT NOT NULL, 
	fee_minor BIGINT NOT NULL, 
	fee_currency TEXT NOT NULL, 
	fee_returned_minor BIGINT NOT NULL, 
	fee_returned_currency TEXT NOT NULL, 
	moves BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	due_at TIMESTAMP WITH TIME ZONE, 
	evidence JSONB NOT NULL, 
	evidence_file_id UUID, 
	submitting BOOLEAN NOT NULL, 
	submitted_at TIMESTAMP WITH TIME ZONE, 
	failure TEXT NOT NULL, 
	opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT disputes_pkey PRIMARY KEY (id), 
	CONSTRAINT disputes_payment FOREIGN KEY(payment_id) REFERENCES payments (id), 
	CONSTRAINT disputes_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT disputes_invoice FOREIGN KEY(invoice_id) REFERENCES invoices (id), 
	CONSTRAINT disputes_provider FOREIGN KEY(provider_id) REFERENCES users (id), 
	CONSTRAINT disputes_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT disputes_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT disputes_state CHECK (state in ('inquiry', 'needs_response', 'under_review', 'won', 'lost')), 
	CONSTRAINT disputes_amount CHECK (amount_minor >= 1), 
	CONSTRAINT disputes_returned_within_taken CHECK (returned_minor >= 0 and returned_minor <= taken_minor), 
	CONSTRAINT disputes_closed_when_decided CHECK ((state in ('won', 'lost')) = (closed_at is not null)), 
	CONSTRAINT disputes_answered_once CHECK (not submitting or submitted_at is null), 
	CONSTRAINT disputes_of_one_thing CHECK ((booking_id is null) <> (invoice_id is null))
);

CREATE INDEX disputes_newest ON disputes USING btree (created_at, id);

CREATE INDEX disputes_of_booking ON disputes USING btree (booking_id, created_at, id);

CREATE INDEX disputes_of_invoice ON disputes USING btree (invoice_id, created_at, id);

CREATE INDEX disputes_of_organization ON disputes USING btree (organization_id, created_at, id);

CREATE INDEX disputes_of_payment ON disputes USING btree (payment_id, created_at, id);

CREATE INDEX disputes_of_provider ON disputes USING btree (provider_id, created_at, id);

CREATE TABLE fraud_warnings (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	payment_id UUID NOT NULL, 
	booking_id UUID, 
	invoice_id UUID, 
	organization_id UUID NOT NULL, 
	reason TEXT NOT NULL, 
	actionable BOOLEAN NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	refund_id UUID, 
	warned_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT fraud_warnings_pkey PRIMARY KEY (id), 
	CONSTRAINT fraud_warnings_payment FOREIGN KEY(payment_id) REFERENCES payments (id), 
	CONSTRAINT fraud_warnings_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT fraud_warnings_invoice FOREIGN KEY(invoice_id) REFERENCES invoices (id), 
	CONSTRAINT fraud_warnings_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT fraud_warnings_refund FOREIGN KEY(refund_id) REFERENCES refunds (id), 
	CONSTRAINT fraud_warnings_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT fraud_warnings_of_one_thing CHECK ((booking_id is null) <> (invoice_id is null))
);

CREATE INDEX fraud_warnings_newest ON fraud_warnings USING btree (created_at, id);

CREATE INDEX fraud_warnings_of_booking ON fraud_warnings USING btree (booking_id);

CREATE INDEX fraud_warnings_of_invoice ON fraud_warnings USING btree (invoice_id);

CREATE INDEX fraud_warnings_of_organization ON fraud_warnings USING btree (organization_id, created_at, id);

CREATE INDEX fraud_warnings_of_payment ON fraud_warnings USING btree (payment_id, created_at, id);

CREATE INDEX fraud_warnings_of_refund ON fraud_warnings USING btree (refund_id);

grant select (id, version, booking_id, invoice_id, customer_id, organization_id, amount_minor, amount_currency, captured_minor, captured_currency, refunding_minor, refunding_currency, refunded_minor, refunded_currency, disputed_minor, disputed_currency, open_disputes, state, capture_later, capturing_minor, capturing_currency, authorised_until, attempt, gateway, gateway_ref, failure, created_at, captured_at) on payments to authenticated;

alter table disputes enable row level security;

revoke all on disputes from anon, authenticated, service_role, public;

grant select, insert, update, delete on disputes to service_role;

create policy disputes_house on disputes to service_role using (true) with check (true);

grant select (id, version, payment_id, booking_id, invoice_id, provider_id, organization_id, amount_minor, amount_currency, taken_minor, taken_currency, returned_minor, returned_currency, fee_minor, fee_currency, fee_returned_minor, fee_returned_currency, moves, state, reason, gateway, gateway_ref, due_at, evidence, evidence_file_id, submitting, submitted_at, failure, opened_at, closed_at, created_at) on disputes to authenticated;

create policy disputes_authenticated on disputes for select to authenticated using (provider_id = (select welcome_user_id()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table fraud_warnings enable row level security;

revoke all on fraud_warnings from anon, authenticated, service_role, public;

grant select, insert, update, delete on fraud_warnings to service_role;

create policy fraud_warnings_house on fraud_warnings to service_role using (true) with check (true);

grant select (id, version, payment_id, booking_id, invoice_id, organization_id, reason, actionable, gateway, gateway_ref, refund_id, warned_at, created_at) on fraud_warnings to authenticated;

create policy fraud_warnings_authenticated on fraud_warnings for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table payment_methods enable row level security;

revoke all on payment_methods from anon, authenticated, service_role, public;

grant select, insert, update, delete on payment_methods to service_role;

create policy payment_methods_house on payment_methods to service_role using (true) with check (true);

grant select (id, version, user_id, gateway, gateway_ref, brand, last4, exp_month, exp_year, preferred_at, created_at) on payment_methods to authenticated;

create policy payment_methods_authenticated on payment_methods for select to authenticated using (user_id = (select welcome_user_id()) or (select is_admin()));
