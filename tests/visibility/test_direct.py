"""A front end that speaks to PostgREST with its own token: it reads what is its user's to see, by whatever trick, and
writes nothing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.postgrest import PostgREST, postgrest
from tests.visibility.direct import ask, contents, everything, functions_of
from tests.visibility.world import World


THESE = ("anonymous", "ann, signed in", "ann, signed out", "vera", "max", "mia", "zed", "root", "sue", "service", "login")

@pytest.mark.parametrize("name", THESE)
async def test_everybody_is_answered_what_is_theirs(name: str, rest: PostgREST, owner: Any, here: World) -> None:
    before = await contents(owner)
    who = [each for each in here.identities if each.name == name]
    asked = await everything(rest, here, who, await functions_of(owner))
    print(sum(asked.counts.values()), asked.counts)
    assert asked.complaints == []
    assert await contents(owner) == before
