"""The fuzzing of one house: every operation in turn, each from the same town, judged by the document alone."""

import asyncio
import copy
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.proof.fuzz.asking import BASE, Answer, ask, prepared, sent_by, told
from tests.proof.fuzz.houses import Keep
from tests.proof.fuzz.pools import Pools, filled, harvested
from tests.proof.fuzz.town import Town, built
from tests.rest.world import World

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HONEST, MIXED, AS_GENERATED, WRONG = "honest", "mixed", "generated", "wrong"
OUTSIDE = ("expired", "suspended")
MODES = (HONEST,) * 5 + (MIXED,) * 2 + (AS_GENERATED, WRONG)
"""How a request comes to be, by weight: all of it sensible; generated with some of it real; generated; broken."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be sent: whose it is, and its case with all that was filled in."""

    role: str
    mode: str
    case: "Case[Any]"
    headers: dict[str, str]
    content: bytes | None = None


@dataclass(slots=True)
class Findings:
    """What was answered, and everything that should not have been."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_role: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def operations(self) -> int:
        """How many there are."""
        return len(self.reached)

    @property
    def successful(self) -> list[str]:
        """Operations that did what they are for at least once."""
        return sorted(name for name, statuses in self.reached.items() if any(200 <= each < 300 for each in statuses))

    @property
    def never(self) -> list[str]:
        """Operations that never did."""
        return sorted(self.reached.keys() - set(self.successful))

    def note(self, asked: Asked, answer: Answer, operation: str) -> None:
        """Count one answer."""
        self.requests += 1
        self.statuses[answer.status] += 1
        self.by_role[asked.role][answer.status // 100] += 1
        self.reached[operation].add(answer.status)


class Campaign:
    """Fuzzes one house, or an app around it. `runner` owns the loop the house lives in; `keep` saves the town and gives
    back what restores it before each operation."""

    def __init__(self, runner: asyncio.Runner, world: World, *, app: Any = None) -> None:
        self._runner, self._world, self._app = runner, world, app or world.app
        self._document = self._app.openapi()
        self._schema = schemathesis.openapi.from_dict(copy.deepcopy(self._document))
        self._failed_before: set[Any] = set()
        self.findings = Findings()

    def run(
        self,
        *,
        examples: int,
        seeded: int,
        keep: Keep,
        only: set[str] | None = None,
    ) -> Findings:
        """Every operation, or those named."""
        do: Any = self._runner.run
        town = do(built(self._world))
        self._failed_before = {row["id"] for row in do(self._failed())}
        restore = do(keep(self._world))
        pools = do(harvested(self._world, town))
        for found in self._schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            name = operation.definition.raw["operationId"]
            if only is None or name in only:
                do(restore())
                self._fuzz(operation, name, town, pools, examples=examples, seeded=seeded)
                self._at_the_edges(operation, name, town, pools, most=examples, seeded=seeded)
                self._follow_up(name)
        return self.findings

    def _fuzz(self, operation: Any, name: str, town: Town, pools: Pools, *, examples: int, seeded: int) -> None:
        @seed(seeded)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(asked=requests_to(operation, name, town, pools, self._document))
        def send(asked: Asked) -> None:
            self._send(asked, name)

        try:
            send()
        except Unsatisfiable as error:
            self.findings.failures[name, "unsatisfiable"] = f"{name}: nothing could be generated: {error}"

    def _at_the_edges(self, operation: Any, name: str, town: Town, pools: Pools, *, most: int, seeded: int) -> None:
        """A sample of Schemathesis' own list of edges: bounds, missing and doubled parameters, other methods."""
        chance = Random(f"{seeded} {name}")
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        told = self._schema.config.generation_for(operation=operation)
        cases = list(self._schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=told))
        for case in chance.sample(cases, min(most, len(cases))):
            picks = _picks(case, pools)
            real = chance.choice(picks) if picks else {}
            case.path_parameters.update({key: value for key, value in real.items() if chance.random() < 0.7})
            role = chance.choice(["provider", "customer", "admin"])
            headers = {"Authorization": _token(town, role)} if chance.random() < 0.8 else {}
            self._send(Asked(role, "edge", case, headers), name)

    def _send(self, asked: Asked, name: str) -> None:
        try:
            request = prepared(asked.case, asked.headers, asked.content)
        except (ValueError, OSError):  # what `requests` cannot put on the wire is left to the campaign `sockets`
            return
        answer = self._runner.run(ask(self._app, request))
        self.findings.note(asked, answer, name)
        said = f"{name} as {asked.role}, {asked.mode}: {request.method} {request.url}"
        sent = f"{dict(request.headers)} {sent_by(request)[:500]!r} -> {answer.status} {answer.body[:600]!r}"
        try:
            asked.case.validate_response(told(answer, request), checks=CHECKS, transport_kwargs={"base_url": BASE})
        except (FailureGroup, AssertionError) as error:
            for failure in getattr(error, "exceptions", [error]):
                title = getattr(failure, "title", type(failure).__name__)
                self.findings.failures.setdefault(
                    (name, f"{title} {answer.status}"), f"{title}: {said} {sent} {str(failure)[:400]}"
                )
        for broken in self._undocumented(name, asked, answer):
            self.findings.failures.setdefault((name, broken), f"{broken}: {said} {sent}")

    def _undocumented(self, name: str, asked: Asked, answer: Answer) -> list[str]:
        """What Schemathesis does not look at: faults, codes of problems, and tokens that should open nothing."""
        if answer.status >= 500:
            return [f"a server error, {answer.status}"]
        documented = asked.case.operation.definition.raw["responses"].get(str(answer.status))
        if documented is None:
            return []
        if reference := documented.get("$ref"):
            documented = self._document["components"]["responses"][reference.split("/")[-1]]
        broken = []
        if asked.role in OUTSIDE and answer.status < 300 and asked.case.path.startswith("/v1"):
            broken.append(f"{asked.role}: a token that is no longer good was believed")
        if answer.status >= 400:
            examples = documented["content"].get("application/problem+json", {}).get("examples", {})
            found = re.search(rb'"code":"([^"]*)"', answer.body)
            code = found[1].decode() if found else "none"
            if examples and code not in examples:
                broken.append(f"undocumented code {code} with {answer.status}")
        return broken

    def _follow_up(self, name: str) -> None:
        """What follows from all that: no reaction stumbles over what the API let in."""
        self._runner.run(self._world.deliver())
        for row in self._runner.run(self._failed()):
            if row["id"] not in self._failed_before:
                told = f"the reactions to {row['name']} failed after {name}: {row['last_error']}"
                self.findings.failures.setdefault((name, f"reaction {row['name']}"), told)

    async def _failed(self) -> list[Any]:
        events = await self._world.house.container.store().load("outbox", {})
        return [row for row in events if row["dead_at"] is not None or row["last_error"]]


@st.composite
def requests_to(
    draw: st.DrawFn, operation: Any, name: str, town: Town, pools: Pools, document: dict[str, Any]
) -> Asked:
    """One request to this operation: generated from its schema, with as much of the town in it as the mode says."""
    mode = draw(st.sampled_from(MODES))
    case = _generated(draw, operation, wrong=mode == WRONG)
    headers: dict[str, str] = {}
    picks = _picks(case, pools)
    real = draw(st.sampled_from(picks)) if picks else {}
    if mode in (HONEST, MIXED):
        for field_name, value in real.items():
            if mode == HONEST or draw(st.booleans()):
                case.path_parameters[field_name] = value
        _sensible_query(draw, case, pools, mode)
        _sensible_body(draw, case, operation, pools, document, mode)
        headers |= _sensible_headers(draw, case, operation, pools, mode)
    near = [role for value in real.values() for role in pools.friends.get(str(value), ())]
    role = draw(_asker(mode, near, town))
    if mode == HONEST and case.query.get("cursor"):
        role, case.query = _continued(draw, case, pools, role)
    token = _token(town, role)
    if token and (mode != WRONG or draw(st.integers(0, 4))):
        headers["Authorization"] = token
    content = None
    if name == "webhooks-receive":
        raw, signature = town.webhook
        content = raw if mode == HONEST else draw(st.sampled_from([raw, b"", b"{}", b"\xff", raw[:-1]]))
        headers |= signature if mode == HONEST or draw(st.booleans()) else {}
    return Asked(role, mode, case, headers, content)


def _token(town: Town, role: str) -> str:
    return str(town.people[role].headers.get("authorization", ""))


def _asker(mode: str, near: list[str], town: Town) -> st.SearchStrategy[str]:
    """Anybody; of sensible requests, most come from somebody who has to do with what is asked for."""
    anyone = st.sampled_from([*town.people])
    if mode != HONEST:
        return anyone
    able = near or [role for role in town.people if role not in ("anonymous", "expired", "suspended")]
    return st.one_of(st.sampled_from(able), st.sampled_from(able), st.sampled_from(able), anyone)


def _generated(draw: st.DrawFn, operation: Any, *, wrong: bool) -> "Case[Any]":
    breakable = operation.path_parameters or operation.query or operation.body
    mode = GenerationMode.NEGATIVE if wrong and breakable else GenerationMode.POSITIVE
    case: Case[Any] = draw(operation.as_strategy(generation_mode=mode))
    return case


def _picks(case: "Case[Any]", pools: Pools) -> list[dict[str, Any]]:
    """Real values for every parameter of the path, together."""
    picks: list[dict[str, Any]] = [{}]
    for name in case.path_parameters:
        picks = [{**pick, name: value} for pick in picks for value in pools.of(name)][:2000]
    return picks


def _sensible_query(draw: st.DrawFn, case: "Case[Any]", pools: Pools, mode: str) -> None:
    for name in list(case.query):
        if known := pools.of(name):
            case.query[name] = draw(st.sampled_from(known))
        elif mode == HONEST and name != "cursor" and draw(st.integers(0, 2)):
            del case.query[name]


def _sensible_body(
    draw: st.DrawFn, case: "Case[Any]", operation: Any, pools: Pools, document: dict[str, Any], mode: str
) -> None:
    told = operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json")
    if told is None or "schema" not in told:
        return
    body = draw(filled(told["schema"], pools, document))
    if mode == HONEST:
        case.body = body
        case.media_type = "application/json"
    elif isinstance(case.body, dict):
        case.body = {**case.body, **{name: value for name, value in body.items() if draw(st.booleans())}}


def _sensible_headers(draw: st.DrawFn, case: "Case[Any]", operation: Any, pools: Pools, mode: str) -> dict[str, str]:
    takes = {each["name"].lower() for each in operation.definition.raw.get("parameters", ()) if each["in"] == "header"}
    headers = {}
    if "idempotency-key" in takes and (mode == HONEST or draw(st.booleans())):
        keys = st.one_of(st.uuids().map(str), st.just("used"), st.sampled_from(["one", "two"]))
        headers["Idempotency-Key"] = f'"{draw(keys)}"'
    if "if-match" in takes and (mode == HONEST or draw(st.booleans())):
        versions = [pools.versions.get(str(value), 1) for value in case.path_parameters.values()]
        headers["If-Match"] = draw(st.sampled_from(["*", "*", *(f'"{each}"' for each in versions), '"99"']))
    for name in headers:
        case.headers.pop(name, None)
    return headers


def _continued(draw: st.DrawFn, case: "Case[Any]", pools: Pools, role: str) -> tuple[str, dict[str, Any]]:
    """The next page of a listing, where somebody has seen the first."""
    known = [(who, cursor) for (path, who), some in pools.cursors.items() if path == case.path for cursor in some]
    if not known:
        return role, {name: value for name, value in case.query.items() if name != "cursor"}
    who, cursor = draw(st.sampled_from(known))
    return who, {"cursor": cursor, "limit": 2}
