-- What a policy may ask of other tables. Each runs as service_role, returns an array, and is asked once per statement.
create or replace function my_organizations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.organization_id), '{}') from public.memberships m where m.user_id = public.current_user_id()
$$;

create or replace function my_managed_organizations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.organization_id), '{}') from public.memberships m
  where m.user_id = public.current_user_id() and m.role in ('owner', 'manager')
$$;

create or replace function my_conversations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(p.conversation_id), '{}') from public.participants p where p.user_id = public.current_user_id()
$$;

create or replace function is_admin() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.users u where u.id = public.current_user_id() and u.role = 'admin' and u.suspended_at is null
  )
$$;
