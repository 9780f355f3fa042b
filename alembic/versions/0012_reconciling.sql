CREATE TABLE reconciliations (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	since TIMESTAMP WITH TIME ZONE NOT NULL, 
	until TIMESTAMP WITH TIME ZONE NOT NULL, 
	stage TEXT NOT NULL, 
	cursor TEXT, 
	looked_at BIGINT NOT NULL, 
	fetched BIGINT NOT NULL, 
	repaired BIGINT NOT NULL, 
	filed BIGINT NOT NULL, 
	begun_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	finished_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT reconciliations_pkey PRIMARY KEY (id), 
	CONSTRAINT reconciliations_stage CHECK (stage in ('messages', 'payments', 'refunds', 'movements', 'our_payments', 'our_refunds', 'done')), 
	CONSTRAINT reconciliations_stretch CHECK (since < until), 
	CONSTRAINT reconciliations_done_when_finished CHECK ((stage = 'done') = (finished_at is not null))
);

CREATE INDEX reconciliations_newest ON reconciliations USING btree (begun_at, id);

CREATE UNIQUE INDEX reconciliations_one_under_way ON reconciliations (gateway, since, until) WHERE finished_at is null;

CREATE TABLE discrepancies (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	about TEXT NOT NULL, 
	gateway_ref TEXT NOT NULL, 
	payment_id UUID, 
	said TEXT NOT NULL, 
	found_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	closed_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT discrepancies_pkey PRIMARY KEY (id), 
	CONSTRAINT discrepancies_payment FOREIGN KEY(payment_id) REFERENCES payments (id), 
	CONSTRAINT discrepancies_filed_once UNIQUE (gateway, about, gateway_ref, kind, said), 
	CONSTRAINT discrepancies_kind CHECK (kind in ('stranger', 'missing', 'disagrees', 'unbooked')), 
	CONSTRAINT discrepancies_closed_by_somebody CHECK ((closed_at is null) = (closed_by = '' and reason = ''))
);

CREATE INDEX discrepancies_newest ON discrepancies USING btree (found_at, id);

CREATE INDEX discrepancies_of_payment ON discrepancies USING btree (payment_id);

alter table reconciliations enable row level security;

revoke all on reconciliations from anon, authenticated, service_role, public;

grant select, insert, update, delete on reconciliations to service_role;

create policy reconciliations_house on reconciliations to service_role using (true) with check (true);

grant select (id, version, gateway, since, until, stage, looked_at, fetched, repaired, filed, begun_at, finished_at) on reconciliations to authenticated;

create policy reconciliations_authenticated on reconciliations for select to authenticated using ((select is_admin()));

alter table discrepancies enable row level security;

revoke all on discrepancies from anon, authenticated, service_role, public;

grant select, insert, update, delete on discrepancies to service_role;

create policy discrepancies_house on discrepancies to service_role using (true) with check (true);

grant select (id, version, gateway, kind, about, gateway_ref, payment_id, said, found_at, closed_at, closed_by, reason) on discrepancies to authenticated;

create policy discrepancies_authenticated on discrepancies for select to authenticated using ((select is_admin()));
