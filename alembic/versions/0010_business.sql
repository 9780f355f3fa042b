alter table audit add column organization_id UUID;

CREATE INDEX audit_of_organization ON audit USING btree (organization_id, at, id);

alter table organizations add column profession TEXT NOT NULL default '';

alter table organizations alter column profession drop default;

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

alter table mails add CONSTRAINT mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'invitation', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message'));

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

grant select (id, version, at, actor, action, subject_table, subject_id, subject_version, details, position, hash, organization_id) on audit to authenticated;

drop policy audit_authenticated on audit;

create policy audit_authenticated on audit for select to authenticated using (organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));
