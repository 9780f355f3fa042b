-- Moving a house: the same functions serve both ends, over a connection of ours or over PostgREST. All but the
-- triggers are for the house alone; those that change triggers run as the owner of the tables.

-- The tables that move: those with the house's policy. `shown` lists the columns that are stored, not computed.
create or replace function moved_tables() returns table (source text, key text, kind text, shown text, assigned text)
language sql stable set search_path = '' as $$
  select c.relname::text, k.attname::text, format_type(k.atttypid, k.atttypmod), n.shown, n.assigned
  from pg_catalog.pg_class c
  join pg_catalog.pg_policy p on p.polrelid = c.oid and p.polname = c.relname || '_house'
  join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
  join pg_catalog.pg_attribute k on k.attrelid = c.oid and k.attnum = i.indkey[0]
  cross join lateral (
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) as shown,
      string_agg(format('%1$I = excluded.%1$I', a.attname), ', ' order by a.attnum) as assigned
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  ) n
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not in ('moves', 'move_changes')
  order by c.relname
$$;

-- What the house says of itself. Its identity is that of the cluster and of the database in it.
create or replace function move_standing() returns jsonb
language plpgsql stable security definer set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; counted bigint; sizes jsonb = '{}'; revision text;
begin
  for t in select * from public.moved_tables() loop
    execute format('select count(*) from public.%I', t.source) into counted;
    sizes = sizes || jsonb_build_object(t.source, jsonb_build_object(
      'rows', counted, 'bytes', pg_total_relation_size(format('public.%I', t.source)::regclass)));
  end loop;
  select version_num into revision from public.alembic_version;
  return jsonb_build_object(
    'identity', (select md5(concat_ws(' ', c.system_identifier, d.oid))
                 from pg_control_system() c, pg_catalog.pg_database d where d.datname = current_database()),
    'revision', revision,
    'tables', sizes,
    'arriving', (select to_jsonb(m) from public.moves m where m.role = 'arriving' order by m.started_at desc, m.id desc limit 1),
    'leaving', (select to_jsonb(m) from public.moves m where m.role = 'leaving' order by m.started_at desc, m.id desc limit 1),
    'noted', (select count(*) from public.move_changes));
end $$;

-- The next rows after a key, as JSON, computed columns left out.
create or replace function move_batch(source text, after text, most bigint) returns jsonb
language plpgsql stable set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; found jsonb;
begin
  select * into strict t from public.moved_tables() m where m.source = move_batch.source;
  execute format(
    'select jsonb_build_object(''rows'', coalesce(jsonb_agg(to_jsonb(r) order by r.%2$I), ''[]''),
       ''last'', (array_agg(r.%2$I order by r.%2$I desc))[1])
     from (select %3$s from public.%1$I where $1 is null or %2$I > $1::%4$s order by %2$I limit $2) r',
    t.source, t.key, t.shown, t.kind) using after, most into found;
  return found;
end $$;

-- What has changed among the rows already copied, as it is at this one moment: `reached` names tables and, where one is
-- not copied to its end, the last key that is.
create or replace function move_news(reached jsonb, most bigint) returns jsonb
language plpgsql stable set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; noted uuid[]; keys text[]; loads jsonb = '{}'; seen jsonb = '[]'; come jsonb; here text[];
begin
  for t in select m.* from public.moved_tables() m where reached ? m.source
    and exists (select from public.move_changes c where c.source = m.source)
  loop
    execute format(
      'select array_agg(c.id), array_agg(distinct c.key) from (
         select id, key from public.move_changes
         where source = $1 and ($2 is null or key::%1$s <= $2::%1$s) limit $3) c', t.kind)
      using t.source, reached ->> t.source, most into noted, keys;
    continue when noted is null;
    execute format(
      'select coalesce(jsonb_agg(to_jsonb(r)), ''[]''), coalesce(array_agg(r.%2$I::text), ''{}'')
       from (select %3$s from public.%1$I where %2$I = any ($1::%4$s[])) r',
      t.source, t.key, t.shown, t.kind) using keys into come, here;
    seen = seen || to_jsonb(noted);
    loads = loads || jsonb_build_object(t.source, jsonb_build_object('rows', come, 'gone',
      (select coalesce(jsonb_agg(k), '[]') from unnest(keys) k where k <> all (here))));
  end loop;
  return jsonb_build_object('seen', seen, 'loads', loads, 'left', (select count(*) from public.move_changes));
end $$;

create or replace function move_forget(seen uuid[]) returns void
language sql volatile set search_path = '' as $$
  delete from public.move_changes where id = any (seen)
$$;

-- The next rows after a key, weighed together: equal rows weigh the same wherever they are, in whatever order.
create or replace function move_digest(source text, after text, most bigint) returns jsonb
language plpgsql stable set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; found jsonb;
begin
  select * into strict t from public.moved_tables() m where m.source = move_digest.source;
  execute format(
    'select jsonb_build_object(''rows'', count(*), ''last'', (array_agg(w.key order by w.key desc))[1],
       ''sum'', coalesce(sum((''x'' || left(w.hash, 16))::bit(64)::bigint), 0)::text)
     from (select r.%2$I as key, md5(to_jsonb(r)::text) as hash from (
       select %3$s from public.%1$I where $1 is null or %2$I > $1::%4$s order by %2$I limit $2) r) w',
    t.source, t.key, t.shown, t.kind) using after, most into found;
  return found;
end $$;

create or replace function move_digests(source text, after text, most bigint) returns jsonb
language plpgsql stable set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; found jsonb;
begin
  select * into strict t from public.moved_tables() m where m.source = move_digests.source;
  execute format(
    'select coalesce(jsonb_agg(jsonb_build_array(r.%2$I, md5(to_jsonb(r)::text)) order by r.%2$I), ''[]'') from (
       select %3$s from public.%1$I where $1 is null or %2$I > $1::%4$s order by %2$I limit $2) r',
    t.source, t.key, t.shown, t.kind) using after, most into found;
  return found;
end $$;

-- Notes which row has changed; what it has become is read when it is carried over.
create or replace function note_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare key text;
begin
  if tg_argv[0] = 'id' then
    if tg_op = 'DELETE' then key = old.id; else key = new.id; end if;
  elsif tg_op = 'DELETE' then
    key = to_jsonb(old) ->> tg_argv[0];
  else
    key = to_jsonb(new) ->> tg_argv[0];
  end if;
  insert into public.move_changes (id, version, source, key) values (gen_random_uuid(), 1, tg_table_name, key);
  return null;
end $$;

-- Nobody writes to a house that is shut, but the mover it is shut for.
create or replace function refuse_while_moving() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from public.moves m where m.role = 'arriving'
                 and m.id::text = current_setting('guildhall.moving', true)) then
    raise exception 'the house is being moved' using errcode = 'PT503';
  end if;
  return null;
end $$;

-- Making a trigger waits for every commit under way on its table; whoever waits behind it meets the trigger. Tables are
-- taken in the order in which commits take them, so that neither waits for the other for ever.
create or replace function move_triggers(noting boolean, shut boolean, ranked text[]) returns void
language plpgsql volatile security definer set search_path = '' set lock_timeout = '5s' as $$
declare t record;
begin
  for t in
    select m.*, format('public.%I', m.source)::regclass as of from public.moved_tables() m
    left join unnest(ranked) with ordinality as r (source, place) on r.source = m.source order by r.place, m.source
  loop
    if noting and not exists (select from pg_trigger g where g.tgrelid = t.of and g.tgname = 'move_noted') then
      execute format('create trigger move_noted after insert or update or delete on public.%I
        for each row execute function public.note_change(%L)', t.source, t.key);
    elsif not noting and exists (select from pg_trigger g where g.tgrelid = t.of and g.tgname = 'move_noted') then
      execute format('drop trigger move_noted on public.%I', t.source);
    end if;
    if shut and not exists (select from pg_trigger g where g.tgrelid = t.of and g.tgname = 'move_shut') then
      execute format('create trigger move_shut before insert or update or delete or truncate on public.%I
        for each statement execute function public.refuse_while_moving()', t.source);
    elsif not shut and exists (select from pg_trigger g where g.tgrelid = t.of and g.tgname = 'move_shut') then
      execute format('drop trigger move_shut on public.%I', t.source);
    end if;
  end loop;
  if not noting then
    delete from public.move_changes;
  end if;
end $$;

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

-- A mover takes the move up; null while another one holds it. What that one has in flight is waited for, and refused.
create or replace function move_open(move uuid, origin text, at timestamptz, until timestamptz, take_over boolean, ranked text[]) returns jsonb
language plpgsql volatile set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare journal public.moves;
begin
  perform pg_advisory_xact_lock(hashtextextended('guildhall:move', 0));
  select * into journal from public.moves m
  where m.role = 'arriving' and m.state not in ('cut_over', 'rolled_back', 'closed') and m.id <> move limit 1;
  if found then
    raise exception 'another move arrives here' using errcode = 'GH005';
  end if;
  select * into journal from public.moves m where m.id = move for update;
  if not found then
    insert into public.moves (id, version, role, origin, state, progress, lease_until, started_at, changed_at)
    values (move, 1, 'arriving', move_open.origin, 'planned', '{}', until, at, at) returning * into journal;
    perform public.move_triggers(noting => false, shut => true, ranked => ranked);
  elsif journal.lease_until > at and not take_over then
    return null;
  else
    update public.moves m set version = m.version + 1, lease_until = until, changed_at = at
    where m.id = move returning * into journal;
  end if;
  return to_jsonb(journal);
end $$;

-- The mover of this fence writes rows and its journal, all or nothing. One statement does all tables: what leaves a
-- unique value goes before what takes it, and references are judged at its end. A row that changed is written anew where
-- rows may be removed; of a table that only grows, what may be filled is filled.
create or replace function move_receive(move uuid, fence bigint, state text, progress jsonb, loads jsonb, at timestamptz, until timestamptz) returns boolean
language plpgsql volatile set search_path = '' set timezone = 'UTC' set datestyle = 'ISO' as $$
declare t record; parts text[] = '{}'; part text;
begin
  perform 1 from public.moves m where m.id = move and m.version = fence and m.role = 'arriving' for update;
  if not found then
    return false;
  end if;
  perform set_config('guildhall.moving', move::text, true);
  for t in select m.* from public.moved_tables() m where loads ? m.source loop
    part = format('insert into public.%1$I (%2$s) select %2$s from jsonb_populate_recordset(null::public.%1$I, $1 -> %1$L -> ''rows'')',
      t.source, t.shown);
    if has_table_privilege('public.' || quote_ident(t.source), 'delete') then
      parts = parts || format('gone%1$s as (delete from public.%2$I o using (
          select (r ->> %3$L)::%4$s as key from jsonb_array_elements($1 -> %2$L -> ''rows'') r union all
          select g::%4$s from jsonb_array_elements_text($1 -> %2$L -> ''gone'') g) k where o.%3$I = k.key returning 1)',
        cardinality(parts), t.source, t.key, t.kind);
      part = part || format(' where (select count(*) from gone%s) >= 0', cardinality(parts) - 1);
    elsif has_table_privilege('public.' || quote_ident(t.source), 'update') then
      part = part || format(' on conflict (%1$I) do update set %2$s where to_jsonb(%3$I) <> to_jsonb(excluded)', t.key, t.assigned, t.source);
    else
      part = part || format(' on conflict (%I) do nothing', t.key);
    end if;
    parts = parts || format('come%s as (%s returning 1)', cardinality(parts), part);
  end loop;
  if cardinality(parts) > 0 then
    execute format('with %s select', array_to_string(parts, ', ')) using loads;
  end if;
  update public.moves m set state = move_receive.state, progress = move_receive.progress, lease_until = until, changed_at = at
  where m.id = move;
  return true;
end $$;

-- The house moved into becomes that: open to everybody and noting what they change, or shut for good if they have changed
-- nothing, or free of the move. A house that has come back may leave again.
create or replace function move_arrive(move uuid, fence bigint, state text, at timestamptz, ranked text[]) returns boolean
language plpgsql volatile set search_path = '' as $$
declare written bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('guildhall:move', 0));
  update public.moves m set state = move_arrive.state, changed_at = at, lease_until = null
  where m.id = move and m.version = fence and m.role = 'arriving';
  if not found then
    return false;
  end if;
  if move_arrive.state = 'rolled_back' then
    perform public.move_triggers(noting => true, shut => true, ranked => ranked);
    select count(*) into written from public.move_changes;
    if written > 0 then
      raise exception '%', written using errcode = 'GH006';
    end if;
  end if;
  perform public.move_triggers(
    noting => move_arrive.state = 'cut_over', shut => move_arrive.state = 'rolled_back', ranked => ranked);
  if move_arrive.state = 'cut_over' then
    update public.moves m set state = 'stayed', changed_at = at where m.role = 'leaving' and m.state = 'left';
  end if;
  return true;
end $$;
