"""What is sent, and what may come back: a status, silence while the client itself dawdles, or a closed door."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass

CLOSED = 0
"""The server hung up without an answer, which bytes that are no HTTP deserve."""
SILENT = -1
"""Nothing came while the client held the rest of its request back; fair, and the client hangs up."""
RESET = -2
"""What the client does itself: it resets the connection and hears nothing."""

Pause = float
Step = bytes | Pause


@dataclass(frozen=True, slots=True)
class Oddity:
    """One conversation: bytes and pauses in turn, and what each answer may be."""

    name: str
    steps: tuple[Step, ...]
    allowed: frozenset[int]
    reset: bool = False
    """Whether the client ends with a reset instead of waiting."""


def oddities(token: str) -> Iterator[Oddity]:
    """All of them; `token` is a customer's."""
    yield from _framing()
    yield from _targets()
    yield from _headers(token)
    yield from _bodies(token)
    yield from _partings(token)


def request(
    method: str, target: str, *headers: str, body: bytes = b"", length: bool = True, version: str = "HTTP/1.1"
) -> bytes:
    """A request, its length told unless that is the point."""
    lines = [f"{method} {target} {version}", "Host: 127.0.0.1", *headers]
    if body and length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def posted(body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """The body as somebody who signs in would post it."""
    return request("POST", "/v1/sessions", f"Content-Type: {kind}", "Connection: close", *headers, body=body)


def _odd(name: str, *steps: Step, to: tuple[int, ...], reset: bool = False) -> Oddity:
    return Oddity(name, steps, frozenset(to), reset)


def _framing() -> Iterator[Oddity]:
    get = request("GET", "/version")
    yield _odd("nothing at all", b"", 0.2, to=(SILENT, CLOSED))
    yield _odd("half a request line", b"GET /ver", 0.3, to=(SILENT, CLOSED))
    yield _odd("headers without an end", get[:-2], 0.3, to=(SILENT, CLOSED))
    slowly = [step for index in range(len(get)) for step in (get[index : index + 1], 0.005)]
    yield _odd("a byte at a time", *slowly, to=(200,))
    yield _odd("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64, to=(CLOSED, 400))
    yield _odd("words", b"hello, is anybody there?\r\n\r\n", to=(CLOSED, 400))
    yield _odd("HTTP/0.9", b"GET /version\r\n\r\n", to=(CLOSED, 400, 200))
    yield _odd("HTTP/1.0", request("GET", "/version", version="HTTP/1.0"), to=(200,))
    yield _odd("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", to=(CLOSED, 400))
    yield _odd("HTTP/9.9", request("GET", "/version", version="HTTP/9.9"), to=(CLOSED, 400))
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    yield _odd("HTTP/2 upgrade", request("GET", "/version", *upgrade), to=(200, 400))
    socket = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")
    yield _odd("WebSocket upgrade", request("GET", "/v1/jobs", *socket), to=(200, 400, 404, 426))
    yield _odd("pipelined", get * 5, to=(200,))
    wrong = request("GET", "/nowhere") + request("BREW", "/v1/jobs") + get
    yield _odd("pipelined, the good after the bad", wrong, to=(200, 400, 404, 405, CLOSED))
    both = ("Content-Type: application/json", "Content-Length: 4", "Transfer-Encoding: chunked")
    yield _odd(
        "two lengths that disagree",
        request("POST", "/v1/sessions", *both, length=False) + b"0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
        to=(CLOSED, 400, 404, 422),
    )
    twice = ("Content-Type: application/json", "Content-Length: 2", "Content-Length: 7")
    yield _odd("Content-Length twice", request("POST", "/v1/sessions", *twice) + b"{}     ", to=(CLOSED, 400, 422))
    for length in ("-1", "abc", "1e3", "0x10", "99999999999999999999", "+5", "5, 5"):
        said = request("POST", "/v1/sessions", "Content-Type: application/json", f"Content-Length: {length}")
        yield _odd(f"Content-Length {length}", said + b"{}", 0.2, to=(CLOSED, SILENT, 400, 413, 422))
    for coding in ("gzip", "chunked, gzip", "xchunked", "chunked\x00"):
        said = request("POST", "/v1/sessions", "Content-Type: application/json", f"Transfer-Encoding: {coding}")
        yield _odd(f"Transfer-Encoding {coding!r}", said + b"2\r\n{}\r\n0\r\n\r\n", to=(CLOSED, SILENT, 400, 422))
    chunked = request("POST", "/v1/sessions", "Content-Type: application/json", "Transfer-Encoding: chunked")
    for name, chunks in (
        ("chunks of no size", b"zz\r\n{}\r\n0\r\n\r\n"),
        ("a negative chunk", b"-2\r\n{}\r\n0\r\n\r\n"),
        ("a chunk too long for its size", b"1\r\n{}\r\n0\r\n\r\n"),
        ("a chunk of all the memory", b"FFFFFFFFFFFFFFFFF\r\n{}"),
        ("chunk extensions", b"2;a=" + b"b" * 5000 + b"\r\n{}\r\n0\r\n\r\n"),
        ("trailers", b"2\r\n{}\r\n0\r\nX-Late: yes\r\nContent-Length: 9\r\n\r\n"),
    ):
        yield _odd(name, chunked + chunks, 0.2, to=(CLOSED, SILENT, 400, 422))
    yield _odd("a bare LF for every line end", get.replace(b"\r\n", b"\n"), to=(CLOSED, SILENT, 200, 400))
    yield _odd("a header folded over two lines", request("GET", "/version", "X-Fold: a\r\n b"), to=(CLOSED, 200, 400))
    yield _odd("a space before the colon", request("GET", "/version", "X-Odd : a"), to=(CLOSED, 200, 400))
    yield _odd("empty lines first", b"\r\n\r\n" + get, to=(200, CLOSED, 400))
    yield _odd("a body with GET", request("GET", "/version", body=b"x" * 100), to=(200, 400))


def _targets() -> Iterator[Oddity]:
    for method in ("BREW", "get", "PROPFIND", "CONNECT", "TRACE", "OPTIONS", "HEAD", "QUERY", "G\x01T", "G" * 5000):
        told = (200, 204, 400, 401, 404, 405, CLOSED)
        yield _odd(f"method {method[:10]!r}", request(method, "/v1/jobs", "Connection: close"), to=told)
    for target in (
        "*",
        "http://127.0.0.1/v1/jobs",
        "http://other.example/v1/jobs",
        "//v1/jobs",
        "/v1//jobs",
        "/v1/jobs/",
        "/v1/../v1/jobs",
        "/v1/jobs/..%2f..%2fetc%2fpasswd",
        "/v1%2fjobs",
        "/v1/jobs/%00",
        "/v1/jobs/%ff%fe",
        "/v1/jobs/%ed%a0%80",
        "/v1/jobs/%",
        "/v1/jobs/%zz",
        "/v1/jobs?text=%00",
        "/v1/jobs?text=%ff%fe",
        "/v1/jobs?text=%ed%a0%80",
        "/v1/jobs?%00=%00",
        "/v1/jobs?limit=%EF%BC%91",
        "/v1/jobs?limit=1&limit=2",
        "/v1/jobs?cursor=" + "A" * 499,
        "/v1/jobs?text=" + "x" * 20_000,
        "/v1/jobs?" + "&".join(f"a{number}=1" for number in range(3000)),
        "/v1/jobs?&&&=&=;",
        "/v1/jobs#part",
        "v1/jobs",
        "/" + "a/" * 3000,
        "/static-offline-docs/../../../etc/passwd",
        "/static-offline-docs/%2e%2e/%2e%2e/setup.py",
        "/static-offline-docs/%00",
        "/static-offline-docs/" + "a" * 4000,
        "/pay/%00",
        "/bookings/%ff",
    ):
        sane = (200, 400, 401, 404, 405, 414, 422, 431, CLOSED)
        yield _odd(f"target {target[:60]!r}", request("GET", target, "Connection: close"), to=sane)
    raw = "GET /v1/jobs/é\udcff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("utf-8", "surrogateescape")
    yield _odd("a target that is no ASCII", raw, to=(CLOSED, 400, 404, 422))


def _headers(token: str) -> Iterator[Oddity]:
    ask = ("GET", "/v1/me", "Connection: close")
    good = f"Authorization: Bearer {token}"
    yield _odd("signed in", request(*ask, good), to=(200,))
    yield _odd("Authorization twice, the same", request(*ask, good, good), to=(200, 400, 401))
    yield _odd("Authorization twice, one bad", request(*ask, good, "Authorization: Bearer x"), to=(200, 400, 401))
    for value in (
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "bearer " + token,
        "Bearer " + "x" * 8000,
        "Bearer a.b.c",
        "Bearer \u00e9\udcff",
        "Bearer ey.ey.",
        "Bearer " + token[:-2],
        token,
    ):
        yield _odd(
            f"Authorization {value[:20]!r}", request(*ask, f"Authorization: {value}"), to=(200, 400, 401, CLOSED)
        )
    yield _odd("no Host", b"GET /version HTTP/1.1\r\nConnection: close\r\n\r\n", to=(200, 400))
    yield _odd("two Hosts", request("GET", "/version", "Host: other", "Connection: close"), to=(200, 400))
    yield _odd("a Host that is none", request("GET", "/", "Host: \x7f<>", "Connection: close"), to=(200, 400, CLOSED))
    many = tuple(f"X-Many-{number}: {number}" for number in range(2000))
    yield _odd(
        "two thousand headers", request("GET", "/version", "Connection: close", *many), to=(200, 400, 431, CLOSED)
    )
    yield _odd("a header of 200 kB", request("GET", "/version", "X-Big: " + "b" * 200_000), to=(200, 400, 431, CLOSED))
    slow = [part for number in range(30) for part in (f"X-Slow-{number}: 1\r\n".encode(), 0.02)]
    yield _odd("slow headers", b"GET /version HTTP/1.1\r\n", *slow, b"Host: x\r\n\r\n", to=(200,))
    yield _odd("slow headers without an end", b"GET /version HTTP/1.1\r\n", *slow, to=(SILENT, CLOSED))
    for name, value in (
        ("X-Request-ID", "x" * 5000),
        ("X-Request-ID", "\u00e9\udcff"),
        ("If-None-Match", '"' * 3000),
        ("If-None-Match", "\udcff\udcfe"),
        ("Accept-Encoding", "gzip;q=2, *;q=x"),
        ("Range", "bytes=9999999999999999999-"),
        ("Range", "bytes=" + ",".join(["0-1"] * 2000)),
        ("Cookie", "=" * 4000),
        ("X-Forwarded-For", "\u00e9, " * 500),
        ("X-Forwarded-Proto", "gopher"),
        ("Origin", "null"),
        ("Expect", "200-ok"),
        ("Accept", "\udcff"),
        ("User-Agent", "\udcff" * 300),
        ("traceparent", "00-" + "z" * 100),
    ):
        said = request("GET", "/v1/jobs?limit=1", "Connection: close", f"{name}: {value}")
        yield _odd(f"{name} {value[:12]!r}", said, to=(200, 206, 304, 400, 416, 417, 431, CLOSED))
    range_of = request("GET", "/static-offline-docs/favicon.png", "Range: bytes=5-2,-0,x", "Connection: close")
    yield _odd("a Range that is none of a file", range_of, to=(200, 206, 400, 416))


def _bodies(token: str) -> Iterator[Oddity]:
    signing = {"email": "nobody@example.org", "password": "x" * 12}
    told = (400, 401, 413, 415, 422, CLOSED)
    deep = 100_000
    for name, body in (
        ("a lone surrogate", b'{"email": "\\ud800", "password": "\\udfff\\ud83d"}'),
        ("NaN", b'{"email": NaN, "password": Infinity}'),
        ("-Infinity", b"-Infinity"),
        ("1e999", b'{"email": 1e999, "password": -1e-999}'),
        ("a number of 10,000 digits", b'{"email": ' + b"9" * 10_000 + b"}"),
        ("duplicated keys", b'{"email": "a@example.org", "email": {}, "password": "x", "password": []}'),
        ("nested lists", b"[" * deep + b"]" * deep),
        ("nested objects", b'{"a":' * deep + b"1" + b"}" * deep),
        ("nested in a field", b'{"email": ' + b"[" * 800 + b"]" * 800 + b"}"),
        ("a NUL in a string", b'{"email": "\\u0000@example.org", "password": "\\u0000"}'),
        ("a raw NUL", b'{"email": "a\0"}'),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("UTF-16", json.dumps(signing).encode("utf-16")),
        ("no UTF-8", b'{"email": "\xff\xfe"}'),
        ("overlong UTF-8", b'{"email": "\xc0\xaf"}'),
        ("comments", b'{/* */ "email": "x"} // y'),
        ("trailing commas", b'{"email": "x",}'),
        ("two documents", b"{}{}"),
        ("a prototype", b'{"__proto__": {"admin": true}, "constructor": 1}'),
        ("10,000 keys", json.dumps({f"key{number}": number for number in range(10_000)}).encode()),
        ("an empty string", b'""'),
        ("10 MB", b'{"email": "' + b"x" * 10_000_000 + b'"}'),
        ("gzip nobody told of", gzip.compress(json.dumps(signing).encode())),
    ):
        yield _odd(f"JSON: {name}", posted(body), to=told)
    squeezed = posted(gzip.compress(json.dumps(signing).encode()), "Content-Encoding: gzip")
    yield _odd("a gzip body", squeezed, to=told)
    bomb = posted(gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip")
    yield _odd("a gzip bomb", bomb, to=told)
    for kind in (
        "text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=klingon",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/json, text/html",
        "\udcff/json",
        "application/" + "x" * 5000,
        ";;;",
    ):
        yield _odd(f"Content-Type {kind[:40]!r}", posted(json.dumps(signing).encode(), kind=kind), to=told)
    key = f"Authorization: Bearer {token}"
    wish = json.dumps({"job_id": "019ceb29-8d00-7a10-8a41-4a0f9e3bb7c2", "starts_at": "2030-01-01T10:00:00Z"}).encode()
    booking = ("Content-Type: application/json", "Connection: close", key)
    for name, keys in (
        ("twice", ("Idempotency-Key: one", "Idempotency-Key: two")),
        ("of 5,000 letters", ("Idempotency-Key: " + "k" * 5000,)),
        ("that is no text", ("Idempotency-Key: \udcff\udcfe",)),
        ("of one quote", ('Idempotency-Key: "',)),
    ):
        said = request("POST", "/v1/bookings", *booking, *keys, body=wish)
        yield _odd(f"Idempotency-Key {name}", said, to=(400, 404, 409, 422, CLOSED))
    for name, versions in (
        ("twice", ('If-Match: "1"', 'If-Match: "2"')),
        ("of 40 digits", (f'If-Match: "{"9" * 40}"',)),
    ):
        said = request("PATCH", "/v1/me/profile", *booking, *versions, body=b'{"headline": "Hello"}')
        yield _odd(f"If-Match {name}", said, to=(400, 412, 422))
    hook = request("POST", "/webhooks/simulated", "Connection: close", "Simulated-Signature: t=1,v1=\udcff", body=b"{}")
    yield _odd("a webhook signed with no text", hook, to=(400, 401))
    yield _odd("a webhook of 10 MB", request("POST", "/webhooks/stripe", body=b"x" * 10_000_000), to=(404, 413, CLOSED))
    expect = request(
        "POST", "/v1/sessions", "Content-Type: application/json", "Expect: 100-continue", "Content-Length: 2"
    )
    yield _odd("100-continue", expect, 0.1, b"{}", to=(100, 422))
    yield _odd("100-continue, and then nothing", expect, 0.3, to=(100, SILENT, CLOSED))


def _partings(token: str) -> Iterator[Oddity]:
    big = posted(b'{"email": "' + b"x" * 900_000 + b'"}')
    yield _odd("a reset in the middle of a body", big[:200_000], to=(RESET, CLOSED), reset=True)
    yield _odd("a reset before the answer", posted(b"{}"), to=(RESET, CLOSED, 422), reset=True)
    yield _odd("a body that never comes", posted(b"{}" * 500)[:-700], 0.3, to=(SILENT, CLOSED))
    chunked = request("POST", "/v1/sessions", "Content-Type: application/json", "Transfer-Encoding: chunked")
    yield _odd("a reset in the middle of a chunk", chunked + b"ffff\r\n{", to=(RESET, CLOSED), reset=True)
    endless = [part for _ in range(40) for part in (b"8000\r\n" + b"x" * 0x8000 + b"\r\n", 0.001)]
    yield _odd("chunks beyond the bound", chunked, *endless, to=(413, CLOSED))
    listing = request("GET", "/openapi.json", f"Authorization: Bearer {token}")
    yield _odd("a reset while it is answered", listing, 0.01, to=(RESET, CLOSED, 200), reset=True)
