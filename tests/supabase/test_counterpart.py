"""The counterpart of a Supabase project: it lets in whom Supabase lets in, and shows them what they may see."""

import httpx
import pytest

from tests.support.postgrest import PostgREST, token


async def _status(rest: PostgREST, table: str, headers: dict[str, str]) -> tuple[int, str]:
    async with httpx.AsyncClient(transport=rest.transport()) as client:
        answer = await client.get(f"{rest.project().rest}/{table}", headers=headers)
        return answer.status_code, answer.json().get("code", "") if answer.is_error else ""


@pytest.mark.parametrize("old", [False, True], ids=["new keys", "old keys"])
async def test_each_key_opens_what_it_should(rest: PostgREST, old: bool) -> None:
    project = rest.project(old_keys=old)
    assert await _status(rest, "tallies", project.as_house()) == (200, "")
    assert await _status(rest, "ratings", project.as_client()) == (200, "")
    assert await _status(rest, "tallies", project.as_client()) == (401, "42501")
    signed_in = project.as_client(token("authenticated", sub="0198a000-0000-7000-8000-000000000001"))
    assert await _status(rest, "bookings?select=id", signed_in) == (200, "")
    assert await _status(rest, "tallies", signed_in) == (403, "42501")


async def test_a_key_or_token_of_somebody_else_opens_nothing(rest: PostgREST) -> None:
    forged = {"apikey": "sb_secret_guessed", "Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA"}
    assert (await _status(rest, "ratings", forged))[0] == 401
