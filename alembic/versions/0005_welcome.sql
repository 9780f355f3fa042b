-- The session a token of ours was issued for. Tokens of others name theirs in their own way, which is none of ours.
create or replace function current_session_id() returns uuid
language sql stable set search_path = '' as $$
  select case when claims.sid ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then claims.sid::uuid end
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sid' as sid) claims
$$;

-- What policies ask: who is there, and what is theirs in other tables. Each runs as service_role and is asked once per
-- statement. In plpgsql, because that keeps its plans, while a function in SQL is planned anew by every statement.

-- Who asks. Claims that we made ourselves carry our own id: they name no issuer, or "guildhall", or are those of our own
-- access tokens, which alone name a role of the database. Those of anybody else carry their own. After a transaction the
-- setting is '', not NULL.
create or replace function current_user_id() returns uuid
language sql stable set search_path = '' as $$
  select case
    when said is null then null
    when said ->> 'db_role' is null and coalesce(said ->> 'iss', 'guildhall') <> 'guildhall'
      then public.my_foreign_user_id()
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

create or replace function is_admin() returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare me uuid := public.welcome_user_id();
begin
  return exists (select from public.users u where u.id = me and u.role = 'admin');
end $$;

grant create on schema public to service_role;
alter function welcome_user_id() owner to service_role;
revoke create on schema public from service_role;
revoke all on function welcome_user_id() from public;
grant execute on function welcome_user_id() to anon, authenticated, service_role;

-- Every policy there is by now asks for the welcome user, whatever revision its table is from.
do $$
declare policy record;
begin
  for policy in
    select p.polname as name, p.polrelid::regclass as of, pg_get_expr(p.polqual, p.polrelid) as condition
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'public'::regnamespace and pg_get_expr(p.polqual, p.polrelid) like '%current_user_id()%'
  loop
    execute format(
      'alter policy %I on %s using (%s)', policy.name, policy.of,
      replace(policy.condition, 'current_user_id', 'welcome_user_id')
    );
  end loop;
end $$;

-- What an extension brings is not part of the API: it lives beside it, where Supabase keeps its own. Where somebody else
-- installed the extension, it is theirs to move.
create schema if not exists extensions;
do $$
begin
  if (select extnamespace from pg_extension where extname = 'btree_gist') = 'public'::regnamespace then
    alter extension btree_gist set schema extensions;
  end if;
exception when insufficient_privilege then
  raise notice 'btree_gist stays in public: %', sqlerrm;
end $$;

-- Every reference can be followed backwards without reading the whole table.
CREATE INDEX one_time_tokens_of_user ON one_time_tokens USING btree (user_id);
CREATE INDEX ledger_of_booking ON ledger USING btree (booking_id);
CREATE INDEX ledger_of_organization ON ledger USING btree (organization_id);
CREATE INDEX reviews_of_customer ON reviews USING btree (customer_id, created_at, id);
CREATE INDEX conversations_by_creator ON conversations USING btree (created_by);
CREATE INDEX messages_by_sender ON messages USING btree (sender_id);
CREATE INDEX mails_of_recipient ON mails USING btree (recipient_id);
