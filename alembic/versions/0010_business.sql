alter table audit add column organization_id UUID;

CREATE INDEX audit_of_organization ON audit USING btree (organization_id, at, id);

alter table organizations add column profession TEXT NOT NULL default '';

alter table organizations alter column profession drop default;

CREATE TABLE prices (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	product_ref TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	currency TEXT NOT NULL, 
	amount_minor BIGINT, 
	type TEXT NOT NULL, 
	interval TEXT NOT NULL, 
	interval_count BIGINT NOT NULL, 
	nickname TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT prices_pkey PRIMARY KEY (id), 
	CONSTRAINT prices_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT prices_type CHECK (type in ('one_time', 'recurring'))
);

CREATE INDEX prices_oldest ON prices USING btree (gateway, created_at, id);

CREATE TABLE products (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	active BOOLEAN NOT NULL, 
	metadata JSONB NOT NULL, 
	features JSONB NOT NULL, 
	limits JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT products_pkey PRIMARY KEY (id), 
	CONSTRAINT products_gateway_ref UNIQUE (gateway, gateway_ref)
);

CREATE INDEX products_oldest ON products USING btree (gateway, created_at, id);

alter table webhooks drop constraint webhooks_topic;

alter table webhooks add column thing TEXT;

alter table webhooks add column thing_ref TEXT;

alter table webhooks add CONSTRAINT webhooks_topic CHECK (topic in ('money', 'plans', 'people'));

CREATE TABLE customers (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT customers_pkey PRIMARY KEY (id), 
	CONSTRAINT customers_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT customers_one_per_user UNIQUE (user_id, gateway), 
	CONSTRAINT customers_gateway_ref UNIQUE (gateway, gateway_ref)
);

CREATE TABLE invitations (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	organization_id UUID NOT NULL, 
	email TEXT NOT NULL, 
	role TEXT NOT NULL, 
	invited_by UUID, 
	token_hash TEXT NOT NULL, 
	state TEXT NOT NULL, 
	accepted_by UUID, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	answered_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT invitations_pkey PRIMARY KEY (id), 
	CONSTRAINT invitations_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT invitations_token UNIQUE (token_hash), 
	CONSTRAINT invitations_role CHECK (role in ('owner', 'manager', 'member')), 
	CONSTRAINT invitations_state CHECK (state in ('pending', 'accepted', 'declined', 'revoked', 'expired')), 
	CONSTRAINT invitations_answered_when_over CHECK ((state = 'pending') = (answered_at is null)), 
	CONSTRAINT invitations_accepted_by_somebody CHECK ((state = 'accepted') = (accepted_by is not null))
);

CREATE INDEX invitations_of_organization ON invitations USING btree (organization_id, created_at, id);

CREATE UNIQUE INDEX invitations_one_pending ON invitations (organization_id, email) WHERE state = 'pending';

alter table mails drop constraint mails_template;

alter table mails add CONSTRAINT mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'account_invite', 'address_change', 'invitation', 'business_ready', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message', 'quote', 'invoice', 'invoice_reminder', 'invoice_receipt', 'credit_note'));

CREATE TABLE onboardings (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	business JSONB, 
	profession JSONB, 
	place JSONB, 
	hours JSONB, 
	saved JSONB NOT NULL, 
	completed_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT onboardings_pkey PRIMARY KEY (id), 
	CONSTRAINT onboardings_organization FOREIGN KEY(id) REFERENCES organizations (id)
);

CREATE TABLE purchases (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT, 
	price_ref TEXT NOT NULL, 
	email TEXT NOT NULL, 
	organization_name TEXT NOT NULL, 
	profession TEXT NOT NULL, 
	user_id UUID, 
	organization_id UUID, 
	subscription_ref TEXT, 
	url TEXT, 
	state TEXT NOT NULL, 
	metadata JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	provisioned_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT purchases_pkey PRIMARY KEY (id), 
	CONSTRAINT purchases_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT purchases_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT purchases_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT purchases_state CHECK (state in ('requested', 'open', 'paying', 'failed', 'expired', 'provisioned')), 
	CONSTRAINT purchases_provisioned_when_so CHECK ((state = 'provisioned') = (provisioned_at is not null)), 
	CONSTRAINT purchases_provisioned_whole CHECK (state <> 'provisioned' or (user_id is not null and organization_id is not null))
);

CREATE INDEX purchases_newest ON purchases USING btree (created_at, id);

CREATE INDEX purchases_of_organization ON purchases USING btree (organization_id, created_at, id);

CREATE INDEX purchases_of_subscription ON purchases USING btree (gateway, subscription_ref);

CREATE INDEX purchases_of_user ON purchases USING btree (user_id, created_at, id);

CREATE TABLE subscriptions (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	organization_id UUID NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	customer_ref TEXT NOT NULL, 
	product_ref TEXT NOT NULL, 
	price_ref TEXT NOT NULL, 
	state TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	period_ends_at TIMESTAMP WITH TIME ZONE, 
	trial_ends_at TIMESTAMP WITH TIME ZONE, 
	ends_with_period BOOLEAN NOT NULL, 
	trial_told_for TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT subscriptions_pkey PRIMARY KEY (id), 
	CONSTRAINT subscriptions_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT subscriptions_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT subscriptions_state CHECK (state in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled', 'unknown'))
);

CREATE INDEX subscriptions_of_organization ON subscriptions USING btree (organization_id, created_at, id);

grant select (id, version, name, solo, owners, profession, created_at) on organizations to anon;

grant select (id, version, name, solo, owners, profession, created_at) on organizations to authenticated;

alter table invitations enable row level security;

revoke all on invitations from anon, authenticated, service_role, public;

grant select, insert, update, delete on invitations to service_role;

create policy invitations_house on invitations to service_role using (true) with check (true);

grant select (id, version, organization_id, email, role, invited_by, state, accepted_by, expires_at, answered_at, created_at) on invitations to authenticated;

create policy invitations_authenticated on invitations for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table onboardings enable row level security;

revoke all on onboardings from anon, authenticated, service_role, public;

grant select, insert, update, delete on onboardings to service_role;

create policy onboardings_house on onboardings to service_role using (true) with check (true);

grant select (id, version, business, profession, place, hours, saved, completed_at, created_at) on onboardings to authenticated;

create policy onboardings_authenticated on onboardings for select to authenticated using (id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table products enable row level security;

revoke all on products from anon, authenticated, service_role, public;

grant select, insert, update, delete on products to service_role;

create policy products_house on products to service_role using (true) with check (true);

grant select (id, version, gateway, gateway_ref, name, description, active, features, limits, created_at) on products to anon;

create policy products_anon on products for select to anon using (true);

grant select (id, version, gateway, gateway_ref, name, description, active, features, limits, created_at) on products to authenticated;

create policy products_authenticated on products for select to authenticated using (true);

alter table prices enable row level security;

revoke all on prices from anon, authenticated, service_role, public;

grant select, insert, update, delete on prices to service_role;

create policy prices_house on prices to service_role using (true) with check (true);

grant select (id, version, gateway, gateway_ref, product_ref, active, currency, amount_minor, type, interval, interval_count, nickname, created_at) on prices to anon;

create policy prices_anon on prices for select to anon using (true);

grant select (id, version, gateway, gateway_ref, product_ref, active, currency, amount_minor, type, interval, interval_count, nickname, created_at) on prices to authenticated;

create policy prices_authenticated on prices for select to authenticated using (true);

alter table customers enable row level security;

revoke all on customers from anon, authenticated, service_role, public;

grant select, insert, update, delete on customers to service_role;

create policy customers_house on customers to service_role using (true) with check (true);

grant select (id, version, user_id, gateway, gateway_ref, created_at) on customers to authenticated;

create policy customers_authenticated on customers for select to authenticated using (user_id = (select welcome_user_id()) or (select is_admin()));

alter table subscriptions enable row level security;

revoke all on subscriptions from anon, authenticated, service_role, public;

grant select, insert, update, delete on subscriptions to service_role;

create policy subscriptions_house on subscriptions to service_role using (true) with check (true);

grant select (id, version, organization_id, gateway, gateway_ref, customer_ref, product_ref, price_ref, state, quantity, period_ends_at, trial_ends_at, ends_with_period, trial_told_for, created_at) on subscriptions to authenticated;

create policy subscriptions_authenticated on subscriptions for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table purchases enable row level security;

revoke all on purchases from anon, authenticated, service_role, public;

grant select, insert, update, delete on purchases to service_role;

create policy purchases_house on purchases to service_role using (true) with check (true);

grant select (id, version, gateway, gateway_ref, price_ref, email, organization_name, profession, user_id, organization_id, subscription_ref, state, created_at, provisioned_at) on purchases to authenticated;

create policy purchases_authenticated on purchases for select to authenticated using (user_id = (select welcome_user_id()) or (select is_admin()));

grant select (id, version, topic, sender, external_id, kind, payment_ref, refund_ref, thing, thing_ref, occurred_at, received_at, processed_at, outcome, note) on webhooks to authenticated;

grant select (id, version, at, actor, action, subject_table, subject_id, subject_version, details, position, hash, organization_id) on audit to authenticated;

drop policy audit_authenticated on audit;

create policy audit_authenticated on audit for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));
