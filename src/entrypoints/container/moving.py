"""A move between two installations: both open, and the use cases that move one into the other."""

from collections import ChainMap
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, cast

from domain.shared.errors import Conflict
from entrypoints.container.entering import entered
from entrypoints.container.making import chosen
from entrypoints.container.opening import OpenHouse
from entrypoints.settings import Settings, Storage
from entrypoints.use_cases import UseCases


class NothingToMove(Conflict):
    """What is kept in memory ends with its process: there is nothing to move, and nowhere to move to."""

    code = "move.in_memory"

    def __init__(self) -> None:
        super().__init__("an installation in memory cannot be moved: name two that keep what they know")


class NoProject(Conflict):
    """There is no Supabase project in these settings."""

    code = "move.no_project"

    def __init__(self) -> None:
        super().__init__("that file names no Supabase project: set SUPABASE_URL, and DATABASE_URL of its database")


@asynccontextmanager
async def moving(origin: Settings, destination: Settings) -> AsyncIterator[UseCases]:
    """The use cases of a move from one installation to the other, both open for the length of the block."""
    _must_last(origin, destination)
    async with entered(origin) as here, entered(destination) as there:
        yield _with(here, destination=there.container.own_end(), other_objects=there.container.objects())


@asynccontextmanager
async def leaving(origin: Settings) -> AsyncIterator[UseCases]:
    """The same, of a move whose other end is lost."""
    _must_last(origin)
    async with entered(origin) as here:
        yield here.use


@asynccontextmanager
async def beside_project(house: Settings, project: Settings) -> AsyncIterator[UseCases]:
    """The use cases of this installation, its accounts beside those of that project's Auth."""
    _must_last(house)
    if project.supabase_url is None:
        raise NoProject
    async with entered(house) as here:
        now = here.container.clock().now()
        owner_url = project.database_url.asyncpg if project.database_url else ""
        make = chosen("adapters.supabase.logins:ProjectLogins")
        yield _with(here, logins=make(f"{project.supabase_url}/auth/v1", owner_url, now=now))


def _must_last(*settings: Settings) -> None:
    if any(one.storage is Storage.MEMORY for one in settings):
        raise NothingToMove


def _with(house: OpenHouse, **ports: Any) -> UseCases:
    """The use cases of this house, but for these ports."""
    return UseCases(ChainMap(ports, cast(MutableMapping[str, Any], house.container.ports())))
