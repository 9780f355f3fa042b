"""Rules of the audit trail: everything that changes is told (A8), in rows that stay and are sealed in a chain."""

from collections.abc import Hashable, Iterable
from datetime import timedelta

from adapters.persistence.rules.rule import Change, Found, Group, Key, Liveness, Rule, Step
from adapters.persistence.schema import MOVED, TABLES, house
from adapters.persistence.schema.tables import Row

_BY_THE_SEALER = ("balances",)
TOLD = tuple(
    name
    for name in MOVED
    if TABLES[name] not in house.TABLES and not TABLES[name].append_only and name not in _BY_THE_SEALER
)
"""The tables whose every change has an audit row; the others tell of themselves, or follow from what does."""
_PAST = "somebody wrote past the use cases, or took rows away: compare with a backup"


def _of(table: str) -> Key:
    return lambda row: ((table, row["id"]),)


def _subject(row: Row) -> Iterable[Hashable]:
    return ((row["subject_table"], row["subject_id"]),) if row["subject_table"] in TOLD else ()


def _untold(group: Group) -> Found:
    versions = {row["subject_version"] for row in group["audit"]}
    table, _ = group.key
    for row in group[table]:
        if row["version"] not in versions:
            yield row["id"], f"nothing tells of version {row['version']} in {table}"


def _every_row() -> str:
    """The table, id and version of all rows there are: asked for together, the trail is read once."""
    return " union all ".join(f"select '{table}' as name, id, version from {table}" for table in TOLD)  # noqa: S608


def _skipped(group: Group) -> Found:
    versions = {row["subject_version"] for row in group["audit"]}
    if versions and (min(versions) != 1 or max(versions) != len(versions)):
        row = group["audit"][0]
        told = f"{len(versions)} of {max(versions)} versions in {row['subject_table']} are told of"
        yield row["subject_id"], told


def _places(row: Row) -> Iterable[Hashable]:
    """A sealed row's own place, and the next: the pair is judged together."""
    return () if row["position"] is None else (row["position"], row["position"] + 1)


def _unlinked(group: Group) -> Found:
    here = [row for row in group["audit"] if row["position"] == group.key]
    if group.key != 1 and len(here) == len(group["audit"]):
        yield from ((row["id"], f"it is sealed at {row['position']}, and nothing before it") for row in here)


RULES = (
    Rule(
        code="A8",
        name="every_row_is_told_as_it_is",
        says="The trail tells of the latest version of every row.",
        means="something was changed, and nobody can say by whom",
        mend=_PAST,
        by={**{table: _of(table) for table in TOLD}, "audit": _subject},
        broken=_untold,
        sql=f"""
            select t.id::text as subject, 'nothing tells of version ' || t.version || ' in ' || t.name as said
            from ({_every_row()}) as t left join audit a
              on a.subject_id = t.id and a.subject_version = t.version and a.subject_table = t.name
            where a.id is null
        """,  # noqa: S608 - names of ours
    ),
    Rule(
        code="A8",
        name="every_version_is_told",
        says="The trail tells of every version a row has had, from the first on.",
        means="a change in between is not told of, or its row was taken from the trail",
        mend=_PAST,
        by={"audit": _subject},
        broken=_skipped,
        sql=f"""
            select subject_id::text as subject, count(*) || ' of ' || max(subject_version)
              || ' versions in ' || subject_table || ' are told of' as said
            from (select distinct subject_id, subject_version, subject_table collate "C" as subject_table from audit
                  where subject_table in ({", ".join(f"'{table}'" for table in TOLD)})) as told
            group by subject_id, subject_table
            having min(subject_version) <> 1 or max(subject_version) <> count(*)
        """,  # noqa: S608 - names of ours
    ),
    Rule(
        code="A8",
        name="the_chain_has_no_gap",
        says="The sealed rows of the trail have every place from one on. (Their hashes: `guildhall audit verify`.)",
        means="a sealed row was taken from the trail",
        mend=_PAST,
        by={"audit": _places},
        minds=True,
        broken=_unlinked,
        sql="""
            select id::text as subject, 'it is sealed at ' || position || ', and nothing before it' as said
            from (select id, position, max(position) over (order by position range between 1 preceding and 1 preceding)
                    as previous from audit where position is not null) as sealed
            where position <> 1 and previous is null
        """,
    ),
)


def _filled_once(change: Change) -> bool:
    if change.moved is None:
        return change.before is None
    written = (name for name in TABLES["audit"].names if name not in ("version", "position", "hash"))
    return change.moved[0]["position"] is None and change.keeps(*written)


def _guarded(table: str) -> str:
    """The guard stands: a trigger before updates (16) and deletes (8) of each row (1), that fires for everybody."""
    return f"""
        select '{table}' as subject, 'no trigger keeps its rows from being changed and removed' as said
        where not exists (
          select from pg_trigger t join pg_proc f on f.oid = t.tgfoid
          where t.tgrelid = 'public.{table}'::regclass and f.proname = 'refuse_rewriting'
            and t.tgenabled in ('O', 'A') and t.tgtype & 27 = 27)
    """  # noqa: S608 - names of ours


STEPS = (
    Step(
        code="A8",
        name="the_trail_is_append_only",
        says="Rows of the trail are never removed, and changed once: when they are sealed.",
        means="the trail was rewritten",
        mend="restore the trigger `audit_append_only`; verify the chain with `guildhall audit verify`",
        table="audit",
        holds=_filled_once,
        sql=_guarded("audit"),
    ),
    Step(
        code="A8",
        name="security_events_are_append_only",
        says="Security events are never changed and never removed.",
        means="somebody covered their tracks",
        mend="restore the trigger `security_events_append_only`",
        table="security_events",
        holds=lambda change: change.before is None,
        sql=_guarded("security_events"),
    ),
)

LIVENESS = (
    Liveness(
        code="A8",
        name="the_trail_is_sealed",
        says="What was committed is sealed into the chain within moments.",
        means="what happened lately can be rewritten unseen",
        mend="a worker seals: `guildhall worker`, or `guildhall serve`",
        table="audit",
        grace=timedelta(minutes=5),
        since=lambda row: row["at"] if row["position"] is None else None,
        sql="""
            select id::text as subject, action || ' of ' || at as said from audit
            where position is null and at < $1
        """,
    ),
)
