"""The API's description: complete, true to its examples, and changed only on purpose.

After a change that is meant, write it anew: `UPDATE_SNAPSHOTS=1 python -m pytest tests/rest/test_openapi.py`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from entrypoints.rest.bookings import WANTED, BookingOut
from entrypoints.rest.identity.accounts import FORM
from entrypoints.rest.jobs import DRAFT
from entrypoints.rest.payments import PART, CheckoutOut
from entrypoints.rest.scheduling import WEEK, SlotOut
from entrypoints.rest.schema import openapi_text
from tests.rest.world import World

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_the_description_is_the_one_that_was_committed(world: World) -> None:
    text = openapi_text(world.app)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert SNAPSHOT.read_text() == text, "run UPDATE_SNAPSHOTS=1 python -m pytest tests/rest/test_openapi.py"


async def test_operations_have_stable_names_of_feature_and_verb(world: World) -> None:
    names = [operation["operationId"] for _, _, operation in operations(world.app.openapi())]
    assert len(set(names)) == len(names)
    assert {"bookings-create", "jobs-search", "sessions-create", "payments-refund", "users-create"} <= set(names)
    for path, _, operation in operations(world.app.openapi()):
        assert operation["operationId"].startswith(operation["tags"][0]), path


async def test_every_operation_says_what_it_means_and_what_it_refuses(world: World) -> None:
    document = world.app.openapi()
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags
        if not path.startswith("/v1"):
            continue
        assert operation["description"], path
        assert {"400", "401", "422", "429", "503"} <= operation["responses"].keys(), (path, method)
        for status in operation["responses"]:
            if status >= "400":
                assert world.promises.problems(operation, int(status)), (path, method, status)


async def test_every_reference_leads_somewhere_and_every_field_that_is_sent_is_explained(world: World) -> None:
    document = world.app.openapi()
    for reference in set(_references(document)):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    sent = {
        reference.split("/")[-1]
        for _, _, operation in operations(document)
        for reference in _references(operation.get("requestBody", {}))
    }
    for name in sent:
        for field, told in document["components"]["schemas"][name]["properties"].items():
            assert told.get("description") or "$ref" in told, f"{name}.{field}"


async def test_public_operations_need_no_token_and_the_others_say_so(world: World) -> None:
    document = world.app.openapi()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    optional = {
        operation["operationId"]
        for path, _, operation in operations(document)
        if path.startswith("/v1") and {} in operation["security"]
    }
    assert {"jobs-search", "sessions-create", "users-create", "reviews-job"} <= optional
    assert not {"bookings-create", "users-me", "admin-audit"} & optional


async def test_keys_and_versions_are_documented_where_they_are_taken(world: World) -> None:
    told = {operation["operationId"]: operation for _, _, operation in operations(world.app.openapi())}
    assert "428" in told["jobs-revise"]["responses"]
    assert "412" in told["bookings-reschedule"]["responses"]
    assert "idempotency.key_reused" in world.promises.problems(told["bookings-create"], 422)
    for name in ("sessions-create", "sessions-refresh", "magic-links-consume", "passwords-reset"):
        assert not [each for each in told[name].get("parameters", ()) if each["in"] == "header"]
    assert told["jobs-read"]["responses"]["200"]["headers"]["ETag"]
    assert "expected_version" not in json.dumps(world.app.openapi())


@pytest.mark.parametrize("shown", [BookingOut, CheckoutOut, SlotOut])
def test_examples_of_answers_are_answers(shown: Any) -> None:
    for example in shown.model_config["json_schema_extra"]["examples"]:
        assert json.loads(shown.model_validate(example).model_dump_json()) == example


async def test_examples_of_requests_are_requests(world: World) -> None:
    from application.bookings import Reservation
    from application.identity import SignUpForm
    from application.jobs import JobDraft
    from application.payments import Repayment
    from application.scheduling import Hours

    for kind, examples in (
        (SignUpForm, FORM),
        (JobDraft, DRAFT),
        (Hours, WEEK),
        (Reservation, WANTED),
        (Repayment, PART),
    ):
        for example in examples.values():
            TypeAdapter(kind).validate_python(example["value"])


def _references(within: Any) -> Iterator[str]:
    if isinstance(within, dict):
        if isinstance(within.get("$ref"), str):
            yield within["$ref"]
        for value in within.values():
            yield from _references(value)
    elif isinstance(within, list):
        for value in within:
            yield from _references(value)
