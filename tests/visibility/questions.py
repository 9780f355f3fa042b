"""What a front end can ask PostgREST, and what each who asks is to be answered: one question after the other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from adapters.persistence.schema import TABLES, VIEWS, columns_of
from adapters.persistence.schema.tables import References
from tests.visibility.expectations import FUNCTIONS, PRIVATE, VIEWS_SHOW, may_ask, may_write, own, seen, sources
from tests.visibility.probe import NOT_FOR_WRITING, REFUSED, SEARCH, key
from tests.visibility.world import Identity, World

NOBODY = UUID(int=0)
NO = "a refusal"
"""What is expected where nothing may be answered."""
Functions = Mapping[str, tuple[str, ...]]
"""Every function there is, by name, with the names of what it wants to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, and what is to be read in its answer, or `NO`."""

    kind: str
    method: str
    path: str
    expected: object
    read: Callable[[httpx.Response], object] = lambda said: "done"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    refusals: frozenset[str] = frozenset({REFUSED})

    def __str__(self) -> str:
        return f"{self.kind}: {self.method} {self.path}"


def questions(here: World, identity: Identity, functions: Functions) -> Iterator[Question]:
    """All that can be asked, and what this one is to be answered."""
    for source in sources():
        yield from _reads(here, identity, source)
        if identity.role != "service_role":
            yield from _private(source)
        yield from _embeds(here, identity, source)
        yield from _writes(identity, source)
    yield from _calls(here, identity, functions)
    yield from _back_doors()


def _reads(here: World, identity: Identity, source: str) -> Iterator[Question]:
    named = key(source)
    rows = seen(here, identity, source) if may_ask(identity, source) else NO

    def read(said: httpx.Response) -> object:
        return frozenset(row[named] for row in said.json())

    yield Question(kind="select", method="GET", path=f"/{source}?select={named}", expected=rows, read=read)
    either = f"or=({named}.not.is.null,{named}.is.null)"
    yield Question(kind="or", method="GET", path=f"/{source}?select={named}&{either}", expected=rows, read=read)
    yield Question(
        kind="count",
        method="HEAD",
        path=f"/{source}?select={named}",
        expected=NO if rows is NO else len(rows),
        read=lambda said: int(said.headers["content-range"].partition("/")[2]),
        # PostgREST ends its answer to a HEAD as if it had a body, and so nothing can follow it.
        headers={"Prefer": "count=exact", "Connection": "close"},
    )
    whole = NO if rows is NO or (PRIVATE.get(source) and identity.role != "service_role") else rows
    yield Question(kind="select *", method="GET", path=f"/{source}", expected=whole, read=read)
    if whole and whole is not NO and source in (*TABLES, *VIEWS):
        columns = frozenset(columns_of(source)) | {each.name for each in _generated(source)}
        yield Question(
            kind="columns",
            method="GET",
            path=f"/{source}?limit=1",
            expected=columns,
            read=lambda said: frozenset(said.json()[0]),
        )


def _generated(source: str) -> tuple[Any, ...]:
    return TABLES[source].generated if source in TABLES else ()


def _private(source: str) -> Iterator[Question]:
    """Shown to nobody who comes this way, and neither told by searching nor by sorting."""
    for column in sorted(PRIVATE.get(source, ())):
        for asked in (f"select={column}", f"select=id&{column}=not.is.null", f"select=id&order={column}"):
            yield Question(kind="private column", method="GET", path=f"/{source}?{asked}", expected=NO)


def _embeds(here: World, identity: Identity, source: str) -> Iterator[Question]:
    """Rows with those they refer to, and with those that refer to them."""
    if source not in (*TABLES, *VIEWS):
        return
    base = TABLES[VIEWS_SHOW.get(source, (source, ""))[0]]
    for reference in _references(base.name):
        if reference.column in columns_of(source):
            yield _embed(here, identity, source, reference, reference.table, forwards=True)
    for other in TABLES if source in TABLES else ():
        for reference in _references(other):
            if reference.table == source:
                yield _embed(here, identity, source, reference, other, forwards=False)


def _references(table: str) -> Iterator[References]:
    return (each for each in TABLES[table].constraints if isinstance(each, References))


def _embed(
    here: World, identity: Identity, source: str, reference: References, other: str, *, forwards: bool
) -> Question:
    pairs: object = NO
    if may_ask(identity, source) and may_ask(identity, other):
        pairs = frozenset(_pairs(here, identity, source, reference, other, forwards=forwards))

    def read(said: httpx.Response) -> object:
        found = set()
        for row in said.json():
            beside = row[other] if isinstance(row[other], list) else [row[other]] if row[other] else []
            found |= {(row["id"], each["id"]) for each in beside}
        return frozenset(found)

    path = f"/{source}?select=id,{other}!{reference.name}(id)"
    return Question(kind="embedded", method="GET", path=path, expected=pairs, read=read)


def _pairs(
    here: World, identity: Identity, source: str, reference: References, other: str, *, forwards: bool
) -> Iterator[tuple[str, str]]:
    base = VIEWS_SHOW.get(source, (source, ""))[0]
    ours, theirs = seen(here, identity, source), seen(here, identity, other)
    for row in here.rows.of(base if forwards else other):
        there, here_ = str(row[reference.column]), str(row["id"])
        pair = (here_, there) if forwards else (there, here_)
        if pair[0] in ours and pair[1] in theirs:
            yield pair


def _writes(identity: Identity, source: str) -> Iterator[Question]:
    """Everything at once, without a filter: whoever may write nothing is refused before a row is looked at. The house,
    which may, is let to change nothing."""
    named, house = key(source), identity.role == "service_role"
    value = str(NOBODY) if named == "id" else "nothing"
    none = f"?{named}=eq.{value}"
    views = frozenset({REFUSED, *NOT_FOR_WRITING, "PGRST105", "PGRST103", "42P10"})
    for kind, method, query, body, headers in (
        ("insert", "POST", f"?columns={named}", [] if house else [{named: value}], {}),
        (
            "upsert",
            "POST",
            f"?columns={named}",
            [] if house else [{named: value}],
            {"Prefer": "resolution=merge-duplicates"},
        ),
        ("update", "PATCH", none if house else "", {named: value}, {}),
        ("update, rolled back", "PATCH", none if house else "", {named: value}, {"Prefer": "tx=rollback"}),
        ("delete", "DELETE", none if house else "", None, {}),
    ):
        verb = {"upsert": "insert", "update, rolled back": "update"}.get(kind, kind)
        allowed = may_write(identity, source, verb) and (kind != "upsert" or may_write(identity, source, "update"))
        yield Question(
            kind=kind,
            method=method,
            path=f"/{source}{query}",
            expected="done" if allowed else NO,
            headers=headers,
            body=body,
            refusals=views if source in VIEWS else frozenset({REFUSED}),
        )
    if not house:
        yield Question(
            kind="put", method="PUT", path=f"/{source}{none}", expected=NO, body={named: value}, refusals=views
        )


def _calls(here: World, identity: Identity, functions: Functions) -> Iterator[Question]:
    """Every function, called as it wants to be, with nothing said where nothing needs to be."""
    known = str(here.people[identity.welcome]) if identity.welcome else None
    answers: dict[str, object] = {
        "current_user_id": known if identity.says or not identity.user_id else str(identity.user_id),
        "my_foreign_user_id": known if identity.says else None,
        "current_session_id": str(identity.session_id) if identity.session_id else None,
        "our_issuer": "guildhall",
        "welcome_user_id": known,
        "my_organizations": own(here, identity, "organizations", "colleague"),
        "my_managed_organizations": own(here, identity, "organizations", "manager"),
        "my_conversations": own(here, identity, "conversations", "participant"),
        "my_address": next(
            (row["email"] for row in here.rows.of("users") if str(row["id"]) == known and row["email_verified_at"]),
            None,
        ),
        "is_admin": identity.welcome == "root",
        SEARCH: frozenset(placed.id for placed in here.placed["jobs"] if placed.kind == "published"),
    }
    login = identity.name == "login"
    for name, wants in functions.items():
        whom = FUNCTIONS.get(name, "nobody")
        if whom == "house" and identity.role == "service_role":
            continue  # What the house calls, it calls with something to say: the stores' own tests do.
        yield Question(
            kind="function",
            method="POST",
            path=f"/rpc/{name}",
            expected=answers.get(name, "something expected") if whom == "everybody" and not login else NO,
            read=_told,
            body={want: "newest" if want == "sort" else None for want in wants},
            refusals=frozenset({REFUSED, "PGRST202"}),  # A trigger is no function to anybody.
        )


def _told(said: httpx.Response) -> object:
    told = said.json()
    if not isinstance(told, list):
        return told
    return frozenset(each["id_"] if isinstance(each, dict) else each for each in told)


def _back_doors() -> Iterator[Question]:
    """Other schemas, and plans that tell of rows one does not see."""
    for schema in ("pg_catalog", "information_schema", "extensions", "probe"):
        yield Question(
            kind="other schema",
            method="GET",
            path="/users?select=id",
            expected=NO,
            headers={"Accept-Profile": schema},
            refusals=frozenset({"PGRST106"}),
        )
    plan = {"Accept": "application/vnd.pgrst.plan+json"}
    refusals = frozenset({"PGRST107"})
    yield Question(kind="plan", method="GET", path="/jobs?select=id", expected=NO, headers=plan, refusals=refusals)
