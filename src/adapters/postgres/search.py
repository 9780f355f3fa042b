"""Searching jobs: one function in the database, owned by the house, that repeats what is public and may use indexes.

Under a policy the text index would not be used, and a plan made once for all questions is ten times slower than one
made for this question; so the function runs the statement it needs by `execute ... using`."""

from adapters.persistence.schema import VIEWS, columns_of
from adapters.persistence.search import LISTING, found, question
from adapters.postgres.policies import condition
from adapters.postgres.pools import Pools
from adapters.postgres.values import cast, received
from application.ports.criteria import Position
from application.ports.jobs import RELEVANT, JobListing, JobQuery, JobSearch, JobSort
from application.ports.readers import Page
from application.visibility import VISIBILITY, PublicWhen
from domain.shared.actors import Actor

VIEW = VIEWS["job_listings"]
PARAMETERS = (
    ("query", "text"),
    ("terms", "text[]"),
    ("category", "text"),
    ("price_from", "bigint"),
    ("price_to", "bigint"),
    ("currency", "text"),
    ("least_rating", "bigint"),
    ("provider", "uuid"),
    ("organization", "uuid"),
    ("place", "text"),
    ("remote", "boolean"),
    ("sort", "text"),
    ("mark_number", "bigint"),
    ("mark_time", "timestamptz"),
    ("mark_id", "uuid"),
    ("most", "bigint"),
)
SIGNATURE = f"search_jobs({', '.join(kind for _, kind in PARAMETERS)})"

_FILTERS = {
    "query": "j.search @@ $1::tsquery",
    "category": "j.category = $3",
    "price_from": "j.price_minor >= $4",
    "price_to": "j.price_minor <= $5",
    "currency": "j.price_currency = $6",
    "least_rating": "j0.average_hundredths >= $7",
    "provider": "j.provider_id = $8",
    "organization": "j.organization_id = $9",
    "place": "j.place_search @@ $10::tsquery",
    "remote": "j.remote = $11",
}

_SORTS: dict[JobSort, tuple[str, str]] = {
    JobSort.NEWEST: ("j.published_at desc, j.id desc", "(j.published_at, j.id) < ($14, $15)"),
    JobSort.PRICE: ("j.price_minor, j.id desc", "(j.price_minor, $15) > ($13, j.id)"),
    JobSort.PRICE_HIGHEST: ("j.price_minor desc, j.id desc", "(j.price_minor, j.id) < ($13, $15)"),
    JobSort.RATING: (
        "j0.average_hundredths desc, j.id desc",
        "(j0.average_hundredths, j.id) < ($13, $15)",
    ),
}

_SCORE = "(select count(*) from unnest($2) as term where ' ' || j.title_words like '% ' || term || '%')"


def function() -> str:
    """The function's definition."""
    parameters = ", ".join(f"{name} {kind}" for name, kind in PARAMETERS)
    columns = columns_of("job_listings")
    returns = ", ".join(f"{name}_ {cast(column)}" for name, column in columns.items())
    filters = "\n".join(
        f"  if search_jobs.{name} is not null then wanted := wanted || ' and {sql}'; end if;"
        for name, sql in _FILTERS.items()
    )
    sorts = "\n".join(
        f"  elsif sort = '{name}' then ordered := '{order}';\n"
        f"    if mark_id is not null then wanted := wanted || ' and {after}'; end if;"
        for name, (order, after) in _SORTS.items()
    )
    public = " or ".join(condition(term, "j") for term in VISIBILITY["jobs"] if isinstance(term, PublicWhen))
    listed = ", ".join(_sources())
    joins = " ".join(_joins())
    ratings = _joins()[0]
    using = ", ".join(name for name, _ in PARAMETERS)
    # By relevance only ids and scores are ranked; whole rows are fetched for the page alone.
    score = _SCORE.replace("'", "''")
    return f"""
create or replace function search_jobs({parameters})
returns table ({returns}, relevance_ bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $function$
#variable_conflict use_variable
declare
  wanted text := '({public.replace("'", "''")})';
  ordered text;
  source text := 'jobs j';
  score text := '0::bigint';
  rated text := '';
  beyond text := 'true';
  page text := 'least(coalesce($16, 100), 1000)';
begin
{filters}
  if sort = 'relevance' then
    if least_rating is not null then rated := '{ratings}'; end if;
    if mark_id is not null then beyond := '(hits.score, hits.published_at, hits.id) < ($13, $14, $15)'; end if;
    score := 'hits.score';
    ordered := 'hits.score desc, hits.published_at desc, hits.id desc';
    source := '(select * from (select j.id, j.published_at, {score} as score from jobs j ' || rated
      || ' where ' || wanted || ' order by j.published_at desc, j.id desc limit {RELEVANT}) hits where ' || beyond
      || ' order by ' || ordered || ' limit ' || page || ') hits join jobs j on j.id = hits.id';
    wanted := 'true';
{sorts}
  else raise exception 'no such order' using errcode = '22023';
  end if;
  return query execute 'select {listed.replace("'", "''")}, ' || score || ' from ' || source
    || ' {joins} where ' || wanted || ' order by ' || ordered || ' limit ' || page
  using {using};
end $function$
""".strip()


def _joins() -> list[str]:
    """The view's joins, the ratings first: a job without its rating is no listing."""
    kinds = ["join", *["left join"] * (len(VIEW.joins) - 1)]
    return [
        f"{kind} {join.table} j{index} on j{index}.{join.there} = j.{join.here}"
        for index, (kind, join) in enumerate(zip(kinds, VIEW.joins, strict=True))
    ]


def _sources() -> list[str]:
    columns = [f"j.{name}" for name in VIEW.columns]
    for index, join in enumerate(VIEW.joins):
        columns += [f"j{index}.{column}" for column in join.columns.values()]
    return columns


_RETURNED = ", ".join([*(f"{name}_ as {name}" for name in LISTING.columns), "relevance_ as relevance"])
_CALL = f"select {_RETURNED} from search_jobs({', '.join(f'${n}' for n in range(1, len(PARAMETERS) + 1))})"


class PostgresJobSearch(JobSearch):
    """Asks the function as anybody would: what it finds is public."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def search(
        self, actor: Actor, query: JobQuery, *, sort: JobSort, after: Position | None, limit: int
    ) -> Page[JobListing]:
        asked = question(query, sort=sort, after=after, most=limit + 1)
        async with self._pools.public.reading() as connection:
            records = await connection.fetch(_CALL, *(asked[name] for name, _ in PARAMETERS))
        return found([received(record, ()) for record in records], sort=sort, limit=limit)
