"""What every answer has in common: problems, headers, methods, sizes, encodings; and the routes that watch over it."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from application.jobs import SearchJobs
from domain.shared.errors import Unavailable
from tests.rest.world import JOB, World, opened

PROBLEM = "application/problem+json"


async def test_a_problem_says_what_where_and_under_which_id(world: World) -> None:
    answer = await world.anybody.get("/v1/nowhere", headers={"X-Request-ID": "my-own:1"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json() == {
        "type": "urn:guildhall:no_such_path",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing at this address",
        "code": "no_such_path",
        "instance": "/v1/nowhere",
        "request_id": "my-own:1",
    }
    assert answer.headers["x-request-id"] == "my-own:1"


async def test_an_odd_request_id_is_replaced(world: World) -> None:
    for odd in ("a b", "x" * 200, "<script>"):
        answer = await world.anybody.get("/v1/jobs", headers={"X-Request-ID": odd})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


async def test_what_is_wrong_in_a_body_is_pointed_at(world: World) -> None:
    vera = await world.provider()
    wrong = {**JOB, "price": {"amount_minor": "many", "currency": "EUR"}, "surprise": 1, "duration": None}
    answer = await vera.post("/v1/jobs", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert {each["pointer"] for each in answer.json()["errors"]} == {"#/price/amount_minor", "#/surprise", "#/duration"}
    inside = await vera.post("/v1/jobs", json={**JOB, "price": {"amount_minor": 1, "currency": "XXX"}})
    assert inside.json()["errors"] == [
        {"pointer": "#/price/currency", "detail": "'XXX' is not a currency we take", "code": "invalid"}
    ]


async def test_another_method_is_told_which_ones_there_are(world: World) -> None:
    answer = await world.anybody.put("/v1/jobs", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    one = await world.anybody.put("/v1/jobs/00000000-0000-0000-0000-000000000007", json={})
    assert one.headers["allow"] == "GET, HEAD, PATCH, DELETE"


async def test_head_is_get_without_the_body(world: World) -> None:
    for address in ("/v1/jobs", "/healthz", "/", "/docs"):
        whole, head = await world.anybody.get(address), await world.anybody.head(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))
    assert (await world.anybody.head("/v1/sessions")).status_code == 401
    assert (await world.anybody.head("/v1/jobs/00000000-0000-0000-0000-000000000007")).status_code == 404


async def test_a_body_of_another_kind_is_not_read(world: World) -> None:
    ana = await world.person("Ana")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await ana.post("/v1/conversations", content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    merged = {"content-type": "application/merge-patch+json; charset=utf-8"}
    assert (await ana.post("/v1/conversations", content=b"{}", headers=merged)).json()["code"] == "invalid"


async def test_a_body_that_is_too_large_is_refused_announced_or_not(world: World) -> None:
    ana = await world.person("Ana")
    large = b'"' + b"x" * 1_100_000 + b'"'

    async def in_pieces() -> Any:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    json_type = {"content-type": "application/json"}
    for content in (large, in_pieces()):
        answer = await ana.post("/v1/conversations", content=content, headers=json_type)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await ana.post("/v1/conversations", content=b"{}", headers={"content-length": "-1"})).status_code == 413


async def test_every_answer_carries_safe_headers(world: World) -> None:
    for address in ("/v1/jobs", "/v1/nowhere", "/", "/healthz"):
        headers = (await world.anybody.get(address)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers


async def test_what_is_large_is_compressed_for_who_takes_it(world: World) -> None:
    vera = await world.provider()
    for number in range(6):
        await world.job(vera, title=f"Lesson number {number}")
    small = await world.anybody.get("/v1/jobs", headers={"Accept-Encoding": "gzip"})
    plain = await world.anybody.get("/v1/jobs", headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert small.json() == plain.json()


async def test_a_fault_of_ours_is_told_without_its_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(type(world.house.use(SearchJobs).job_search), "search", broken)
    bare = httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://guildhall.test")
    answer = await bare.get("/v1/jobs", headers={"X-Request-ID": "fault-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "fault-1"


async def test_what_does_not_answer_says_when_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("the database does not answer", retry_after=5)

    monkeypatch.setattr(type(world.house.use(SearchJobs).job_search), "search", away)
    answer = await world.anybody.get("/v1/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_while_the_house_is_being_moved_reading_goes_on_and_writing_waits(world: World) -> None:
    ana = await world.person("Ana")
    version = (await ana.get("/v1/me/profile")).headers["etag"]
    world.house.container.store().shut = True
    answer = await ana.patch("/v1/me/profile", json={"name": "Ana B."}, headers={"If-Match": version})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "being_moved", "5")
    assert (await ana.get("/v1/jobs")).status_code == 200


async def test_origins_that_may_ask_are_told_so(tmp_path: Path) -> None:
    async with opened(tmp_path, cors_origins="https://book.example.org") as world:
        asks = {"Origin": "https://book.example.org", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,idempotency-key"}  # fmt: skip
        preflight = await world.anybody.options("/v1/bookings", headers=asks)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://book.example.org"
        assert "idempotency-key" in preflight.headers["access-control-allow-headers"]
        refused = await world.anybody.get("/v1/me", headers={"Origin": "https://book.example.org"})
        assert refused.headers["access-control-allow-origin"] == "https://book.example.org"
        assert "ETag" in refused.headers["access-control-expose-headers"]
        stranger = await world.anybody.get("/v1/jobs", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in stranger.headers


async def test_figures_name_the_template_of_an_address_never_the_address(world: World) -> None:
    await world.anybody.get("/v1/jobs/00000000-0000-0000-0000-0000000000aa")
    await world.anybody.get("/v1/nowhere/at/all")
    await world.anybody.post("/webhooks/simulated", content=b"{}")
    figures = (await world.anybody.get("/metrics")).text
    assert 'route="/v1/jobs/{job_id}",status="404"' in figures
    assert 'route="/webhooks/{sender}",status="401"' in figures
    assert 'route="unmatched",status="404"' in figures
    assert "0000000000aa" not in figures


async def test_the_instance_says_that_it_lives_is_ready_and_which_it_is(world: World) -> None:
    assert (await world.anybody.get("/healthz")).json() == {"status": "alive"}
    ready = await world.anybody.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]["status"]) == (200, "ok")
    assert (await world.anybody.get("/version")).json()["name"] == "guildhall"


async def test_the_api_pages_need_nothing_from_elsewhere(world: World) -> None:
    for address in ("/docs", "/redoc"):
        page = await world.anybody.get(address)
        assert "unsafe-inline" not in page.headers["content-security-policy"].split("style-src")[0]
        own = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert own
        for asset in own:
            assert asset.startswith("/")
            assert (await world.anybody.get(asset)).status_code == 200


async def test_a_server_that_counts_the_bytes_of_an_answer_is_told_that_only_its_head_was_asked(world: World) -> None:
    """uvicorn holds what is sent against the announced length, unless the scope they share says HEAD."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "HEAD",
        "path": "/version",
        "raw_path": b"/version",
        "query_string": b"",
        "headers": [(b"host", b"guildhall.test")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("guildhall.test", 80),
        "client": ("127.0.0.1", 1),
    }
    seen: list[tuple[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        seen.append((scope["method"], message.get("body", message.get("status"))))

    await world.app(scope, receive, send)
    assert seen == [("HEAD", 200), ("HEAD", b"")]


@pytest.mark.parametrize("signature", [{}, {"Guildhall-Signature": "t=1,v1=00"}])
async def test_a_webhook_nobody_signed_is_refused_and_kept_nowhere(world: World, signature: dict[str, str]) -> None:
    answer = await world.anybody.post("/webhooks/simulated", content=b'{"id": "se_1"}', headers=signature)
    assert answer.status_code == 401
    assert (await world.anybody.post("/webhooks/nobody", content=b"{}")).status_code == 404
    assert world.house.container.store().tables["webhooks"].rows == {}
