-- What policies ask: who is there, and what is theirs in other tables. Each runs as service_role and is asked once per
-- statement. In plpgsql, because that keeps its plans, while a function in SQL is planned anew by every statement.

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

-- Whom the token names, as long as they are welcome: who is suspended, or has ended the session of the token, is nobody.
create or replace function welcome_user_id() returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare
  me uuid := public.current_user_id();
  session uuid := public.current_session_id();
begin
  if me is null then return null; end if;
  return (
    select u.id from public.users u
    where u.id = me and u.suspended_at is null and (session is null or exists (
      select from public.sessions s
      where s.id = session and s.user_id = me and s.revoked_at is null and s.epoch = u.epoch
    ))
  );
end $$;

create or replace function my_organizations() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return array(select m.organization_id from public.memberships m where m.user_id = me);
end $$;

create or replace function my_managed_organizations() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return array(
    select m.organization_id from public.memberships m where m.user_id = me and m.role in ('owner', 'manager')
  );
end $$;

create or replace function my_conversations() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return array(select p.conversation_id from public.participants p where p.user_id = me);
end $$;

create or replace function my_address() returns text
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return (select u.email from public.users u where u.id = me and u.email_verified_at is not null);
end $$;

create or replace function is_admin() returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return exists (select from public.users u where u.id = me and u.role = 'admin');
end $$;
