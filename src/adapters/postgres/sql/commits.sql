-- A commit for those who reach us by function calls only: the statement that adapters/postgres/commits.py writes, the
-- same parts in the same order, written here from the catalog. Any table that has the house's policy takes part, with
-- all of its columns: neither a new table nor a new column asks for another function.

-- The columns of a table of the house, and their types.
create or replace function commit_columns(wanted text, out names text[], out types text[])
language plpgsql stable set search_path = '' as $$
begin
  select array_agg(a.attname::text), array_agg(format_type(a.atttypid, a.atttypmod)) into names, types
  from pg_class c
  join pg_policy p on p.polrelid = c.oid and p.polname = c.relname || '_house'
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname = wanted;
  if names is null then
    raise exception 'there is no table %', wanted using errcode = 'GH003';
  end if;
end $$;

-- The rows of a part, which are lists of values, as a table w; $1 are the parts, this is the one at `place`.
create or replace function commit_rows(place bigint, names text[], types text[]) returns text
language sql immutable set search_path = '' as $$
  select format('(select %s from jsonb_array_elements($1 -> %s -> ''rows'') as r) as w', string_agg(
    case when type = 'jsonb' then format('nullif(r -> %s, ''null'') as %I', n - 1, name)
    else format('(r ->> %s)::%s as %I', n - 1, type, name) end, ', ' order by n), place)
  from unnest(names, types) with ordinality as c (name, type, n)
$$;

-- What a part does to its rows, once `before` holds; numbers come from the tallies of the part `raised`.
create or replace function commit_part(part jsonb, names text[], w text, before text, raised text) returns text
language plpgsql immutable set search_path = '' as $$
declare
  kind text := part ->> 'kind';
  target text := format('public.%I', part ->> 'table');
  listed text := (select string_agg(quote_ident(name), ', ' order by n) from unnest(names) with ordinality as c (name, n));
  given text;
begin
  case kind
  when 'lock' then
    return format('materialized (select pg_advisory_xact_lock(hashtextextended(w.key, 0)) as held from %s)', w);
  when 'raise' then
    return format('(insert into public.tallies as t (name, value, ceiling) select w.name, w.by, w.ceiling from %s '
      'where %s and (w.ceiling is null or w.by <= w.ceiling) order by w.name '
      'on conflict (name) do update set value = t.value + excluded.value, ceiling = excluded.ceiling '
      'where excluded.ceiling is null or t.value + excluded.value <= excluded.ceiling returning t.name, t.value)',
      w, before);
  when 'lower' then
    return format('(update public.tallies t set value = t.value + w.by from %s where t.name = w.name and %s '
      'returning t.name, t.value)', w, before);
  when 'guard' then
    return format('materialized (select 1 from %s t join %s on t.id = w.id and t.version = w.version where %s '
      'for share of t)', target, w, before);
  when 'delete' then
    return format('(delete from %s t using %s where t.id = w.id and t.version = w.version and %s returning 1)',
      target, w, before);
  when 'update' then
    return format('(update %s t set %s from %s where t.id = w.id and t.version = w.expected_ and %s returning 1)', target,
      (select string_agg(format('%I = w.%I', name, name), ', ') from unnest(names) as name where name <> 'id'), w, before);
  when 'insert', 'number' then
    select string_agg(
      case when kind = 'insert' then format('w.%I', name)
      when part ->> 'table' = 'receipts' then
        case when name = 'answer' then format('case when w.series_ is null then w.answer else w.answer || '
          'jsonb_build_object(w.field_, (select value from %s where name = w.series_)) end', raised)
        else format('w.%I', name) end
      when part -> 'numbered' ? name then
        format('coalesce((select value from %s where name = w.%I), w.%I)', raised, name || '_series_', name)
      else format('w.%I', name) end, ', ' order by n)
    into given from unnest(names) with ordinality as c (name, n);
    return format('(insert into %s (%s) select %s from %s where %s returning 1)', target, listed, given, w, before);
  end case;
end $$;

-- The statement of these parts, which are its only argument. Sibling parts of a statement have no order of their own:
-- each asks for the count of the one before.
create or replace function commit_statement(parts jsonb) returns text
language plpgsql stable set search_path = '' as $$
declare
  part jsonb; place bigint; kind text; w text; own text; done text; stop text; raised text;
  names text[]; types text[]; columns text[];
  before text := 'true';
  ctes text[] := '{}';
  moved text[] := '{}';
begin
  for part, place in select value, ordinality - 1 from jsonb_array_elements(parts) with ordinality loop
    kind := part ->> 'kind';
    own := 'part' || place;
    if kind in ('guard', 'delete', 'update', 'insert', 'number') then
      select c.names, c.types into names, types from public.commit_columns(part ->> 'table') as c;
      columns := names;
    end if;
    case kind
    when 'lock' then names := '{key}'; types := '{text}';
    when 'raise' then names := '{name,by,ceiling}'; types := '{text,bigint,bigint}';
    when 'lower' then names := '{name,by}'; types := '{text,bigint}';
    when 'guard', 'delete' then names := '{id,version}'; types := '{uuid,bigint}';
    when 'update', 'insert', 'number' then
      select array_agg(name order by n), array_agg(types[array_position(names, name)] order by n) into columns, types
      from jsonb_array_elements_text(part -> 'columns') with ordinality as c (name, n);
      if not (columns @> names and columns <@ names and cardinality(columns) = cardinality(names)) then
        raise exception 'the columns of % are others', part ->> 'table' using errcode = 'GH003';
      end if;
      names := columns;
      if kind = 'update' then names := array['expected_'] || names; types := array['bigint'] || types; end if;
      if kind = 'number' then
        select names || array_agg(name), types || array_agg('text'::text) into names, types
        from unnest(case when part ->> 'table' = 'receipts' then '{field_,series_}'::text[]
          else (select array_agg(name || '_series_') from jsonb_array_elements_text(part -> 'numbered') as n (name)) end) as name;
      end if;
    end case;
    w := public.commit_rows(place, names, types);
    ctes := ctes || (own || ' as ' || public.commit_part(part, columns, w, before, raised));
    done := format('(select count(*) from %s) = %s', own, jsonb_array_length(part -> 'rows'));
    stop := quote_literal(concat(kind, ':', part ->> 'table'));
    if kind = 'raise' then
      raised := own;
      stop := format('case when %s then '''' else ''raise:'' || (select min(w.name) from %s '
        'where w.name not in (select name from %s)) end', done, w, own);
    end if;
    if kind in ('raise', 'lower') then moved := moved || format('select name, value from %s', own); end if;
    before := format('(select public.must(%s, %s))', done, stop);
  end loop;
  return format('with %s select %s as done, (select jsonb_object_agg(name, value) from (%s) as moved) as numbers',
    array_to_string(ctes, ', '), before,
    coalesce(nullif(array_to_string(moved, ' union all '), ''), 'select null::text as name, null::bigint as value where false'));
end $$;

-- All of these changes or nothing, told as an answer: {"numbers": {...}} when done; {"again": true} when the database
-- undid it three times over others; else the refusal, as {"refused": its SQLSTATE, "said", "table", "column",
-- "constraint"}. It raises nothing that a gateway would ask again by itself.
create or replace function commit_changes(changes jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  statement text;
  done boolean; numbers jsonb; state text; said text; at_table text; at_column text; at_constraint text;
begin
  if changes = '[]' then return jsonb_build_object('numbers', '{}'::jsonb); end if;
  statement := public.commit_statement(changes);
  for try in 1..3 loop
    begin
      execute statement into done, numbers using changes;
      return jsonb_build_object('numbers', coalesce(numbers, '{}'::jsonb));
    exception
      when serialization_failure or deadlock_detected then null;
      when integrity_constraint_violation or data_exception or sqlstate 'GH001' or sqlstate 'GH002' then
        get stacked diagnostics state = returned_sqlstate, said = message_text, at_table = table_name,
          at_column = column_name, at_constraint = constraint_name;
        return jsonb_build_object(
          'refused', state, 'said', said, 'table', at_table, 'column', at_column, 'constraint', at_constraint);
    end;
  end loop;
  return jsonb_build_object('again', true);
end $$;
