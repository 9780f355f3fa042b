"""Rules of files, as far as rows show them: what goes and what is shown (F1), quotas (F2), and types (F3). Whether the
bytes are there, `guildhall files verify` looks."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from adapters.persistence.rules.rule import Found, Group, Liveness, Rule, each, on_its_way, series
from adapters.persistence.schema.tables import Row
from domain.files import FILE_POLICIES

_ALLOWED = frozenset((bucket.value, kind) for bucket, policy in FILE_POLICIES.items() for kind in policy.types)
_QUOTA = "set the tally to the sum of what the owner's files are charged with"


def _pictured(row: Row) -> Iterable[Hashable]:
    return [UUID(id) for id in row["pictures"]]


def _attached(row: Row) -> Iterable[Hashable]:
    return [UUID(one["file_id"]) for one in row["attachments"]]


def _shown(group: Group) -> Found:
    kept = {row["belongs_to"] for row in group["files"] if row["state"] == "stored"}
    shown = [(row["id"], row["id"]) for table in ("profiles", "jobs") for row in group[table]]
    shown += [(row["id"], row["conversation_id"]) for row in group["messages"]]
    for subject, thing in shown:
        if thing not in kept:
            yield subject, "it shows a file that is not kept for it"
    things = {thing for _, thing in shown}
    for row in group["files"]:
        if row["belongs_to"] is not None and row["belongs_to"] not in things:
            yield row["id"], "it is kept for something that does not show it"


def _miscounted(group: Group) -> Found:
    charged = sum(row["charged"] for row in group["files"] if row["state"] != "deleted")
    counted = sum(row["value"] for row in group["tallies"])
    if charged != counted:
        yield group.key, f"files of {charged} bytes are kept, {counted} are counted"


def _mistyped(row: Row) -> str | None:
    if row["state"] != "stored":
        return None
    if row["found_type"] == row["content_type"] and (row["bucket"], row["content_type"]) in _ALLOWED:
        return None
    return f"it is kept as {row['content_type']} in {row['bucket']}, and was found to be {row['found_type']}"


def _awaited(row: Row) -> datetime | None:
    since: datetime = row["expires_at"]
    return since if row["state"] == "uploading" else None


_PAIRS = ", ".join(f"('{bucket}', '{kind}')" for bucket, kind in sorted(_ALLOWED))

RULES = (
    on_its_way(
        "files",
        "deleted",
        "file.deleted",
        "file_id",
        code="F1",
        says="A deleted file has an unfinished event that removes its bytes.",
        means="bytes stay that nobody wants any more",
    ),
    Rule(
        code="F1",
        name="what_is_shown_is_kept",
        says="What a profile, a job or a message shows is kept for it, and nothing is kept for what does not show it.",
        means="a picture is missing, or cannot be deleted",
        mend="take the file off where it is shown and show another, or let it go",
        by={"files": "id", "profiles": "avatar_id", "jobs": _pictured, "messages": _attached},
        broken=_shown,
        sql="""
            with shown as (
              select id as subject, id as thing, avatar_id::text as file from profiles where avatar_id is not null
              union all select j.id, j.id, p.file from jobs j, jsonb_array_elements_text(j.pictures) as p(file)
              union all select m.id, m.conversation_id, a.file ->> 'file_id'
                from messages m, jsonb_array_elements(m.attachments) as a(file))
            select s.subject::text as subject, 'it shows a file that is not kept for it' as said from shown s
            where not exists (select from files f
              where f.id::text = s.file and f.state = 'stored' and f.belongs_to = s.thing)
            union all
            select f.id::text, 'it is kept for something that does not show it' from files f
            where f.belongs_to is not null
              and not exists (select from shown s where s.file = f.id::text and s.thing = f.belongs_to)
        """,
    ),
    Rule(
        code="F2",
        name="what_is_kept_is_counted",
        says="The bytes counted against an owner's quota are those their files are charged with.",
        means="somebody keeps more than they may, or may not keep what they should",
        mend=_QUOTA,
        by={"files": "owner_id", "tallies": series("files:")},
        broken=_miscounted,
        sql="""
            select coalesce(f.owner, t.owner) as subject, 'files of ' || coalesce(f.charged, 0)
              || ' bytes are kept, ' || coalesce(t.value, 0) || ' are counted' as said
            from (select owner_id::text as owner, sum(charged) as charged
                  from files where state <> 'deleted' group by owner_id) as f
            full join (select substr(name, 7) as owner, value from tallies where name like 'files:%') as t
              on t.owner = f.owner
            where coalesce(f.charged, 0) <> coalesce(t.value, 0)
        """,
    ),
    Rule(
        code="F3",
        name="a_file_is_what_it_is_kept_as",
        says="A stored file was found to be what it is kept as, and its bucket takes such files.",
        means="somebody was made to open something else than they thought",
        mend="delete the file, and find out how it came with `guildhall audit list`",
        by={"files": "id"},
        broken=each("files", _mistyped),
        sql=f"""
            select id::text as subject, 'it is kept as ' || content_type || ' in ' || bucket || ', and was found to be '
              || coalesce(found_type, 'None') as said
            from files where state = 'stored'
              and (found_type is distinct from content_type or (bucket, content_type) not in ({_PAIRS}))
        """,  # noqa: S608 - words of ours only
    ),
)

LIVENESS = (
    Liveness(
        code="F1",
        name="uploads_come_or_are_given_up",
        says="A file that was announced is stored, or given up, within hours.",
        means="room is taken by what never came",
        mend="is a worker running? `guildhall files sweep` does it by hand",
        table="files",
        grace=timedelta(hours=2),
        since=_awaited,
        sql="""
            select id::text as subject, name || ' since ' || expires_at as said from files
            where state = 'uploading' and expires_at < $1
        """,
    ),
)
