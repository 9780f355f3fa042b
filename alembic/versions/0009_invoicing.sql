-- Quotes and invoices. A payment is for a booking, or of an invoice; money received by hand is in the ledger too.

create or replace function my_address() returns text
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return (select u.email from public.users u where u.id = me and u.email_verified_at is not null);
end $$;

CREATE TABLE letterheads (
	id UUID NOT NULL,
	version BIGINT NOT NULL,
	seller JSONB NOT NULL,
	zone TEXT NOT NULL,
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT letterheads_pkey PRIMARY KEY (id),
	CONSTRAINT letterheads_organization FOREIGN KEY(id) REFERENCES organizations (id)
);

CREATE TABLE quotes (
	id UUID NOT NULL,
	version BIGINT NOT NULL,
	organization_id UUID NOT NULL,
	year BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	bill JSONB NOT NULL,
	total_minor BIGINT NOT NULL,
	total_currency TEXT NOT NULL,
	valid_days BIGINT NOT NULL,
	due_days BIGINT NOT NULL,
	state TEXT NOT NULL,
	sendings BIGINT NOT NULL,
	sent_at TIMESTAMP WITH TIME ZONE,
	expires_at TIMESTAMP WITH TIME ZONE,
	answered_at TIMESTAMP WITH TIME ZONE,
	answered_by TEXT NOT NULL,
	invoice_id UUID,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reader_id UUID,
	reader_email TEXT NOT NULL,
	CONSTRAINT quotes_pkey PRIMARY KEY (id),
	CONSTRAINT quotes_organization FOREIGN KEY(organization_id) REFERENCES organizations (id),
	CONSTRAINT quotes_number UNIQUE (organization_id, year, sequence),
	CONSTRAINT quotes_state CHECK (state in ('draft', 'sent', 'accepted', 'declined', 'expired')),
	CONSTRAINT quotes_first CHECK (sequence >= 1),
	CONSTRAINT quotes_total CHECK (total_minor >= 0),
	CONSTRAINT quotes_valid_days CHECK (valid_days >= 1),
	CONSTRAINT quotes_due_days CHECK (due_days >= 0),
	CONSTRAINT quotes_sendings CHECK (sendings >= 0),
	CONSTRAINT quotes_answered CHECK ((expires_at is null) = (state = 'draft') and (invoice_id is not null) = (state = 'accepted'))
);

CREATE INDEX quotes_by_organization ON quotes USING btree (organization_id, created_at, id);

CREATE INDEX quotes_newest ON quotes USING btree (created_at, id);

CREATE INDEX quotes_of_address ON quotes USING btree (reader_email, created_at, id);

CREATE INDEX quotes_of_reader ON quotes USING btree (reader_id, created_at, id);

CREATE TABLE invoices (
	id UUID NOT NULL,
	version BIGINT NOT NULL,
	organization_id UUID NOT NULL,
	booking_id UUID,
	quote_id UUID,
	paper_id UUID,
	bill JSONB NOT NULL,
	total_minor BIGINT NOT NULL,
	total_currency TEXT NOT NULL,
	due_days BIGINT NOT NULL,
	state TEXT NOT NULL,
	paid_minor BIGINT NOT NULL,
	paid_currency TEXT NOT NULL,
	paid_by_hand_minor BIGINT NOT NULL,
	paid_by_hand_currency TEXT NOT NULL,
	credited_minor BIGINT NOT NULL,
	credited_currency TEXT NOT NULL,
	credited_shares JSONB NOT NULL,
	issued_on DATE,
	due_on DATE,
	overdue BOOLEAN NOT NULL,
	sendings BIGINT NOT NULL,
	sent_at TIMESTAMP WITH TIME ZONE,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reader_id UUID,
	reader_email TEXT NOT NULL,
	CONSTRAINT invoices_pkey PRIMARY KEY (id),
	CONSTRAINT invoices_organization FOREIGN KEY(organization_id) REFERENCES organizations (id),
	CONSTRAINT invoices_booking FOREIGN KEY(booking_id) REFERENCES bookings (id),
	CONSTRAINT invoices_quote FOREIGN KEY(quote_id) REFERENCES quotes (id),
	CONSTRAINT invoices_one_per_quote UNIQUE (quote_id),
	CONSTRAINT invoices_state CHECK (state in ('draft', 'void', 'issued', 'partly_paid', 'paid', 'credited')),
	CONSTRAINT invoices_total CHECK (total_minor >= 0),
	CONSTRAINT invoices_due_days CHECK (due_days >= 0),
	CONSTRAINT invoices_sendings CHECK (sendings >= 0),
	CONSTRAINT invoices_credited_within_total CHECK (credited_minor between 0 and total_minor),
	CONSTRAINT invoices_paid_by_hand_within_paid CHECK (paid_by_hand_minor between 0 and paid_minor),
	CONSTRAINT invoices_state_says_the_figures CHECK (case state when 'draft' then paid_minor = 0 and credited_minor = 0 when 'void' then paid_minor = 0 and credited_minor = 0 when 'issued' then paid_minor = 0 and credited_minor < total_minor when 'partly_paid' then paid_minor > 0 and paid_minor + credited_minor < total_minor when 'paid' then paid_minor > 0 and paid_minor + credited_minor >= total_minor else paid_minor = 0 and credited_minor = total_minor end),
	CONSTRAINT invoices_dated_when_issued CHECK ((issued_on is null) = (state in ('draft', 'void')) and (due_on is null) = (state in ('draft', 'void')) and (paper_id is null) = (state in ('draft', 'void'))),
	CONSTRAINT invoices_overdue_while_open CHECK (not overdue or state in ('issued', 'partly_paid')),
	CONSTRAINT invoices_one_currency CHECK (paid_currency = total_currency and paid_by_hand_currency = total_currency and credited_currency = total_currency)
);

CREATE INDEX invoices_by_organization ON invoices USING btree (organization_id, created_at, id);

CREATE INDEX invoices_newest ON invoices USING btree (created_at, id);

CREATE INDEX invoices_of_address ON invoices USING btree (reader_email, created_at, id);

CREATE INDEX invoices_of_booking ON invoices USING btree (booking_id);

CREATE INDEX invoices_of_reader ON invoices USING btree (reader_id, created_at, id);

CREATE UNIQUE INDEX invoices_one_per_booking ON invoices (booking_id) WHERE state <> 'void';

CREATE TABLE papers (
	id UUID NOT NULL,
	version BIGINT NOT NULL,
	kind TEXT NOT NULL,
	invoice_id UUID NOT NULL,
	organization_id UUID NOT NULL,
	year BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	seller JSONB NOT NULL,
	bill JSONB NOT NULL,
	shares JSONB NOT NULL,
	total_minor BIGINT NOT NULL,
	total_currency TEXT NOT NULL,
	issued_on DATE NOT NULL,
	due_on DATE,
	corrects TEXT NOT NULL,
	reason TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reader_id UUID,
	reader_email TEXT NOT NULL,
	CONSTRAINT papers_pkey PRIMARY KEY (id),
	CONSTRAINT papers_invoice FOREIGN KEY(invoice_id) REFERENCES invoices (id),
	CONSTRAINT papers_organization FOREIGN KEY(organization_id) REFERENCES organizations (id),
	CONSTRAINT papers_number UNIQUE (organization_id, kind, year, sequence),
	CONSTRAINT papers_kind CHECK (kind in ('invoice', 'credit_note')),
	CONSTRAINT papers_first CHECK (sequence >= 1),
	CONSTRAINT papers_total CHECK (total_minor >= 1)
);

CREATE INDEX papers_by_organization ON papers USING btree (organization_id, created_at, id);

CREATE INDEX papers_newest ON papers USING btree (created_at, id);

CREATE INDEX papers_of_invoice ON papers USING btree (invoice_id, created_at, id);

CREATE UNIQUE INDEX papers_one_per_invoice ON papers (invoice_id) WHERE kind = 'invoice';

alter table payments alter column booking_id drop not null;

alter table payments alter column customer_id drop not null;

alter table payments add column invoice_id uuid;

alter table payments add constraint payments_invoice foreign key (invoice_id) references invoices (id);

alter table payments add constraint payments_of_one_thing check ((booking_id is null) <> (invoice_id is null) and (booking_id is null or customer_id is not null));

grant select (invoice_id) on payments to authenticated;

CREATE INDEX payments_of_invoice ON payments USING btree (invoice_id, created_at, id);

CREATE UNIQUE INDEX payments_one_live_per_invoice ON payments (invoice_id) WHERE state not in ('captured', 'cancelled');

alter table refunds alter column booking_id drop not null;

alter table refunds alter column customer_id drop not null;

alter table refunds add column invoice_id uuid;

alter table refunds add constraint refunds_invoice foreign key (invoice_id) references invoices (id);

alter table refunds add constraint refunds_of_one_thing check ((booking_id is null) <> (invoice_id is null) and (booking_id is null or customer_id is not null));

grant select (invoice_id) on refunds to authenticated;

CREATE INDEX refunds_of_invoice ON refunds USING btree (invoice_id, created_at, id);

alter table ledger alter column payment_id drop not null;

alter table ledger alter column booking_id drop not null;

alter table ledger add column invoice_id uuid;

alter table ledger add constraint ledger_invoice foreign key (invoice_id) references invoices (id);

CREATE INDEX ledger_of_invoice ON ledger USING btree (invoice_id, created_at, id);

alter table ledger drop constraint ledger_source_kind;

alter table ledger add constraint ledger_source_kind check (source_kind in ('capture', 'refund', 'refund_returned', 'by_hand'));

alter table ledger add constraint ledger_of_one_thing check ((booking_id is null) <> (invoice_id is null) and (payment_id is null) = (source_kind = 'by_hand'));

grant select (invoice_id) on ledger to authenticated;

alter table mails drop constraint mails_template;

alter table mails add constraint mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'account_invite', 'address_change', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message', 'quote', 'invoice', 'invoice_reminder', 'invoice_receipt', 'credit_note'));

CREATE TABLE settlements (
	id UUID NOT NULL,
	invoice_id UUID NOT NULL,
	organization_id UUID NOT NULL,
	kind TEXT NOT NULL,
	source TEXT NOT NULL,
	amount_minor BIGINT NOT NULL,
	amount_currency TEXT NOT NULL,
	payment_id UUID,
	reason TEXT NOT NULL,
	received_on DATE NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT settlements_pkey PRIMARY KEY (id),
	CONSTRAINT settlements_invoice FOREIGN KEY(invoice_id) REFERENCES invoices (id),
	CONSTRAINT settlements_organization FOREIGN KEY(organization_id) REFERENCES organizations (id),
	CONSTRAINT settlements_payment FOREIGN KEY(payment_id) REFERENCES payments (id),
	CONSTRAINT settlements_once UNIQUE (source),
	CONSTRAINT settlements_kind CHECK (kind in ('gateway', 'booking', 'by_hand', 'refund', 'refund_returned')),
	CONSTRAINT settlements_move_something CHECK (amount_minor <> 0)
);

CREATE INDEX settlements_by_organization ON settlements USING btree (organization_id, created_at, id);

CREATE INDEX settlements_of_invoice ON settlements USING btree (invoice_id, created_at, id);

CREATE INDEX settlements_of_payment ON settlements USING btree (payment_id);

create view invoice_cards with (security_invoker = true) as select b.id, b.version, b.organization_id, b.booking_id, b.quote_id, b.paper_id, b.bill, b.total_minor, b.total_currency, b.due_days, b.state, b.paid_minor, b.paid_currency, b.paid_by_hand_minor, b.paid_by_hand_currency, b.credited_minor, b.credited_currency, b.credited_shares, b.issued_on, b.due_on, b.overdue, b.sendings, b.sent_at, b.created_at, b.reader_id, b.reader_email, j0.year as year, j0.sequence as sequence from invoices b left join papers j0 on j0.id = b.paper_id;

revoke all on invoice_cards from anon, authenticated, service_role, public;

grant select on invoice_cards to anon, authenticated, service_role;

grant create on schema public to service_role;

alter function my_address() owner to service_role;

revoke all on function my_address() from public;

grant execute on function my_address() to anon, authenticated, service_role;

revoke create on schema public from service_role;

alter table letterheads enable row level security;

revoke all on letterheads from anon, authenticated, service_role, public;

grant select, insert, update, delete on letterheads to service_role;

create policy letterheads_house on letterheads to service_role using (true) with check (true);

grant select (id, version, seller, zone, updated_at) on letterheads to authenticated;

create policy letterheads_authenticated on letterheads for select to authenticated using (id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table quotes enable row level security;

revoke all on quotes from anon, authenticated, service_role, public;

grant select, insert, update, delete on quotes to service_role;

create policy quotes_house on quotes to service_role using (true) with check (true);

grant select (id, version, organization_id, year, sequence, bill, total_minor, total_currency, valid_days, due_days, state, sendings, sent_at, expires_at, answered_at, answered_by, invoice_id, created_at, reader_id, reader_email) on quotes to authenticated;

create policy quotes_authenticated on quotes for select to authenticated using (reader_id = (select welcome_user_id()) or reader_email = (select my_address()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table invoices enable row level security;

revoke all on invoices from anon, authenticated, service_role, public;

grant select, insert, update, delete on invoices to service_role;

create policy invoices_house on invoices to service_role using (true) with check (true);

grant select (id, version, organization_id, booking_id, quote_id, paper_id, bill, total_minor, total_currency, due_days, state, paid_minor, paid_currency, paid_by_hand_minor, paid_by_hand_currency, credited_minor, credited_currency, credited_shares, issued_on, due_on, overdue, sendings, sent_at, created_at, reader_id, reader_email) on invoices to authenticated;

create policy invoices_authenticated on invoices for select to authenticated using (reader_id = (select welcome_user_id()) or reader_email = (select my_address()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table papers enable row level security;

revoke all on papers from anon, authenticated, service_role, public;

grant select, insert on papers to service_role;

create policy papers_house on papers to service_role using (true) with check (true);

grant select (id, version, kind, invoice_id, organization_id, year, sequence, seller, bill, shares, total_minor, total_currency, issued_on, due_on, corrects, reason, created_at, reader_id, reader_email) on papers to authenticated;

create policy papers_authenticated on papers for select to authenticated using (reader_id = (select welcome_user_id()) or reader_email = (select my_address()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

create trigger papers_append_only before update or delete on papers for each row execute function refuse_rewriting();

alter table settlements enable row level security;

revoke all on settlements from anon, authenticated, service_role, public;

grant select, insert on settlements to service_role;

create policy settlements_house on settlements to service_role using (true) with check (true);

grant select (id, invoice_id, organization_id, kind, source, amount_minor, amount_currency, payment_id, reason, received_on, created_at) on settlements to authenticated;

create policy settlements_authenticated on settlements for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

create trigger settlements_append_only before update or delete on settlements for each row execute function refuse_rewriting();
