-- A commit is one statement; this is how it stops in the middle, with nothing written.
create or replace function must(condition boolean, what text) returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  if condition then return true; end if;
  raise exception '%', what using errcode = 'GH001';
end $$;

-- Rows of an append-only table stay as they were written, whoever asks; columns named here may be filled, once.
create or replace function refuse_rewriting() returns trigger
language plpgsql set search_path = '' as $$
declare filled text;
begin
  if tg_op = 'UPDATE' and tg_nargs > 0
    and to_jsonb(old) - (tg_argv[0:tg_nargs - 1] || 'version'::text) = to_jsonb(new) - (tg_argv[0:tg_nargs - 1] || 'version'::text)
  then
    foreach filled in array tg_argv loop
      if to_jsonb(old) -> filled <> 'null'::jsonb then
        raise exception '% of % is filled once', filled, tg_table_name using errcode = 'GH002';
      end if;
    end loop;
    return new;
  end if;
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'GH002';
end $$;

-- The session a token of ours was issued for. Tokens of others name theirs in their own way, which is none of ours.
create or replace function current_session_id() returns uuid
language sql stable set search_path = '' as $$
  select case when claims.sid ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then claims.sid::uuid end
  from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sid' as sid) claims
$$;
