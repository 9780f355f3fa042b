create or replace function search_jobs(query text, terms text[], category text, price_from bigint, price_to bigint, currency text, least_rating bigint, provider uuid, organization uuid, place text, remote boolean, sort text, mark_number bigint, mark_time timestamptz, mark_id uuid, most bigint)
returns table (id_ uuid, version_ bigint, organization_id_ uuid, provider_id_ uuid, title_ text, description_ text, category_ text, price_minor_ bigint, price_currency_ text, duration_ bigint, buffer_before_ bigint, buffer_after_ bigint, capacity_ bigint, place_ text, remote_ boolean, slot_interval_ bigint, notice_ bigint, window_days_ bigint, terms_ text, acceptance_ text, policy_ jsonb, state_ text, published_at_ timestamptz, created_at_ timestamptz, updated_at_ timestamptz, rating_count_ bigint, rating_average_ bigint, provider_name_ text, organization_name_ text, relevance_ bigint)
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
  return query execute 'select j.id, j.version, j.organization_id, j.provider_id, j.title, j.description, j.category, j.price_minor, j.price_currency, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.place, j.remote, j.slot_interval, j.notice, j.window_days, j.terms, j.acceptance, j.policy, j.state, j.published_at, j.created_at, j.updated_at, j0.count, j0.average_hundredths, j1.name, j2.name, ' || score || ' from ' || source
    || ' join ratings j0 on j0.id = j.id left join profiles j1 on j1.id = j.provider_id left join organizations j2 on j2.id = j.organization_id where ' || wanted || ' order by ' || ordered || ' limit ' || page
  using query, terms, category, price_from, price_to, currency, least_rating, provider, organization, place, remote, sort, mark_number, mark_time, mark_id, most;
end $function$;
