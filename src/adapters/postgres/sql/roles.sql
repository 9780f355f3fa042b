-- Roles live in the cluster, not in the database: made under one lock, tolerant of losing the race.
do $$
declare wanted text;
begin
  perform pg_advisory_xact_lock(hashtextextended('guildhall:roles', 0));
  foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'member') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
  if not exists (select from pg_roles where rolname = 'guildhall_app') then
    begin
      create role guildhall_app login noinherit;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  -- Where these roles are another's, as on Supabase, they are not the owner's to give: nobody logs in as guildhall_app
  -- there.
  begin
    grant anon, authenticated, service_role to guildhall_app;
  exception when unique_violation or insufficient_privilege then null;
  end;
end $$;

-- Where everything new is granted by default, as on Supabase, the mark that migrations leave is taken back as well; the
-- house may read it, to know which schema it works with.
do $$
begin
  if to_regclass('public.alembic_version') is not null then
    revoke all on public.alembic_version from anon, authenticated, service_role, public;
    grant select on public.alembic_version to service_role;
  end if;
end $$;
