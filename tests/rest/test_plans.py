"""Routes carried out by plan: the same answers as the framework gives by itself, whatever is asked."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, FastAPI, Header, Query, Request, Response
from pydantic import BaseModel

from entrypoints.rest.dispatch import Dispatch
from entrypoints.rest.plans import Plan, Unplanned


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Note(BaseModel):
    text: str
    stars: int = 3


class Kept(BaseModel):
    id: UUID
    text: str
    seen: list[str]


def routes() -> APIRouter:
    router = APIRouter(prefix="/notes")

    async def counted(request: Request, response: Response, tries: int = 1) -> int:
        request.state.counted = getattr(request.state, "counted", 0) + 1
        response.headers["X-Counted"] = str(request.state.counted)
        return tries

    async def mood(tries: Annotated[int, Depends(counted)], x_mood: Annotated[Mood | None, Header()] = None) -> str:
        return f"{x_mood or 'none'} after {tries}"

    @router.get("/mine")
    async def mine(tag: Annotated[list[str], Query()] = [], limit: Annotated[int, Query(ge=1)] = 5) -> dict[str, Any]:  # noqa: B006
        return {"tag": tag, "limit": limit}

    @router.get("/{note_id}")
    async def read(note_id: UUID, how: Annotated[str, Depends(mood)], tries: Annotated[int, Depends(counted)]) -> Kept:
        return Kept(id=note_id, text=how, seen=[str(tries)])

    @router.post("", status_code=201)
    async def write(note: Note, response: Response, tries: Annotated[int, Depends(counted)]) -> Note:
        response.headers["ETag"] = f'"{tries}"'
        return note

    @router.put("/{note_id}/parts")
    async def parts(note_id: UUID, first: Annotated[Note, Body()], second: Annotated[int, Body()] = 2) -> list[int]:
        return [first.stars, second]

    @router.delete("/{note_id}", status_code=204)
    async def forget(note_id: UUID) -> None: ...

    @router.get("/{note_id}/plain")
    async def plain(note_id: UUID) -> Response:
        return Response(str(note_id), 418, media_type="text/plain")

    return router


ID = "019ceb29-8d00-7c7b-a3f2-2f1f0a4c9d11"
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", f"/notes/{ID}", {}),
    ("GET", f"/notes/{ID}", {"headers": {"x-mood": "good"}, "params": {"tries": 4}}),
    ("GET", f"/notes/{ID}", {"headers": {"X-Mood": "odd"}, "params": {"tries": "many"}}),
    ("GET", "/notes/nothing", {"headers": {"x-mood": "odd"}}),
    ("GET", "/notes/mine", {}),
    ("GET", "/notes/mine", {"params": {"tag": ["a", "b"], "limit": 0}}),
    ("GET", "/notes/", {}),
    ("GET", "/notes/a/b/c", {}),
    ("POST", "/notes", {"json": {"text": "hello"}, "params": {"tries": 7}}),
    ("POST", "/notes", {"json": {"stars": "x"}, "params": {"tries": "x"}}),
    ("POST", "/notes", {"json": ["hello"]}),
    ("POST", "/notes", {}),
    ("POST", "/notes", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ("PUT", f"/notes/{ID}/parts", {"json": {"first": {"text": "a"}, "second": 5}}),
    ("PUT", f"/notes/{ID}/parts", {"json": {"second": "b"}}),
    ("PUT", "/notes/odd/parts", {"json": 5}),
    ("DELETE", f"/notes/{ID}", {}),
    ("GET", f"/notes/{ID}/plain", {}),
    ("PATCH", f"/notes/{ID}", {}),
]


def _served(*, planned: bool) -> httpx.AsyncClient:
    app = FastAPI(redirect_slashes=False)
    app.router.routes += routes().routes
    if planned:
        app.add_middleware(Dispatch, routes=app.routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://guildhall.test")


def _found_wrong(answer: httpx.Response) -> list[str]:
    """Where a request is wrong, as both tell it: ours by pointer, the framework's by location."""
    told = answer.json()
    if "errors" in told:
        return [each["pointer"].removeprefix("#/") for each in told["errors"]]
    # What is wrong with a dependency is told there as often as it is asked for.
    return list(dict.fromkeys("/".join(map(str, each["loc"][1:])) for each in told["detail"]))


@pytest.mark.parametrize(("method", "path", "sent"), ASKED)
async def test_a_plan_answers_as_the_framework_would(method: str, path: str, sent: dict[str, Any]) -> None:
    async with _served(planned=True) as ours, _served(planned=False) as theirs:
        found, expected = await ours.request(method, path, **sent), await theirs.request(method, path, **sent)
    if expected.status_code == 422:
        assert found.status_code in (422, 400)  # ours tells broken JSON by 400
        assert _found_wrong(found) == _found_wrong(expected)
        return
    assert (found.status_code, found.content) == (expected.status_code, expected.content)
    if expected.status_code != 204:
        assert dict(found.headers) == dict(expected.headers)


async def test_what_is_asked_for_twice_is_done_once() -> None:
    async with _served(planned=True) as client:
        assert (await client.get(f"/notes/{ID}")).headers["x-counted"] == "1"


def test_a_route_that_plans_cannot_carry_out_is_told_when_it_is_built() -> None:
    app = FastAPI()

    @app.get("/cookies")
    async def cookies(crumb: Annotated[str, Cookie()]) -> str:
        return crumb

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> str:
        return "later"

    @app.get("/thread")
    def thread() -> str:
        return "in a thread"

    @app.get("/few", response_model_exclude_none=True)
    async def few() -> Note:
        return Note(text="few")

    for route in app.routes[-4:]:
        with pytest.raises(Unplanned):
            Plan(route)  # type: ignore[arg-type]
