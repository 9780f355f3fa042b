"""Whatever a project answers, or fails to, is a refusal with a name: a commit without an answer says so, a question is
asked again where that is safe, and nothing is a fault."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.persistence.store import Changes, Insert
from adapters.supabase.errors import ProjectShut
from adapters.supabase.project import Project
from adapters.supabase.rest import Rest
from adapters.supabase.store import TRIES, SupabaseStore
from adapters.supabase.tokens import ClientTokens
from adapters.supabase.views import SupabaseViews
from application.commands import OutcomeUnknown
from application.ports.criteria import Order
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Conflict, Invalid, Refusal, Unavailable
from domain.shared.ids import UserId
from tests.contracts.rows import Rows
from tests.support.postgrest import PostgREST

PROJECT = Project(url="https://abc.example", publishable_key="sb_publishable_1", secret_key="sb_secret_1")
ANN = Actor(user_id=UserId(UUID(int=1)))
COMMIT = Changes(writes=(Insert("outbox", Rows("answers").row("outbox")),))
Answer = httpx.Response | Exception


class Numbered(ClientTokens):
    """Another token each time the last was not taken."""

    def __init__(self) -> None:
        self.count = 1

    def of(self, user_id: UUID) -> str:
        return f"token {self.count}"

    def forget(self, user_id: UUID) -> None:
        self.count += 1


class Stub:
    """Gives these answers one after the other, the last one ever after, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def said(status: int, code: str, message: str = "") -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": message, "details": None, "hint": None})


def rows(*found: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=list(found))


@asynccontextmanager
async def asking(stub: Stub, patience: float = 0.3) -> AsyncIterator[Rest]:
    rest = Rest(PROJECT, Numbered(), transport=httpx.MockTransport(stub), patience=patience)
    try:
        yield rest
    finally:
        await rest.close()


GATEWAY = httpx.Response(502, html="<html>Bad Gateway</html>")
TIMED_OUT = httpx.Response(504, json={"message": "The upstream server is timing out"})
FAULTS: list[tuple[Answer, type[Exception], type[Exception]]] = [
    # What comes back, what a commit makes of it, what a question makes of it.
    (httpx.ConnectError("refused"), Unavailable, Unavailable),
    (httpx.ConnectTimeout("nobody there"), Unavailable, Unavailable),
    (httpx.PoolTimeout("too many"), Unavailable, Unavailable),
    (httpx.ReadTimeout("no answer"), OutcomeUnknown, Unavailable),
    (httpx.ReadError("reset"), OutcomeUnknown, Unavailable),
    (httpx.RemoteProtocolError("gone"), OutcomeUnknown, Unavailable),
    (httpx.WriteError("reset"), OutcomeUnknown, Unavailable),
    (GATEWAY, OutcomeUnknown, Unavailable),
    (TIMED_OUT, OutcomeUnknown, Unavailable),
    (httpx.Response(522), OutcomeUnknown, Unavailable),
    (httpx.Response(503, json={"message": "name resolution failed"}), Unavailable, Unavailable),
    (httpx.Response(429, json={"message": "API rate limit exceeded"}), Unavailable, Unavailable),
    (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), Unavailable, Unavailable),
    (httpx.Response(404, html="no such project"), Unavailable, Unavailable),
    (httpx.Response(413, html="too much"), Unavailable, Unavailable),
    (httpx.Response(401, json={"message": "Invalid API key", "hint": "Double check"}), ProjectShut, ProjectShut),
    (said(503, "PGRST000"), Unavailable, Unavailable),
    (said(503, "PGRST001"), OutcomeUnknown, Unavailable),
    (said(503, "PGRST002"), Unavailable, Unavailable),
    (said(504, "PGRST003"), Unavailable, Unavailable),
    (said(404, "PGRST202"), Unavailable, Unavailable),
    (said(404, "PGRST205"), Unavailable, Unavailable),
    (said(401, "PGRST301", "JWT expired"), ProjectShut, ProjectShut),
    (said(500, "40001"), Conflict, Conflict),
    (said(500, "40P01"), Conflict, Conflict),
    (said(503, "53300"), Unavailable, Unavailable),
    (said(500, "57014"), Unavailable, Unavailable),
    (said(500, "57P01"), OutcomeUnknown, Unavailable),
    (said(400, "55P03"), Unavailable, Unavailable),
    (said(400, "22P02"), Invalid, Invalid),
    (said(400, "GH003"), Unavailable, Unavailable),
    (said(404, "42P01"), Unavailable, Unavailable),
    (said(500, "XX000"), Unavailable, Unavailable),
    (said(403, "42501", "permission denied"), PermissionError, PermissionError),
]


@pytest.mark.parametrize(("answer", "of_commit", "of_question"), FAULTS, ids=lambda one: repr(one)[:40])
async def test_every_fault_has_a_name(answer: Answer, of_commit: type[Exception], of_question: type[Exception]) -> None:
    doings: list[tuple[Callable[[Rest], Any], type[Exception]]] = [
        (lambda rest: SupabaseStore(rest).commit(COMMIT), of_commit),
        (lambda rest: SupabaseStore(rest).load("outbox", {}), of_question),
        (lambda rest: seen_by(rest, SYSTEM), of_question),
        (lambda rest: seen_by(rest, ANN), of_question),
    ]
    for doing, expected in doings:
        async with asking(Stub(answer)) as rest:
            with pytest.raises(expected) as refused:
                await doing(rest)
            assert type(refused.value) is expected
            assert issubclass(expected, Refusal | PermissionError)


async def seen_by(rest: Rest, actor: Actor) -> Any:
    return await SupabaseViews(rest).rows(actor, "bookings", ("id",), {}, order=Order(), after=None, limit=10)


async def test_a_question_whose_connection_broke_is_asked_once_more_and_a_commit_never() -> None:
    broken = httpx.RemoteProtocolError("the other side had closed it")
    stub = Stub(broken, rows())
    async with asking(stub) as rest:
        assert await SupabaseStore(rest).load("outbox", {}) == []
    stub = Stub(broken, httpx.Response(200, json={"numbers": {}}))
    async with asking(stub) as rest:
        with pytest.raises(OutcomeUnknown):
            await SupabaseStore(rest).commit(COMMIT)
    assert len(stub.asked) == 1


@pytest.mark.parametrize("code", ["PGRST202", "PGRST205", "PGRST002"])
async def test_a_schema_that_is_not_known_yet_is_waited_for(code: str) -> None:
    done = httpx.Response(200, json={"numbers": {"seats:a": 1}})
    async with asking(Stub(said(404, code), said(404, code), done), patience=5) as rest:
        assert await SupabaseStore(rest).commit(COMMIT) == {"seats:a": 1}
    stub = Stub(said(404, code))
    async with asking(stub) as rest:
        with pytest.raises(Unavailable):
            await SupabaseStore(rest).commit(COMMIT)
    assert 1 < len(stub.asked) < 10


async def test_a_token_that_has_run_out_is_replaced_once() -> None:
    stub = Stub(said(401, "PGRST303", "JWT expired"), rows({"id": str(UUID(int=7))}))
    async with asking(stub) as rest:
        assert await seen_by(rest, ANN) == [{"id": UUID(int=7)}]
    assert [asked.headers["authorization"] for asked in stub.asked] == ["Bearer token 1", "Bearer token 2"]
    stub = Stub(said(401, "PGRST301", "JWT expired"))
    async with asking(stub) as rest:
        with pytest.raises(ProjectShut):
            await seen_by(rest, ANN)
    assert len(stub.asked) == 2


async def test_keys_of_the_new_kind_are_never_sent_as_tokens() -> None:
    stub = Stub(rows())
    async with asking(stub) as rest:
        await SupabaseStore(rest).load("outbox", {})
        await seen_by(rest, ANN)
    house, ann = stub.asked
    assert (house.headers["apikey"], "authorization" in house.headers) == ("sb_secret_1", False)
    assert (ann.headers["apikey"], ann.headers["authorization"]) == ("sb_publishable_1", "Bearer token 1")


async def test_a_commit_the_database_undid_over_others_is_asked_again_and_given_up_in_the_end() -> None:
    again, done = httpx.Response(200, json={"again": True}), httpx.Response(200, json={"numbers": {}})
    async with asking(Stub(*[again] * (TRIES - 1), done)) as rest:
        assert await SupabaseStore(rest).commit(COMMIT) == {}
    stub = Stub(again)
    async with asking(stub) as rest:
        with pytest.raises(Conflict, match="too many at once"):
            await SupabaseStore(rest).commit(COMMIT)
    assert len(stub.asked) == TRIES


async def test_a_project_that_nobody_serves_is_unavailable() -> None:
    nowhere = Project(url="http://127.0.0.1:1", publishable_key="sb_publishable_1", secret_key="sb_secret_1")
    asking = Rest(nowhere, Numbered())
    try:
        with pytest.raises(Unavailable):
            await SupabaseStore(asking).load("outbox", {})
        with pytest.raises(Unavailable) as refused:
            await SupabaseStore(asking).commit(COMMIT)
        assert type(refused.value) is Unavailable
    finally:
        await asking.close()


async def test_keys_that_are_not_the_projects_are_told_apart_from_a_project_that_is_away(rest: PostgREST) -> None:
    other = Project(url=rest.url, publishable_key="eyJ.guessed.key", secret_key="eyJ.guessed.key")
    asking = Rest(other, Numbered(), transport=rest.transport())
    try:
        with pytest.raises(ProjectShut):
            await SupabaseStore(asking).load("outbox", {})
        with pytest.raises(ProjectShut):
            await SupabaseStore(asking).commit(COMMIT)
    finally:
        await asking.close()
