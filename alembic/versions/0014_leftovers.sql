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
