"""Supabase Storage as it behaves over HTTP, for tests: an answer to whatever it refuses has status 400, and says in its
body what it means. Written from the protocol; it runs none of theirs."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx

SECRET = "sb_secret_tests"
Mood = Callable[[httpx.Request], httpx.Response | None]


def refused(status: int, error: str, code: str, message: str = "no") -> httpx.Response:
    """A refusal as it is sent: 400, with what is meant in the body as text."""
    body = {"statusCode": str(status), "error": error, "code": code, "message": message}
    return httpx.Response(400, json=body)


class StorageStub(httpx.AsyncBaseTransport):
    """Buckets of objects. `moods` answer in its place, each once, in their order, as long as there are any."""

    def __init__(self, *, token_seconds: int = 7200) -> None:
        self.buckets: dict[str, dict[str, tuple[bytes, str, datetime]]] = {}
        self.moods: list[Mood] = []
        self.asked: list[str] = []
        self.token_seconds = token_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        path = request.url.path.removeprefix("/storage/v1")
        self.asked.append(f"{request.method} {path}")
        while self.moods:
            if answer := self.moods.pop(0)(request):
                return answer
        if request.url.params.get("token"):
            return self._by_token(request, path, body)
        if request.headers.get("apikey") != SECRET:
            return refused(403, "Unauthorized", "AccessDenied")
        return self._routed(request, path.strip("/").split("/"), body)

    def _routed(self, request: httpx.Request, parts: list[str], body: bytes) -> httpx.Response:
        match request.method, parts:
            case "POST", ["bucket"]:
                return self._made(json.loads(body)["id"])
            case "POST", ["object", "sign", bucket, *key]:
                return self._signed(bucket, "/".join(key), "sign", "signedURL", must_exist=True)
            case "POST", ["object", "upload", "sign", bucket, *key]:
                return self._signed(bucket, "/".join(key), "upload/sign", "url", must_exist=False)
            case "POST", ["object", "list", bucket]:
                return self._listed(bucket, json.loads(body))
            case "GET", ["object", "info", bucket, *key]:
                return self._info(bucket, "/".join(key))
            case "POST", ["object", bucket, *key]:
                return self._put(request, bucket, "/".join(key), body)
            case "GET", ["object", bucket, *key]:
                return self._got(request, bucket, "/".join(key))
            case "DELETE", ["object", bucket]:
                return self._removed(bucket, json.loads(body)["prefixes"])
        return refused(404, "not_found", "InvalidRoute")

    def _made(self, bucket: str) -> httpx.Response:
        if bucket in self.buckets:
            return refused(409, "Duplicate", "ResourceAlreadyExists")
        self.buckets[bucket] = {}
        return httpx.Response(200, json={"name": bucket})

    def _removed(self, bucket: str, keys: list[str]) -> httpx.Response:
        if bucket not in self.buckets:
            return refused(404, "not_found", "NoSuchBucket")
        gone = [key for key in keys if self.buckets[bucket].pop(key, None)]
        return httpx.Response(200, json=[{"name": key} for key in gone])

    def _by_token(self, request: httpx.Request, path: str, body: bytes) -> httpx.Response:
        told = json.loads(base64.urlsafe_b64decode(request.url.params["token"].split(".")[1] + "=="))
        parts = path.strip("/").split("/")
        if request.method == "PUT" and parts[:3] == ["object", "upload", "sign"]:
            bucket, key = parts[3], "/".join(parts[4:])
        elif request.method == "GET" and parts[:2] == ["object", "sign"]:
            bucket, key = parts[2], "/".join(parts[3:])
        else:
            return refused(404, "not_found", "InvalidRoute")
        if told["url"] != f"{bucket}/{key}":
            return refused(400, "InvalidSignature", "InvalidSignature")
        return self._put(request, bucket, key, body) if request.method == "PUT" else self._got(request, bucket, key)

    def _put(self, request: httpx.Request, bucket: str, key: str, body: bytes) -> httpx.Response:
        if bucket not in self.buckets:
            return refused(404, "Bucket not found", "NoSuchBucket")
        if key in self.buckets[bucket] and request.headers.get("x-upsert") != "true":
            return refused(409, "Duplicate", "KeyAlreadyExists")
        self.buckets[bucket][key] = body, request.headers["content-type"], datetime.now(UTC)
        return httpx.Response(200, json={"Id": "1", "Key": f"{bucket}/{key}"})

    def _got(self, request: httpx.Request, bucket: str, key: str) -> httpx.Response:
        if key not in self.buckets.get(bucket, {}):
            return refused(404, "not_found", "NoSuchKey", "Object not found")
        content, kind, _ = self.buckets[bucket][key]
        asked = request.headers.get("range", "")
        if not asked:
            return httpx.Response(200, content=content, headers={"content-type": kind})
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = int(last) + 1 if last else len(content)
        return httpx.Response(206, content=content[int(first) : end], headers={"content-type": kind})

    def _info(self, bucket: str, key: str) -> httpx.Response:
        if key not in self.buckets.get(bucket, {}):
            return refused(404, "not_found", "NoSuchKey")
        content, kind, when = self.buckets[bucket][key]
        told = {"name": key, "size": len(content), "content_type": kind, "last_modified": _moment(when)}
        return httpx.Response(200, json=told)

    def _signed(self, bucket: str, key: str, verb: str, field: str, *, must_exist: bool) -> httpx.Response:
        if bucket not in self.buckets:
            return refused(404, "Bucket not found", "NoSuchBucket")
        if must_exist and key not in self.buckets[bucket]:
            return refused(404, "not_found", "NoSuchKey")
        claims = {"url": f"{bucket}/{key}", "exp": int(datetime.now(UTC).timestamp()) + self.token_seconds}
        token = f"x.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"
        return httpx.Response(200, json={field: f"/object/{verb}/{bucket}/{key}?token={token}"})

    def _listed(self, bucket: str, wanted: dict[str, Any]) -> httpx.Response:
        if bucket not in self.buckets:
            return refused(404, "Bucket not found", "NoSuchBucket")
        prefix = f"{wanted['prefix']}/" if wanted["prefix"] else ""
        entries: dict[str, dict[str, Any]] = {}
        for key, (content, _, when) in sorted(self.buckets[bucket].items()):
            if not key.startswith(prefix):
                continue
            name, below, _ = key[len(prefix) :].partition("/")
            stored = {"id": key, "updated_at": _moment(when), "metadata": {"size": len(content)}}
            entries[name] = {"name": name, "id": None} if below else {"name": name, **stored}
        some = list(entries.values())[wanted["offset"] : wanted["offset"] + wanted["limit"]]
        return httpx.Response(200, json=some)


def _moment(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def token_of(url: str) -> str:
    """The token of a signed address."""
    return parse_qs(url.partition("?")[2])["token"][0]
