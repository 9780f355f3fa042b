"""Files over HTTP, as people and their front ends meet them."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.rest.world import Api, World, keyed
from tests.support.pictures import in_pieces, photo

PHOTO = photo(200, 150)


async def test_a_picture_is_uploaded_and_shown_to_everybody(world: World) -> None:
    ana = await world.person("Ana")
    answer = await ana.post(
        "/v1/files",
        params={"bucket": "avatars", "name": "me.jpg"},
        content=photo(640, 480),
        headers={"content-type": "image/jpeg"},
    )
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["state"], file["width"], [each["name"] for each in file["renderings"]]) == (
        "stored",
        640,
        ["medium", "thumbnail"],
    )
    shown = await world.anybody.get(f"/v1/files/{file['id']}/content", params={"rendering": "thumbnail"})
    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(shown.content)).size == (160, 120)
    updated = await ana.patch("/v1/me/profile", json={"avatar_id": file["id"]}, headers={"If-Match": "*"})
    assert updated.status_code == 200, updated.text
    assert updated.json()["avatar_id"] == file["id"]


# --- Uploading --------------------------------------------------------------------------------------------------------


async def uploaded(person: Api, content: bytes = PHOTO, **said: Any) -> httpx.Response:
    """Send this content in one request."""
    query = {"bucket": "avatars", "name": "me.jpg", **{key: value for key, value in said.items() if key != "headers"}}
    headers = {"content-type": "image/jpeg", **said.get("headers", {})}
    return await person.post("/v1/files", params=query, content=content, headers=headers)


async def kept(world: World) -> list[str]:
    """Where bytes lie."""
    await world.deliver()
    return [facts.key async for facts in world.house.container.objects().walk()]


async def test_a_file_is_announced_sent_over_its_link_and_completed(world: World) -> None:
    ana = await world.person("Ana")
    said = {"bucket": "attachments", "name": "plan.txt", "content_type": "text/plain", "size": 5}
    announced = await ana.post("/v1/files/uploads", json=said, headers=keyed())
    assert announced.status_code == 201, announced.text
    told, file_id = announced.json()["directions"], announced.json()["id"]
    assert (told["method"], told["headers"]) == ("PUT", {"Content-Type": "text/plain"})
    early = await ana.post(f"/v1/files/{file_id}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "file.not_stored")
    sent = await world.anybody.put(told["url"], content=b"hello", headers=told["headers"])
    assert sent.status_code == 204, sent.text
    stored = await ana.post(f"/v1/files/{file_id}/complete")
    assert (stored.status_code, stored.json()["state"], stored.json()["audience"]) == (200, "stored", "participants")
    assert stored.headers["etag"] == f'"{stored.json()["version"]}"'
    late = await world.anybody.put(told["url"], content=b"other", headers=told["headers"])
    assert (late.status_code, late.json()["code"]) == (409, "file.upload_over")
    forged = await world.anybody.put(f"/v1/files/{file_id}/content?expires=9999999999&signature=x", content=b"other")
    assert forged.status_code == 404


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"name": "../../etc/passwd.jpg"}, 422, "file.bad_name"),
        ({"name": "x" * 10_000 + ".jpg"}, 422, "file.bad_name"),
        ({"name": "photo\u202egpj.exe"}, 422, "file.bad_name"),
        ({"name": "con.jpg"}, 422, "file.bad_name"),
        ({"name": "a\0.jpg"}, 400, "bad_request"),
        ({"name": "me.html"}, 422, "file.bad_name"),
        ({"bucket": "attic"}, 422, "invalid"),
        ({"bucket": "job-pictures"}, 403, "file.not_for_you"),
        ({"sha256": "0" * 64}, 422, "file.not_what_was_announced"),
        ({"sha256": "zebra"}, 422, "invalid"),
        ({"content": b""}, 422, "file.too_large"),
        ({"content": b"<html>not a picture</html>"}, 422, "file.not_what_was_announced"),
        ({"content": PHOTO[:-500]}, 422, "file.bad_content"),
        ({"content": PHOTO + b"<script>alert(1)</script>"}, 422, "file.bad_content"),
        ({"headers": {"content-type": "image/svg+xml"}}, 422, "file.type_not_allowed"),
        ({"headers": {"content-type": ""}}, 422, "file.type_not_allowed"),
        ({"content": b"\0" * (5 * 1024 * 1024 + 1)}, 422, "file.too_large"),
        ({"content": b"\0" * (20 * 1024 * 1024 + 1)}, 413, "too_large"),
        ({"surprise": "1"}, 400, "bad_request"),
    ],
)
async def test_what_is_not_taken_is_refused_and_nothing_of_it_kept(
    world: World, said: dict[str, Any], status: int, code: str
) -> None:
    ana = await world.person("Ana")
    answer = await uploaded(ana, **said)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text[:300]
    await world.deliver()
    assert (await kept(world), (await ana.get("/v1/files")).json()["items"]) == ([], [])


async def test_other_routes_still_take_small_bodies_only(world: World) -> None:
    ana = await world.person("Ana")
    for method, path in (("POST", "/v1/files/uploads"), ("PATCH", "/v1/me/profile")):
        answer = await ana.request(method, path, content=b" " * 1_100_000, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["most"]) == (413, 1_048_576)


async def test_nobody_uploads_without_signing_in_or_saying_how_much(world: World) -> None:
    ana = await world.person("Ana")
    assert (await uploaded(world.anybody)).status_code == 401

    async def chunked() -> AsyncIterator[bytes]:
        yield PHOTO

    answer = await ana.post(
        "/v1/files",
        params={"bucket": "avatars", "name": "me.jpg"},
        content=chunked(),
        headers={"content-type": "image/jpeg"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_an_upload_that_breaks_off_leaves_nothing(world: World) -> None:
    ana = await world.person("Ana")
    answer = await ana.post(
        "/v1/files",
        params={"bucket": "avatars", "name": "me.jpg"},
        content=in_pieces(PHOTO[:100]),
        headers={"content-type": "image/jpeg", "content-length": str(len(PHOTO))},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "file.not_what_was_announced")
    await world.deliver()
    assert (await kept(world), (await ana.get("/v1/files")).json()["items"]) == ([], [])


async def test_an_upload_repeated_under_its_key_is_one_file(world: World) -> None:
    ana = await world.person("Ana")
    key = keyed()
    first, again = [await uploaded(ana, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert len((await ana.get("/v1/files")).json()["items"]) == 1
    other = await uploaded(ana, photo(64, 48), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")


async def test_an_upload_that_broke_off_goes_on_under_its_key(world: World) -> None:
    ana = await world.person("Ana")
    key = {**keyed(), "content-type": "image/jpeg", "content-length": str(len(PHOTO))}
    query = {"bucket": "avatars", "name": "me.jpg"}
    broken = await ana.post("/v1/files", params=query, content=in_pieces(PHOTO[:50]), headers=key)
    assert broken.status_code == 422
    whole = await ana.post("/v1/files", params=query, content=in_pieces(PHOTO), headers=key)
    assert (whole.status_code, whole.json()["state"]) == (201, "stored")


# --- Showing ----------------------------------------------------------------------------------------------------------


async def a_file(world: World, **said: Any) -> tuple[Api, str]:
    ana = await world.person("Ana")
    answer = await uploaded(ana, **said)
    assert answer.status_code == 201, answer.text
    return ana, f"/v1/files/{answer.json()['id']}"


async def test_a_public_file_is_kept_by_whoever_asked_and_can_do_nothing(world: World) -> None:
    _, file = await a_file(world)
    shown = await world.anybody.get(f"{file}/content")
    assert shown.status_code == 200
    assert {name: shown.headers[name] for name in ("cache-control", "accept-ranges", "x-content-type-options")} == {
        "cache-control": "public, max-age=31536000, immutable",
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
    }
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["content-disposition"] == "inline; filename*=UTF-8''me.jpg"
    assert shown.headers["content-length"] == str(len(shown.content))
    tag = shown.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        same = await world.anybody.get(f"{file}/content", headers={"if-none-match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    headed = await world.anybody.head(f"{file}/content")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["content-length"] == str(len(shown.content))
    small = await world.anybody.get(f"{file}/content", params={"rendering": "thumbnail"})
    assert small.headers["etag"] != tag
    assert (await world.anybody.get(f"{file}/content", params={"rendering": "poster"})).status_code == 404


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
        ("bytes=-99999999", slice(None)),
    ],
)
async def test_parts_of_a_file_are_fetched(world: World, asked: str, part: slice) -> None:
    _, file = await a_file(world)
    whole = (await world.anybody.get(f"{file}/content")).content
    answer = await world.anybody.get(f"{file}/content", headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, whole[part])
    start, end, _ = part.indices(len(whole))
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"


async def test_ranges_that_make_no_sense_get_all_or_none(world: World) -> None:
    _, file = await a_file(world)
    whole = await world.anybody.get(f"{file}/content")
    for odd in ("bytes=9-3", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=x"):
        answer = await world.anybody.get(f"{file}/content", headers={"range": odd})
        assert (answer.status_code, answer.content) == (200, whole.content)
    for beyond in ("bytes=99999999-", "bytes=-0"):
        answer = await world.anybody.get(f"{file}/content", headers={"range": beyond})
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["content-range"] == f"bytes */{len(whole.content)}"
    for tag, status in ((whole.headers["etag"], 206), ('"older"', 200)):
        headers = {"range": "bytes=0-4", "if-range": tag}
        assert (await world.anybody.get(f"{file}/content", headers=headers)).status_code == status


async def test_a_private_file_is_shown_over_a_link_and_downloaded(world: World) -> None:
    text = {"bucket": "attachments", "name": "Grüße.txt", "headers": {"content-type": "text/plain"}}
    ana, file = await a_file(world, content="Grüße".encode() * 500, **text)
    for path in (file, f"{file}/content", f"{file}/link"):
        assert (await world.anybody.get(path)).status_code == 404
    link = (await ana.get(f"{file}/link")).json()
    assert link["expires_at"] == "2026-03-02T09:05:00Z"
    shown = await world.anybody.get(link["url"], headers={"accept-encoding": "gzip"})
    assert (shown.status_code, shown.text) == (200, "Grüße" * 500)
    assert "content-encoding" not in shown.headers
    assert shown.headers["cache-control"] == "private, no-cache"
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert shown.headers["content-disposition"] == "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
    assert (await ana.get(f"{file}/content")).status_code == 200
    world.clock.advance(timedelta(minutes=5))
    assert (await world.anybody.get(link["url"])).status_code == 404


async def test_a_file_whose_bytes_are_lost_is_missing_and_no_fault_of_ours(world: World) -> None:
    _, file = await a_file(world)
    await world.house.container.objects().remove((f"avatars/{file.split('/')[-1]}/original",))
    answer = await world.anybody.get(f"{file}/content")
    assert (answer.status_code, answer.json()["code"]) == (404, "file.object_missing")


async def test_a_deleted_file_is_gone_with_its_bytes(world: World) -> None:
    ana, file = await a_file(world)
    ben = await world.person("Ben")
    assert (await ben.delete(file)).status_code == 404
    assert (await ana.delete(file)).status_code == 204
    for path in (file, f"{file}/content"):
        assert (await world.anybody.get(path)).status_code == 404
        assert (await ana.get(path)).status_code == 404
    assert await kept(world) == []


# --- Where files are shown --------------------------------------------------------------------------------------------


async def test_a_job_shows_its_pictures_to_everybody_who_searches(world: World) -> None:
    vera = await world.provider()
    job = await world.job(vera)
    said = {"bucket": "job-pictures", "name": "room.jpg"}
    pictures = [(await uploaded(vera, **said)).json()["id"] for _ in range(2)]
    revised = await vera.patch(f"/v1/jobs/{job}", json={"pictures": pictures}, headers={"If-Match": "*"})
    assert revised.status_code == 200, revised.text
    (found,) = (await world.anybody.get("/v1/jobs")).json()["items"]
    assert found["pictures"] == pictures
    assert (await world.anybody.get(f"/v1/files/{pictures[0]}/content")).status_code == 200


async def test_an_attachment_is_read_in_its_conversation_alone(world: World) -> None:
    vera, ana, kim = await world.provider(), await world.person("Ana"), await world.person("Kim")
    job = await world.job(vera)
    talk = (await ana.post("/v1/conversations", json={"job_id": job})).json()["id"]
    said = {"bucket": "attachments", "name": "wall.jpg"}
    file_id = (await uploaded(ana, **said)).json()["id"]
    sent = await ana.post(f"/v1/conversations/{talk}/messages", json={"text": "This wall", "attachments": [file_id]})
    assert sent.status_code == 201, sent.text
    assert [each["file_id"] for each in sent.json()["attachments"]] == [file_id]
    heard = (await vera.get(f"/v1/conversations/{talk}/messages")).json()["items"]
    assert heard[0]["attachments"] == sent.json()["attachments"]
    assert (await vera.get(f"/v1/files/{file_id}/content")).status_code == 200
    assert (await kim.get(f"/v1/files/{file_id}/content")).status_code == 404
    assert (await ana.delete(f"/v1/files/{file_id}")).json()["code"] == "file.in_use"
