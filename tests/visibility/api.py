"""Asking the API for what it shows, and PostgREST for the same; and complaining where the two differ."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from dependency_injector.providers import Object

from adapters.system.clock import StandingClock
from domain.shared.actors import Role
from entrypoints.container import open_house
from entrypoints.container.serving import app_of
from entrypoints.settings import Settings
from tests.support.house import MONDAY
from tests.support.postgrest import PostgREST, token
from tests.visibility.expectations import PRIVATE
from tests.visibility.routes import ME, ROUTES, Shows
from tests.visibility.world import Identity, World

REFUSALS = {401, 403, 404}
ANYBODY = Identity("anonymous", "anon")


@dataclass(slots=True)
class Compared:
    """What was compared, and what was not the same."""

    counts: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Doors:
    """The API and PostgREST in front of one database, and what the API signs."""

    api: httpx.AsyncClient
    rest: httpx.AsyncClient
    paths: Mapping[str, str]
    """Of every operation that reads, by its id."""
    sign: Any

    def api_token(self, here: World, identity: Identity) -> dict[str, str]:
        """What this one shows to the API."""
        if identity.user_id is None:
            return {}
        session = identity.session_id or here.sessions[identity.name]
        user = SimpleNamespace(id=identity.user_id, role=Role.CUSTOMER)
        return {"Authorization": f"Bearer {self.sign(user, SimpleNamespace(id=session))}"}


@asynccontextmanager
async def doors(url: str, rest: PostgREST, folder: Path) -> AsyncIterator[Doors]:
    """Both, open."""
    settings = Settings(
        _env_file=None,
        storage="postgres",
        database_url=url,
        mail="memory",
        data_dir=folder,
        public_url="http://guildhall.test",
        rate_limits=False,
        pool_commits=1,
        pool_public=1,
        pool_users=1,
    )
    async with open_house(settings, migrate=False) as house:
        house.container.clock.override(Object(StandingClock(MONDAY)))
        app = app_of(house, with_worker=False)
        paths = {told["get"]["operationId"]: path for path, told in app.openapi()["paths"].items() if "get" in told}
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://guildhall.test") as api,
            httpx.AsyncClient(base_url=rest.url, trust_env=False) as direct,
        ):
            yield Doors(api, direct, paths, house.container.access_tokens().issue)


async def compare(doors: Doors, here: World, identity: Identity, route: str, shows: Shows | None = None) -> Compared:
    """What this one is shown by that route, and what they read directly, there or elsewhere."""
    compared, shows = Compared(), shows or ROUTES[route]
    for names in _addresses(here, identity, shows):
        if ME in names and not names[ME]:
            said = await doors.api.get(doors.paths[route].format(**names))
            compared.counts["asked in vain"] += 1
            if said.status_code not in REFUSALS:
                compared.complaints.append(f"{identity.name} {route}: {said.status_code} to nobody in particular")
            continue
        told = await _told(doors, here, identity, route, names)
        read = await _read(doors, identity, shows, names)
        if identity.user_id and not identity.welcome:
            compared.counts["turned away"] += 1
            public = [] if shows.admins_only else await _read(doors, ANYBODY, shows, names)
            if told is not None or {row["id"] for row in read} != {row["id"] for row in public}:
                compared.complaints.append(f"{identity.name} {route} {names}: somebody, though not welcome")
            continue
        compared.complaints += [
            f"{identity.name} {route} {names}: {complaint}"
            for complaint in _differences(shows, told, read, compared.counts)
        ]
    return compared


def _addresses(here: World, identity: Identity, shows: Shows) -> Iterator[dict[str, str]]:
    """The values of what stands in braces, one way after the other."""
    mine = {ME: str(identity.user_id or "")} if any("{me}" in said for said in shows.where.values()) else {}
    if shows.each is None:
        yield mine
        return
    table, column = shows.each
    (name,) = [said[4:-1] for said in shows.where.values() if said.startswith("eq.{") and said != "eq.{me}"]
    for row in here.rows.of(table):
        yield {**mine, name: str(row[column])}


async def _told(
    doors: Doors, here: World, identity: Identity, route: str, names: dict[str, str]
) -> list[dict[str, Any]] | None:
    """The rows the API shows; None where it refuses."""
    shows, rows, cursor = ROUTES[route], [], ""
    headers = doors.api_token(here, identity)
    while True:
        asked = {**shows.asked, **({"cursor": cursor} if cursor else {})}
        said = await doors.api.get(doors.paths[route].format(**names), params=asked, headers=headers)
        if said.status_code in REFUSALS:
            return None
        assert said.status_code == httpx.codes.OK, said.text
        answer = said.json()
        found = answer[shows.within] if shows.within else answer.get("items", answer)
        rows += found if isinstance(found, list) else [found]
        cursor = answer.get("next_cursor") or ""
        if not cursor:
            return rows


async def _read(doors: Doors, identity: Identity, shows: Shows, names: dict[str, str]) -> list[dict[str, Any]]:
    """The rows a direct client reads; none where it may not ask."""
    headers = {} if identity.role == "anon" else {"Authorization": f"Bearer {token(**identity.claims)}"}
    where = {column: said.format(**names) for column, said in shows.where.items()}
    said = await doors.rest.get(f"/{shows.source}", params=where | _columns(shows), headers=headers)
    if said.status_code in REFUSALS:
        assert said.json()["code"] == "42501", said.text
        return []
    assert said.is_success, said.text
    return list(said.json())


def _columns(shows: Shows) -> dict[str, str]:
    """Where some columns are private, a direct client has to name those it wants."""
    from adapters.persistence.schema import columns_of

    hidden = PRIVATE.get(shows.source, set())
    return {"select": ",".join(name for name in columns_of(shows.source) if name not in hidden)} if hidden else {}


def _differences(
    shows: Shows, told: list[dict[str, Any]] | None, read: list[dict[str, Any]], counts: Counter[str]
) -> Iterator[str]:
    counts["answers"] += 1
    if told is None:
        counts["refused"] += 1
        if read and not shows.admins_only:
            yield f"refused, and {len(read)} rows are read directly"
        return
    ours = {str(row[_field(shows, shows.by)]): row for row in told}
    theirs = {str(row[shows.by]): row for row in read}
    if ours.keys() != theirs.keys() or len(ours) != len(told):
        yield f"shows {len(told)} rows, and {len(read)} are read directly"
        return
    counts["rows"] += len(ours)
    for key, row in ours.items():
        for name, value in row.items():
            if name in shows.made | shows.hidden:
                continue
            counts["values"] += 1
            if not _same(shows.renamed.get(name, name), value, theirs[key]):
                yield f"{name} is {value!r}, and not {theirs[key].get(shows.renamed.get(name, name))!r}"


def _field(shows: Shows, column: str) -> str:
    return next((name for name, other in shows.renamed.items() if other == column), column)


def _same(column: str, value: Any, row: dict[str, Any]) -> bool:
    """Whether a field says what the column, or its two columns of money, say."""
    if f"{column}_minor" in row:
        money = {"amount_minor": row[f"{column}_minor"], "currency": row[f"{column}_currency"]}
        return bool(value == (None if money["amount_minor"] is None else money))
    if column not in row:
        return False
    return bool(_plain(value) == _plain(row[column]))


def _plain(value: Any) -> Any:
    """Moments as moments, spans as two of them, and everything else as it is."""
    if isinstance(value, dict) and value.keys() == {"starts_at", "ends_at"}:
        return [_plain(value["starts_at"]), _plain(value["ends_at"])]
    if isinstance(value, str) and value.startswith("["):
        return [_plain(end.strip('"')) for end in value.strip("[)").split(",")]
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] in ("T", " "):
        return datetime.fromisoformat(value)
    return value
