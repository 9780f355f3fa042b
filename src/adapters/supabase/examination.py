"""Looking a project over: what doctors ask, and how far its schema is."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from postgrest import AsyncPostgrestClient

from adapters.supabase.errors import ProjectShut, Said, unreadable
from adapters.supabase.rest import Ask, Rest, call

MARK = "alembic_version"
_MISSING = ("42P01", "PGRST205")
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who got in where: what went wrong at each door, empty when nothing did."""

    house: str
    """With the secret key, to what only the house sees."""
    anybody: str
    """With the publishable key, to what everybody sees."""
    user: str
    """With a token of ours, to what a user sees."""
    open_to_anybody: bool
    """Whether the publishable key shows what only the house should see."""


async def revision(rest: Rest) -> str | None:
    """The revision the database is at; None when it has none. One from before the house could read its own mark says
    so much."""

    async def ask(client: AsyncPostgrestClient) -> str | None:
        found: list[Any] = (await client.from_(MARK).select("version_num").execute()).data
        return str(found[0]["version_num"]) if found else None

    try:
        return await rest.as_house(ask, again=True)
    except Said as said:
        if said.code in _MISSING:
            return None
        if said.code == "42501":
            if said.status == httpx.codes.UNAUTHORIZED:
                raise ProjectShut("the project takes our secret key for anybody's") from said
            return "0002 or before"
        raise (unreadable(said) or said) from said
    except Exception as error:
        raise (unreadable(error) or error) from error


async def issuer(rest: Rest) -> str:
    """Whose tokens the database takes for ours."""
    try:
        return str(await rest.as_house(call("our_issuer", {}), again=True))
    except (Said, httpx.TransportError) as error:
        raise (unreadable(error) or error) from error


async def doors(rest: Rest) -> Doors:
    """Try every key at what it should open."""
    private = await _trouble(rest.as_anybody(_first_of("tallies", "name")))
    return Doors(
        house=await _trouble(rest.as_house(_first_of("tallies", "name"), again=True)),
        anybody=await _trouble(rest.as_anybody(_first_of("ratings", "id"))),
        user=await _trouble(rest.as_user(NOBODY, _first_of("users", "id"))),
        open_to_anybody=not private,
    )


def _first_of(table: str, column: str) -> Ask[object]:
    async def ask(client: AsyncPostgrestClient) -> object:
        return (await client.from_(table).select(column).limit(1).execute()).data

    return ask


async def _trouble(asking: Awaitable[object]) -> str:
    try:
        await asking
    except (Said, httpx.TransportError) as error:
        return str(unreadable(error) or error)
    return ""
