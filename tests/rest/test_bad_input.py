"""Whatever is sent to whichever operation, the answer is a problem that its documentation names; never a fault."""

import json
from typing import Any
from uuid import UUID

import pytest

from tests.rest.world import Api, World, keyed

NOBODYS = str(UUID(int=7))
DEEP = 900
WRONG: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    "\0",
    "a\0b",
    "\u202e" * 3,
    "x" * 20_000,
    -1,
    0,
    1.5,
    2**31,
    2**63,
    10**30,
    -(10**18),
    [],
    [None],
    ["24:00-25:99"],
    {},
    {"amount_minor": 10**20, "currency": "EUR"},
    {"amount_minor": 1, "currency": "XXX"},
    "2026-03-29T01:30:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "Mars/Olympus",
    NOBODYS,
)
"""Values that fit some field somewhere, and are wrong in most."""

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "text": b"hello",
    "not a number": b'{"a": NaN}',
    "endless": b"[" * 100_000,
    "deep": b"[" * DEEP + b"]" * DEEP,
    "half a character": b'{"text": "\\ud800"}',
    "no UTF-8": b'{"text": "\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "too much": b'"' + b"x" * 1_100_000 + b'"',
    "a NUL": b'{"text": "\\u0000"}',
    "an unknown field": b'{"surprise": 1}',
}


@pytest.fixture
async def admin(world: World) -> Api:
    """Somebody to whom most doors open."""
    return await world.admin()


def operations(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation under /v1: method, address with ids nobody has, and what its documentation says."""
    found = []
    for path, methods in world.app.openapi()["paths"].items():
        address = path.replace("{day}", "2026-03-29")
        while "{" in address:
            address = address[: address.index("{")] + NOBODYS + address[address.index("}") + 1 :]
        found += [(method.upper(), address, told) for method, told in methods.items() if path.startswith("/v1")]
    return found


async def ask(client: Api, method: str, address: str, **sent: Any) -> None:
    """Send it, with all that is asked for besides; the client itself sees to it that the answer is documented."""
    headers = {**keyed(), "If-Match": "*", **sent.pop("headers", {})}
    await client.request(method, address, headers=headers, **sent)


async def test_no_broken_body_is_a_fault_of_ours(world: World, admin: Api) -> None:
    for method, address, told in operations(world):
        if "requestBody" in told and told["operationId"] != "passwords-change":
            for body in BROKEN.values():
                json_type = {"content-type": "application/json"}
                await ask(admin, method, address, content=body, headers=json_type)
            await ask(admin, method, address, content=b"a=b", headers={"content-type": ""})


async def test_no_wrong_value_in_any_field_is_a_fault_of_ours(world: World, admin: Api) -> None:
    schemas = world.app.openapi()["components"]["schemas"]
    for method, address, told in operations(world):
        schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            continue
        reference = next(part for part in json.dumps(schema).split('"') if part.startswith("#/"))
        fields = schemas[reference.split("/")[-1]]["properties"]
        for name in fields:
            for value in WRONG:
                body = {**usual(fields), name: value}
                await ask(admin, method, address, json=body)


async def test_no_wrong_parameter_is_a_fault_of_ours(world: World, admin: Api) -> None:
    wrong = ("", "x", "\0", "-1", str(10**30), "2026-03-29T01:30:00", "9999-12-31T23:59:59-12:00", "é" * 300, NOBODYS)
    for method, address, told in operations(world):
        if method != "GET":
            continue
        for parameter in (each["name"] for each in told.get("parameters", ()) if each["in"] == "query"):
            for value in wrong:
                await ask(admin, method, address, params={parameter: value})
        await ask(admin, method, address, params={"surprise": "1"})


async def test_no_wrong_id_in_an_address_is_a_fault_of_ours(world: World, admin: Api) -> None:
    for method, address, _ in operations(world):
        for wrong in ("x", "%00", "1", "💥", "2026-13-45"):
            if NOBODYS in address:
                await ask(admin, method, address.replace(NOBODYS, wrong))


def usual(fields: dict[str, Any]) -> dict[str, Any]:
    """Something of the right kind in each field, so that one wrong value is looked at alone."""
    right = {
        "email": "new@example.org",
        "password": "correct horse battery",
        "name": "Somebody",
        "title": "Guitar lesson",
        "category": "music",
        "price": {"amount_minor": 4500, "currency": "EUR"},
        "duration": 60,
        "zone": "Europe/Lisbon",
        "job_id": NOBODYS,
        "starts_at": "2026-03-03T10:00:00Z",
        "stars": 5,
        "text": "Well done.",
        "reason": "So it goes.",
        "role": "member" if "user_id" in fields else "provider",
        "token": "x" * 43,
        "refresh_token": "x" * 43,
        "sequence": 1,
        "current_password": "correct horse battery",
        "new_password": "seven strings to tune",
    }
    return {field: right[field] for field in fields if field in right}
