"""Leasing due events, as one statement: none whose aggregate has an earlier event unfinished, and none that another
worker is leasing in this moment."""

from adapters.persistence.schema import TABLES

STATEMENT = f"""
with due as (
  select id from outbox o
  where finished_at is null and dead_at is null and due_at <= $1 and (leased_until is null or leased_until <= $1)
    and (scheduled or not exists (
      select from outbox e
      where e.subject_id = o.subject_id and e.subject_table = o.subject_table
        and e.finished_at is null and not e.scheduled
        and (e.subject_version, e.position) < (o.subject_version, o.position)))
  order by due_at, id limit $3 for update skip locked
)
update outbox o set version = o.version + 1, attempts = o.attempts + 1, leased_until = $2
from due where o.id = due.id returning {", ".join(f"o.{name}" for name in TABLES["outbox"].names)}
"""
"""Asked with the instant, when the lease ends, and how many at most."""
SIGNATURE = "claim_events(timestamptz, timestamptz, bigint)"


def function() -> str:
    """The same for those who reach us by function calls only."""
    return f"""
create or replace function claim_events(due timestamptz, lease_until timestamptz, most bigint) returns setof outbox
language sql volatile set search_path = public, pg_temp as $function${STATEMENT}$function$
""".strip()
