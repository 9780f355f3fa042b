alter table one_time_tokens add column address text;

alter table one_time_tokens drop constraint one_time_tokens_purpose;

alter table one_time_tokens add CONSTRAINT one_time_tokens_purpose CHECK (purpose in ('verify_email', 'magic_link', 'reset_password', 'change_email'));

alter table mails drop constraint mails_template;

alter table mails add CONSTRAINT mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'account_invite', 'address_change', 'address_changed', 'invitation', 'business_ready', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message', 'quote', 'invoice', 'invoice_reminder', 'invoice_receipt', 'credit_note'));

CREATE TABLE external_organizations (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	organization_id UUID, 
	name TEXT NOT NULL, 
	founder TEXT, 
	members JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	told_at TIMESTAMP WITH TIME ZONE, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT external_organizations_pkey PRIMARY KEY (id), 
	CONSTRAINT external_organizations_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT external_organizations_subject UNIQUE (issuer, subject), 
	CONSTRAINT external_organizations_one_each UNIQUE (organization_id)
);

alter table external_organizations enable row level security;

revoke all on external_organizations from anon, authenticated, service_role, public;

grant select, insert, update, delete on external_organizations to service_role;

create policy external_organizations_house on external_organizations to service_role using (true) with check (true);

-- What our own access tokens name as their issuer: `guildhall migrate` writes down what GUILDHALL_TOKEN_ISSUER says.
create or replace function our_issuer() returns text
language sql stable set search_path = '' as $$ select 'guildhall'::text $$;

-- Who asks. Our own id is carried by claims that are ours alone: those the house itself asks with, of "guildhall", and
-- those of our own access tokens. Those of anybody else carry their own, whatever else they say. After a transaction the
-- setting is '', not NULL.
create or replace function current_user_id() returns uuid
language sql stable set search_path = '' as $$
  select case
    when said is null then null
    when coalesce(said ->> 'iss', '') not in ('guildhall', public.our_issuer()) then public.my_foreign_user_id()
    when said ->> 'sub' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (said ->> 'sub')::uuid
  end
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as said) as claims
$$;

-- The house that is left becomes that. One move at a time leaves from it; a house moved into earlier may leave again. Who
-- was rolled back has nothing more to say, also when it was on its way to say it: a mover that was killed is heard late.
create or replace function move_leave(move uuid, state text, at timestamptz, ranked text[]) returns void
language plpgsql volatile set search_path = '' as $$
declare mark record;
begin
  perform pg_advisory_xact_lock(hashtextextended('guildhall:move', 0));
  select * into mark from public.moves m where m.role = 'leaving' order by m.started_at desc, m.id desc limit 1;
  if mark.id is distinct from move and mark.state in ('watched', 'frozen', 'left') then
    raise exception 'another move leaves from here' using errcode = 'GH005';
  end if;
  if move_leave.state <> 'stayed' and exists (
    select from public.moves m where m.id = move and m.role = 'leaving' and m.state = 'stayed')
  then
    raise exception 'this move was given up' using errcode = 'GH007';
  end if;
  perform public.move_triggers(
    noting => move_leave.state in ('watched', 'frozen'), shut => move_leave.state in ('frozen', 'left'), ranked => ranked);
  insert into public.moves as m (id, version, role, origin, state, progress, lease_until, started_at, changed_at)
  values (move, 1, 'leaving', '', move_leave.state, '{}', null, at, at)
  on conflict (id) do update set version = m.version + 1, state = excluded.state, changed_at = excluded.changed_at;
end $$;
