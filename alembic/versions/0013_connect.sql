-- Every entry of the ledger says whose books it is in, and is sealed into a chain; balances follow from what is sealed.
-- Organizations may have accounts of their own at the gateway, that payments go to and payouts come from.
drop trigger ledger_append_only on ledger;

alter table ledger add column version bigint not null default 1;

alter table ledger alter column version drop default;

alter table ledger add column books text;

update ledger set books = case when starts_with(account, 'organization:') then 'organization' else 'platform' end;

alter table ledger alter column books set not null;

alter table ledger add column position bigint;

alter table ledger add column hash text;

alter table ledger add constraint ledger_position unique (position);

alter table ledger add constraint ledger_books check (books in ('platform', 'organization'));

alter table ledger add constraint ledger_account_is_in_its_books check ((books = 'organization') = starts_with(account, 'organization:' || organization_id || ':'));

alter table ledger add constraint ledger_first check (position >= 1);

alter table ledger add constraint ledger_sealed_whole check ((position is null) = (hash is null));

CREATE INDEX ledger_unsealed ON ledger USING btree (created_at, id) WHERE position is null;

grant update on ledger to service_role;

grant select (version, books, position, hash) on ledger to authenticated;

drop policy ledger_authenticated on ledger;

create policy ledger_authenticated on ledger for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

create trigger ledger_append_only before update or delete on ledger for each row execute function refuse_rewriting('position', 'hash');

CREATE TABLE balances (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	books TEXT NOT NULL, 
	organization_id UUID, 
	account TEXT NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT balances_pkey PRIMARY KEY (id), 
	CONSTRAINT balances_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT balances_once UNIQUE (account, amount_currency), 
	CONSTRAINT balances_books CHECK (books in ('platform', 'organization')), 
	CONSTRAINT balances_of_somebody CHECK ((books = 'organization') = (organization_id is not null))
);

CREATE INDEX balances_by_account ON balances USING btree (account, id);

CREATE INDEX balances_of_organization ON balances USING btree (organization_id, account, id);

alter table balances enable row level security;

revoke all on balances from anon, authenticated, service_role, public;

grant select, insert, update, delete on balances to service_role;

create policy balances_house on balances to service_role using (true) with check (true);

grant select (id, version, books, organization_id, account, amount_minor, amount_currency, position, updated_at) on balances to authenticated;

create policy balances_authenticated on balances for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table payments add column share jsonb;

alter table webhooks add column payee_ref text;

grant select (payee_ref) on webhooks to authenticated;

alter table webhooks drop constraint webhooks_topic;

alter table webhooks add constraint webhooks_topic check (topic in ('money', 'plans', 'payees', 'people'));

alter table ledger drop constraint ledger_source_kind;

alter table ledger add constraint ledger_source_kind check (source_kind in ('capture', 'refund', 'refund_returned', 'by_hand', 'transfer', 'fee', 'transfer_reversed', 'fee_returned', 'payout', 'payout_returned'));

alter table ledger drop constraint ledger_of_one_thing;

alter table ledger add constraint ledger_of_one_thing check (case when source_kind in ('payout', 'payout_returned') then booking_id is null and invoice_id is null and payment_id is null else (booking_id is null) <> (invoice_id is null) and (payment_id is null) = (source_kind = 'by_hand') end);

CREATE TABLE payees (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	organization_id UUID NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT, 
	state TEXT NOT NULL, 
	takes_charges BOOLEAN NOT NULL, 
	pays_out BOOLEAN NOT NULL, 
	wanted JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT payees_pkey PRIMARY KEY (id), 
	CONSTRAINT payees_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT payees_one_per_organization UNIQUE (organization_id, gateway), 
	CONSTRAINT payees_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT payees_state CHECK (state in ('onboarding', 'enabled', 'restricted', 'rejected'))
);

CREATE INDEX payees_newest ON payees USING btree (created_at, id);

CREATE TABLE payouts (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	payee_id UUID NOT NULL, 
	organization_id UUID NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	state TEXT NOT NULL, 
	failure TEXT NOT NULL, 
	arrives_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	settled_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT payouts_pkey PRIMARY KEY (id), 
	CONSTRAINT payouts_payee FOREIGN KEY(payee_id) REFERENCES payees (id), 
	CONSTRAINT payouts_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT payouts_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT payouts_state CHECK (state in ('pending', 'in_transit', 'paid', 'failed', 'cancelled'))
);

CREATE INDEX payouts_newest ON payouts USING btree (created_at, id);

CREATE INDEX payouts_of_organization ON payouts USING btree (organization_id, created_at, id);

CREATE INDEX payouts_of_payee ON payouts USING btree (payee_id);

alter table payees enable row level security;

revoke all on payees from anon, authenticated, service_role, public;

grant select, insert, update, delete on payees to service_role;

create policy payees_house on payees to service_role using (true) with check (true);

grant select (id, version, organization_id, gateway, gateway_ref, state, takes_charges, pays_out, wanted, created_at) on payees to authenticated;

create policy payees_authenticated on payees for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table payouts enable row level security;

revoke all on payouts from anon, authenticated, service_role, public;

grant select, insert, update, delete on payouts to service_role;

create policy payouts_house on payouts to service_role using (true) with check (true);

grant select (id, version, payee_id, organization_id, gateway, gateway_ref, amount_minor, amount_currency, state, failure, arrives_at, created_at, settled_at) on payouts to authenticated;

create policy payouts_authenticated on payouts for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));
