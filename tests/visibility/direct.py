"""Asking a real PostgREST, as everybody there is, for everything; and complaining where it answers wrongly."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from adapters.persistence.schema import TABLES
from tests.support.postgrest import PostgREST, token
from tests.visibility.questions import NO, Functions, Question, questions
from tests.visibility.world import Identity, World

AT_ONCE = 8
OVER = "PGRST301"
"""What PostgREST says of a token whose time is over."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_FUNCTIONS = """
select p.proname as name, coalesce(p.proargnames[1:p.pronargs], '{}') as wants from pg_proc p
where p.pronamespace = 'public'::regnamespace
"""


@dataclass(slots=True)
class Asked:
    """How many questions of each kind were asked, and which were answered wrongly."""

    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def expired(identity: Identity) -> str:
    """Their token, when its time is over."""
    return token(**{**identity.claims, "exp": LONG_AGO})


async def ask(rest: PostgREST, asking: Iterable[Question], bearer: str = "") -> Asked:
    """All of these questions, under that token."""
    asked, limit = Asked(), asyncio.Semaphore(AT_ONCE)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=rest.url, headers=headers, limits=limits, trust_env=False) as client:

        async def one(question: Question) -> None:
            async with limit:
                said = await client.request(
                    question.method, question.path, headers=dict(question.headers), json=question.body
                )
            asked.counts[question.kind] += 1
            if told := misjudged(question, said):
                asked.complaints.append(f"{question}: {told}")

        await asyncio.gather(*(one(question) for question in asking))
    return asked


async def functions_of(connection: Any) -> Functions:
    """Every function PostgREST might offer."""
    return {row["name"]: tuple(row["wants"]) for row in await connection.fetch(_FUNCTIONS)}


async def contents(connection: Any) -> dict[str, str]:
    """What every table holds, in short: the same as before where nothing was written."""
    hashes = (
        f"select '{table}', md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t"
        for table in TABLES
    )
    return dict(await connection.fetch(" union all ".join(hashes)))


async def refused(rest: PostgREST, here: World, identity: Identity, bearer: str, code: str) -> Asked:
    """Every question that this one might ask, all of them refused with that code to a token that is none."""
    no = (replace(each, expected=NO, refusals=frozenset({code})) for each in questions(here, identity, {}))
    return await ask(rest, no, bearer)


async def everything(rest: PostgREST, here: World, identities: Iterable[Identity], functions: Functions) -> Asked:
    """Every question of every one of these."""
    all_of_it = Asked()
    for identity in identities:
        bearer = "" if identity.role == "anon" else token(**identity.claims)
        asked = await ask(rest, questions(here, identity, functions), bearer)
        all_of_it.counts += asked.counts
        all_of_it.complaints += [f"{identity.name}: {told}" for told in asked.complaints]
    return all_of_it


def misjudged(question: Question, said: httpx.Response) -> str:
    """What is wrong with this answer, if anything is."""
    if question.expected is NO:
        code = _code(question, said)
        return "" if code in question.refusals else f"{said.status_code} {code} {said.text[:200]}, expected {NO}"
    if said.is_error:
        return f"{said.status_code} {said.text[:200]}, expected {_short(question.expected)}"
    got = question.read(said)
    return "" if got == question.expected else f"{_short(got)}, expected {_short(question.expected)}"


def _code(question: Question, said: httpx.Response) -> str:
    if said.is_success:
        return ""
    if question.method == "HEAD":  # It says no more than that it may not.
        (told,) = question.refusals
        return told if said.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) else ""
    return str(said.json()["code"])


def _short(told: object) -> str:
    return f"{len(told)} of them" if isinstance(told, frozenset) and len(told) > 3 else str(told)
