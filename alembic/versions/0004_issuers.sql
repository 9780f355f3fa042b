alter table users alter column email drop not null;

CREATE TABLE external_identities (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID NOT NULL, 
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	email TEXT, 
	email_verified BOOLEAN NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	told_at TIMESTAMP WITH TIME ZONE, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT external_identities_pkey PRIMARY KEY (id), 
	CONSTRAINT external_identities_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT external_identities_subject UNIQUE (issuer, subject), 
	CONSTRAINT external_identities_origin CHECK (origin in ('first_sight', 'signed_in', 'verified_email', 'operator')), 
	CONSTRAINT external_identities_verified CHECK (email is not null or not email_verified)
);

CREATE INDEX external_identities_of_user ON external_identities USING btree (user_id, created_at, id);

-- Who the bearer of another issuer's token is here: by issuer and subject, whatever a subject looks like; nobody once the
-- issuer closed the account, or we did. It takes no argument, so that nobody can ask who somebody else is.
create or replace function my_foreign_user_id() returns uuid
language sql stable security definer set search_path = '' as $$
  select e.user_id
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as said) as claims
  join public.external_identities e on e.issuer = claims.said ->> 'iss' and e.subject = claims.said ->> 'sub'
  join public.users u on u.id = e.user_id
  where e.ended_at is null and u.suspended_at is null
$$;

-- Who asks. Claims that we made ourselves (they name no issuer, or "guildhall") carry our own id; those of anybody else
-- their own. After a transaction the setting is '', not NULL.
create or replace function current_user_id() returns uuid
language sql stable set search_path = '' as $$
  select case
    when said is null then null
    when coalesce(said ->> 'iss', 'guildhall') <> 'guildhall' then public.my_foreign_user_id()
    when said ->> 'sub' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (said ->> 'sub')::uuid
  end
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as said) as claims
$$;

create view foreign_accounts with (security_invoker = true) as select b.id, b.user_id, b.issuer, b.subject, b.email, b.email_verified, b.last_seen_at, b.ended_at, j0.role as role, j0.suspended_at as suspended_at from external_identities b left join users j0 on j0.id = b.user_id;

revoke all on foreign_accounts from anon, authenticated, service_role, public;

grant select on foreign_accounts to service_role;

grant create on schema public to service_role;

alter function my_foreign_user_id() owner to service_role;

revoke all on function my_foreign_user_id() from public;

grant execute on function my_foreign_user_id() to anon, authenticated, service_role;

revoke create on schema public from service_role;

alter table external_identities enable row level security;

revoke all on external_identities from anon, authenticated, service_role, public;

grant select, insert, update, delete on external_identities to service_role;

create policy external_identities_house on external_identities to service_role using (true) with check (true);

grant select (id, version, user_id, issuer, subject, origin, email, email_verified, created_at, last_seen_at, told_at, ended_at) on external_identities to authenticated;

create policy external_identities_authenticated on external_identities for select to authenticated using (user_id = (select current_user_id()) or (select is_admin()));

-- Until now every message was about money.
alter table webhooks add column topic text not null default 'money';

alter table webhooks alter column topic drop default;

alter table webhooks add constraint webhooks_topic check (topic in ('money', 'people'));

grant select (topic) on webhooks to authenticated;
