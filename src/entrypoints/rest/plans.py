"""How a route is carried out: what FastAPI reads from its declaration, laid down once as a list of steps.

FastAPI walks the tree of dependencies, classifies each callable and builds a cache again for every request; that took
more time than most of our use cases do. None of it depends on the request, so it is done when the routes are built.
Reading and judging values stays FastAPI's own work, and so do the docs."""

import json
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo

Read = tuple[dict[str, Any], list[Any]]
"""Arguments by name, and what is wrong with the others."""

_BODILESS = frozenset({204, 205, 304})
_FAILED = object()
_NOTHING: Any = FieldInfo().default
"""What FastAPI takes for a body that was not sent."""
_USUAL = {
    "response_model_include": None,
    "response_model_exclude": None,
    "response_model_by_alias": True,
    "response_model_exclude_unset": False,
    "response_model_exclude_defaults": False,
    "response_model_exclude_none": False,
    "is_sse_stream": False,
    "is_json_stream": False,
}
"""The options of a route that plans do not know, as they are when nobody asked for them."""


class Unplanned(TypeError):
    """A route asks for something that plans do not do; told when the routes are built."""


class Answer(Response):
    """An answer under way: steps add headers to it, and in the end it is given its body."""

    def __init__(self, status: int) -> None:
        self.status_code, self.background, self.body = status, None, b""
        self.raw_headers: list[tuple[bytes, bytes]] = []

    def give(self, content: bytes) -> None:
        """Let this JSON be the body."""
        self.body = content
        self.raw_headers += [(b"content-length", b"%d" % len(content)), (b"content-type", b"application/json")]


@dataclass(frozen=True, slots=True)
class Step:
    """One call: its arguments are read from the request, or are what earlier steps gave, by their places."""

    call: Callable[..., Awaitable[Any]]
    reads: tuple[Callable[[Request], Read], ...]
    body: Callable[[Any], Awaitable[Read]] | None
    results: tuple[tuple[str, int], ...]
    request: str | None
    response: str | None


@dataclass(slots=True)
class Plan:
    """The steps of one route, its endpoint the last."""

    route: APIRoute
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        for option, usual in _USUAL.items():
            if getattr(self.route, option) != usual:
                raise Unplanned(f"{self.route.name} asks for {option}")
        if self.route.body_field is not None and isinstance(self.route.body_field.field_info, Form):
            raise Unplanned(f"{self.route.name} reads a form")
        self._lay(self.route.dependant, {})

    async def __call__(self, request: Request) -> Response:
        """The answer to this request; everything that is wrong with it is told at once."""
        body = await _body_of(request) if self.route.body_field else _NOTHING
        answer = Answer(self.route.status_code or 200)
        errors: list[Any] = []
        results: list[Any] = []
        last = len(self.steps) - 1
        for place, step in enumerate(self.steps):
            given = {name: results[earlier] for name, earlier in step.results}
            sound = _FAILED not in given.values()
            for read in step.reads:
                found, wrong = read(request)
                given.update(found)
                if wrong:
                    sound = False
                    errors += wrong
            if step.body:
                found, wrong = await step.body(body)
                given.update(found)
                if wrong:
                    sound = False
                    errors += wrong
            if place == last and errors:
                raise RequestValidationError(errors, body=None if body is _NOTHING else body)
            if step.request:
                given[step.request] = request
            if step.response:
                given[step.response] = answer
            results.append(await step.call(**given) if sound else _FAILED)
        return self._finished(answer, results[-1])

    def _finished(self, answer: Answer, value: Any) -> Response:
        if isinstance(value, Response):
            return value
        if answer.status_code not in _BODILESS:
            answer.give(self._json(value))
        return answer

    def _json(self, value: Any) -> bytes:
        told = self.route.response_field
        if told is None:
            return json.dumps(jsonable_encoder(value)).encode()
        if type(value) is not told.field_info.annotation:
            value, errors = told.validate(value, {}, loc=("response",))
            if errors:
                raise ResponseValidationError(errors=errors, body=value)
        return told.serialize_json(value)

    def _lay(self, dependant: Dependant, known: dict[Any, int]) -> int:
        """Add the steps this one needs and then itself; returns its place. What is asked for twice is done once."""
        if dependant.use_cache and dependant.call in known:
            return known[dependant.call]
        needs = [(each.name, self._lay(each, known)) for each in dependant.dependencies]
        self.steps.append(self._step(dependant, tuple((name, place) for name, place in needs if name)))
        return known.setdefault(dependant.call, len(self.steps) - 1)

    def _step(self, dependant: Dependant, results: tuple[tuple[str, int], ...]) -> Step:
        call = dependant.call
        if call is None or not any(map(iscoroutinefunction, (call, getattr(call, "__call__", None)))):  # noqa: B004
            raise Unplanned(f"{call} is no coroutine function")
        if dependant.cookie_params or dependant.background_tasks_param_name or dependant.security_scopes_param_name:
            raise Unplanned(f"{call} asks for cookies, background tasks or scopes")
        return Step(
            call=call,
            reads=tuple(_reads(dependant)),
            body=self._body(dependant),
            results=results,
            request=dependant.request_param_name or dependant.http_connection_param_name,
            response=dependant.response_param_name,
        )

    def _body(self, dependant: Dependant) -> Callable[[Any], Awaitable[Read]] | None:
        fields, embed = dependant.body_params, self.route._embed_body_fields
        if not fields:
            return None
        return lambda value: request_body_to_args(fields, value, embed)


async def _body_of(request: Request) -> Any:
    if not await request.body():
        return _NOTHING
    try:
        return await request.json()
    except json.JSONDecodeError as error:
        said = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([{**said, "ctx": {"error": error.msg}}], body=error.doc) from error


def _reads(dependant: Dependant) -> Iterator[Callable[[Request], Read]]:
    if dependant.path_params:
        yield _path_reader(tuple((each.name, each.alias, each) for each in dependant.path_params))
    if dependant.query_params:
        yield _Sent(
            dependant.query_params,
            names=lambda request: request.query_params.keys() if request.scope["query_string"] else (),
            received=lambda request: request.query_params,
        )
    if dependant.header_params:
        yield _Sent(
            dependant.header_params,
            names=lambda request: {name.decode("latin-1") for name, _ in request.scope["headers"]},
            received=lambda request: request.headers,
        )


def _path_reader(fields: tuple[tuple[str, str, Any], ...]) -> Callable[[Request], Read]:
    """Parameters of the path are always there, each once."""

    def read(request: Request) -> Read:
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for name, alias, parameter in fields:
            values[name], wrong = parameter.validate(request.scope["path_params"][alias], {}, loc=("path", alias))
            errors += wrong or ()
        return values, errors

    return read


class _Sent:
    """Parameters of which most are not sent: only those that are, and those that must be, are looked at."""

    def __init__(
        self,
        fields: Collection[Any],
        *,
        names: Callable[[Request], Collection[str]],
        received: Callable[[Request], Any],
    ) -> None:
        self._names, self._received = names, received
        self._looked_at: list[Any] = []
        self._usual: dict[str, Any] = {}
        self._named: dict[str, Any] = {}
        for each in fields:
            absent, errors = request_params_to_args([each], {})
            if errors or not _hashable(absent.values()):
                self._looked_at.append(each)
                continue
            self._usual |= absent
            self._named[each.alias] = self._named[each.alias.lower().replace("_", "-")] = each

    def __call__(self, request: Request) -> Read:
        sent = [self._named[name] for name in self._names(request) if name in self._named]
        if not sent and not self._looked_at:
            return self._usual, []
        values, errors = request_params_to_args([*self._looked_at, *sent], self._received(request))
        return {**self._usual, **values}, errors


def _hashable(values: Iterable[Any]) -> bool:
    """Whether these may be given to every request: what cannot change."""
    return all(isinstance(value, Hashable) for value in values)
