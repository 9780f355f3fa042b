CREATE TABLE files (
  id UUID NOT NULL,
  version BIGINT NOT NULL,
  bucket TEXT NOT NULL,
  owner_id UUID NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  charged BIGINT NOT NULL,
  announced_sha256 TEXT,
  state TEXT NOT NULL,
  found_type TEXT,
  size BIGINT,
  sha256 TEXT,
  width BIGINT,
  height BIGINT,
  renderings JSONB NOT NULL,
  belongs_to UUID,
  delivered BOOLEAN NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  stored_at TIMESTAMP WITH TIME ZONE,
  deleted_at TIMESTAMP WITH TIME ZONE,
  audience TEXT NOT NULL,
  CONSTRAINT files_pkey PRIMARY KEY (id),
  CONSTRAINT files_owner FOREIGN KEY(owner_id) REFERENCES users (id),
  CONSTRAINT files_bucket CHECK (bucket in ('avatars', 'job-pictures', 'attachments')),
  CONSTRAINT files_state CHECK (state in ('uploading', 'stored', 'deleted')),
  CONSTRAINT files_audience CHECK (audience in ('everybody', 'participants')),
  CONSTRAINT files_charged CHECK (charged >= 1),
  CONSTRAINT files_stored_whole CHECK (state <> 'stored' or (size is not null and sha256 is not null and found_type is not null and stored_at is not null)),
  CONSTRAINT files_shown_are_stored CHECK (belongs_to is null or state = 'stored'),
  CONSTRAINT files_public_are_stored CHECK (audience <> 'everybody' or state = 'stored')
);

CREATE INDEX files_awaited ON files USING btree (expires_at) WHERE state = 'uploading';

CREATE INDEX files_of_owner ON files USING btree (owner_id, created_at, id);

CREATE INDEX files_shown ON files USING btree (belongs_to) WHERE belongs_to is not null;

alter table files enable row level security;

revoke all on files from anon, authenticated, service_role, public;

grant select, insert, update, delete on files to service_role;

create policy files_house on files to service_role using (true) with check (true);

grant select (id, version, bucket, owner_id, name, content_type, charged, state, found_type, size, sha256, width, height, renderings, belongs_to, delivered, created_at, expires_at, stored_at, deleted_at, audience) on files to anon;

create policy files_anon on files for select to anon using (audience = 'everybody');

grant select (id, version, bucket, owner_id, name, content_type, charged, state, found_type, size, sha256, width, height, renderings, belongs_to, delivered, created_at, expires_at, stored_at, deleted_at, audience) on files to authenticated;

create policy files_authenticated on files for select to authenticated using (audience = 'everybody' or owner_id = (select welcome_user_id()) or belongs_to = any ((select my_conversations())::uuid[]));

alter table profiles add column avatar_id uuid;

grant select (avatar_id) on profiles to anon, authenticated;

alter table jobs add column pictures jsonb not null default '[]';

alter table jobs alter column pictures drop default;

grant select (pictures) on jobs to anon, authenticated;

alter table messages add column attachments jsonb not null default '[]';

alter table messages alter column attachments drop default;

grant select (attachments) on messages to authenticated;

-- Answers of commands from before: whoever repeats one finds it as it would be told now.
update receipts set answer = answer || '{"pictures": []}' where answer_table = 'jobs';

update receipts set answer = answer || '{"attachments": []}' where answer_table = 'messages';

update receipts set answer = answer || '{"avatar_id": null}' where answer_table = 'profiles';

drop view job_listings;

create view job_listings with (security_invoker = true) as select b.id, b.version, b.organization_id, b.provider_id, b.title, b.description, b.category, b.price_minor, b.price_currency, b.duration, b.buffer_before, b.buffer_after, b.capacity, b.place, b.remote, b.slot_interval, b.notice, b.window_days, b.terms, b.acceptance, b.policy, b.pictures, b.state, b.published_at, b.created_at, b.updated_at, j0.count as rating_count, j0.average_hundredths as rating_average, j1.name as provider_name, j2.name as organization_name from jobs b left join ratings j0 on j0.id = b.id left join profiles j1 on j1.id = b.provider_id left join organizations j2 on j2.id = b.organization_id;

revoke all on job_listings from anon, authenticated, service_role, public;

grant select on job_listings to anon, authenticated, service_role;

drop function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint);

create or replace function search_jobs(query text, terms text[], category text, price_from bigint, price_to bigint, currency text, least_rating bigint, provider uuid, organization uuid, place text, remote boolean, sort text, mark_number bigint, mark_time timestamptz, mark_id uuid, most bigint)
returns table (id_ uuid, version_ bigint, organization_id_ uuid, provider_id_ uuid, title_ text, description_ text, category_ text, price_minor_ bigint, price_currency_ text, duration_ bigint, buffer_before_ bigint, buffer_after_ bigint, capacity_ bigint, place_ text, remote_ boolean, slot_interval_ bigint, notice_ bigint, window_days_ bigint, terms_ text, acceptance_ text, policy_ jsonb, pictures_ jsonb, state_ text, published_at_ timestamptz, created_at_ timestamptz, updated_at_ timestamptz, rating_count_ bigint, rating_average_ bigint, provider_name_ text, organization_name_ text, relevance_ bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $function$
#variable_conflict use_variable
declare
  wanted text := '(j.state = ''published'')';
  ordered text;
  source text := 'jobs j';
  score text := '0::bigint';
  rated text := '';
  beyond text := 'true';
  page text := 'least(coalesce($16, 100), 1000)';
begin
  if search_jobs.query is not null then wanted := wanted || ' and j.search @@ $1::tsquery'; end if;
  if search_jobs.category is not null then wanted := wanted || ' and j.category = $3'; end if;
  if search_jobs.price_from is not null then wanted := wanted || ' and j.price_minor >= $4'; end if;
  if search_jobs.price_to is not null then wanted := wanted || ' and j.price_minor <= $5'; end if;
  if search_jobs.currency is not null then wanted := wanted || ' and j.price_currency = $6'; end if;
  if search_jobs.least_rating is not null then wanted := wanted || ' and j0.average_hundredths >= $7'; end if;
  if search_jobs.provider is not null then wanted := wanted || ' and j.provider_id = $8'; end if;
  if search_jobs.organization is not null then wanted := wanted || ' and j.organization_id = $9'; end if;
  if search_jobs.place is not null then wanted := wanted || ' and j.place_search @@ $10::tsquery'; end if;
  if search_jobs.remote is not null then wanted := wanted || ' and j.remote = $11'; end if;
  if sort = 'relevance' then
    if least_rating is not null then rated := 'join ratings j0 on j0.id = j.id'; end if;
    if mark_id is not null then beyond := '(hits.score, hits.published_at, hits.id) < ($13, $14, $15)'; end if;
    score := 'hits.score';
    ordered := 'hits.score desc, hits.published_at desc, hits.id desc';
    source := '(select * from (select j.id, j.published_at, (select count(*) from unnest($2) as term where '' '' || j.title_words like ''% '' || term || ''%'') as score from jobs j ' || rated
      || ' where ' || wanted || ' order by j.published_at desc, j.id desc limit 1000) hits where ' || beyond
      || ' order by ' || ordered || ' limit ' || page || ') hits join jobs j on j.id = hits.id';
    wanted := 'true';
  elsif sort = 'newest' then ordered := 'j.published_at desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.published_at, j.id) < ($14, $15)'; end if;
  elsif sort = 'price' then ordered := 'j.price_minor, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.price_minor, $15) > ($13, j.id)'; end if;
  elsif sort = '-price' then ordered := 'j.price_minor desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.price_minor, j.id) < ($13, $15)'; end if;
  elsif sort = '-rating' then ordered := 'j0.average_hundredths desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j0.average_hundredths, j.id) < ($13, $15)'; end if;
  else raise exception 'no such order' using errcode = '22023';
  end if;
  return query execute 'select j.id, j.version, j.organization_id, j.provider_id, j.title, j.description, j.category, j.price_minor, j.price_currency, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.place, j.remote, j.slot_interval, j.notice, j.window_days, j.terms, j.acceptance, j.policy, j.pictures, j.state, j.published_at, j.created_at, j.updated_at, j0.count, j0.average_hundredths, j1.name, j2.name, ' || score || ' from ' || source
    || ' join ratings j0 on j0.id = j.id left join profiles j1 on j1.id = j.provider_id left join organizations j2 on j2.id = j.organization_id where ' || wanted || ' order by ' || ordered || ' limit ' || page
  using query, terms, category, price_from, price_to, currency, least_rating, provider, organization, place, remote, sort, mark_number, mark_time, mark_id, most;
end $function$;

grant create on schema public to service_role;

alter function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) owner to service_role;

revoke all on function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) from public;

grant execute on function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) to anon, authenticated, service_role;

revoke create on schema public from service_role;
