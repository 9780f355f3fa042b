-- Every entry of the ledger says whose books it is in, and is sealed into a chain; balances follow from what is sealed.
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

