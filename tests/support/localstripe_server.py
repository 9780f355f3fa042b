"""Stripe's counterpart on this machine: `localstripe` in a process of its own, behind a proxy that adds what it lacks.

`localstripe` keeps the objects, takes cards, asks for second steps and signs webhooks. The proxy answers for it where
it rejects or does not know what real Stripe does: automatic payment methods, a refund's reason, idempotency keys,
refunds beyond what was captured, `amount_received`, payments without their owner at hand, and that a card which was
set up belongs to its customer. The production adapter knows nothing of this.

    def test_something(localstripe: str) -> None: ...          # the session's process, by its address
        async with local_stripe(localstripe) as local: ...     # emptied, behind a fresh proxy
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from aiohttp import web

from tests.support.localstripe_records import is_listing, listed

API_KEY = "sk_test_guildhall"
STARTED_WITHIN_SECONDS = 20.0

# Its own command line binds every interface and writes to /tmp; both are avoided here.
_RUN = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""

_LACKING = {
    "/v1/payment_intents": ("automatic_payment_methods",),
    "/v1/payment_intents/*/confirm": ("off_session",),
    "/v1/refunds": ("reason",),
}


@dataclass(slots=True)
class LocalStripe:
    """A running counterpart: `api_base` for the adapter, and the customer's side of it for the test."""

    api_base: str
    direct: httpx.AsyncClient
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """What the adapter sent: method, path, headers (lower case)."""
    heard: bool = False
    """Whether somebody listens to its webhooks."""

    async def send_webhooks_to(self, url: str, secret: str) -> None:
        """Sign events with this secret and post them there, about a second after they happen."""
        (await self.direct.post("/_config/webhooks/tests", data={"url": url, "secret": secret})).raise_for_status()
        self.heard = True

    async def pay(self, ref: str, card: str) -> None:
        """Do what Stripe.js does when the customer enters this card number."""
        made = await self.direct.post(
            "/v1/payment_methods",
            data={
                "type": "card",
                "card[number]": card,
                "card[exp_month]": "12",
                "card[exp_year]": "2040",
                "card[cvc]": "123",
            },
        )
        made.raise_for_status()
        chosen = await self.direct.post(f"/v1/payment_intents/{ref}", data={"payment_method": made.json()["id"]})
        chosen.raise_for_status()
        confirmed = await self.direct.post(f"/v1/payment_intents/{ref}/confirm")
        if confirmed.status_code != 402:
            confirmed.raise_for_status()

    async def give(self, setup_ref: str, card: str) -> None:
        """Do what Stripe.js does when the customer lets a card be kept."""
        made = await self.direct.post(
            "/v1/payment_methods",
            data={
                "type": "card",
                "card[number]": card,
                "card[exp_month]": "12",
                "card[exp_year]": "2040",
                "card[cvc]": "123",
            },
        )
        method = made.json()["id"]
        confirm = f"/v1/setup_intents/{setup_ref}/confirm"
        setup = await self.direct.post(confirm, data={"payment_method": method})
        setup.raise_for_status()
        if setup.json()["status"] == "requires_action":
            (await self.direct.post(confirm)).raise_for_status()  # its owner says yes
        attached = await self.direct.post(
            f"/v1/payment_methods/{method}/attach", data={"customer": setup.json()["customer"]}
        )
        attached.raise_for_status()

    async def authenticate(self, ref: str, client_secret: str, approved: bool) -> None:
        """Finish the second step as the customer's bank would."""
        answer = await self.direct.post(
            f"/v1/payment_intents/{ref}/_authenticate",
            data={"client_secret": client_secret, "success": "true" if approved else "false", "key": "pk_test_x"},
        )
        answer.raise_for_status()


@contextmanager
def localstripe_process() -> Iterator[str]:
    """Run it on a free port of the loopback interface; its address. It is gone after the block."""
    port = _free_port()
    with subprocess.Popen([sys.executable, "-c", _RUN, str(port)], stdin=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def localstripe() -> Iterator[str]:
    """One process for the tests of a session, by its address."""
    with localstripe_process() as address:
        yield address


@asynccontextmanager
async def local_stripe(address: str) -> AsyncIterator[LocalStripe]:
    """The running process, emptied of what it knew, behind a proxy of its own."""
    async with httpx.AsyncClient(base_url=address, headers={"authorization": f"Bearer {API_KEY}"}) as direct:
        (await direct.delete("/_config/data")).raise_for_status()
        stripe = LocalStripe(api_base="", direct=direct)
        async with served(_Proxy(stripe).handle) as api_base:
            stripe.api_base = api_base
            yield stripe


@asynccontextmanager
async def served(handle: Any) -> AsyncIterator[str]:
    """Answer every request with this handler on a free port of the loopback interface; the address of it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port := _free_port())
        await site.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


class _Proxy:
    """Between our adapter and localstripe."""

    def __init__(self, stripe: LocalStripe) -> None:
        self._stripe = stripe
        self._answers: dict[str, tuple[str, int, bytes]] = {}
        self._taken: dict[str, int] = {}

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._stripe.requests.append(
            (request.method, request.path, {name.lower(): value for name, value in request.headers.items()})
        )
        if request.method == "GET" and is_listing(request.path, request.query):
            found = await listed(self._stripe.direct, request.path, request.query, heard=self._stripe.heard)
            found["data"] = [self._complete(thing) for thing in found["data"]]
            return web.json_response(found)
        key = request.headers.get("idempotency-key")
        if request.method != "POST" or key is None:
            return await self._answer(request, body)
        print_ = sha256(request.path.encode() + body).hexdigest()
        if known := self._answers.get(key):
            if known[0] != print_:
                return _error(400, "idempotency_error", None, "Keys can only be used with the same parameters.")
            return web.Response(status=known[1], body=known[2], content_type="application/json")
        answer = await self._answer(request, body)
        if answer.status != 400:
            assert isinstance(answer.body, bytes)
            self._answers[key] = (print_, answer.status, answer.body)
        return answer

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
        lacking = next((fields for path, fields in _LACKING.items() if fnmatchcase(request.path, path)), ())
        fields = [(name, value) for name, value in fields if name.split("[")[0] not in lacking]
        if request.method == "POST" and request.path == "/v1/refunds" and (refusal := await self._over(dict(fields))):
            return refusal
        if request.method == "POST" and (refusal := await self._unlike_stripe(request.path, dict(fields))):
            return refusal
        answer = await self._stripe.direct.request(
            request.method,
            request.path_qs,
            content=urlencode(fields),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        try:
            if request.path.endswith("/capture") and answer.is_success:
                self._taken[request.path.split("/")[3]] = int(dict(fields)["amount_to_capture"])
            told = self._complete(answer.json())
        except ValueError:
            # It crashes where real Stripe refuses, for instance on refunding what was never paid.
            return _error(400, "invalid_request_error", "charge_not_refundable", "This has no successful charge.")
        return web.json_response(told, status=answer.status_code)

    def _complete(self, told: dict[str, Any]) -> dict[str, Any]:
        if told.get("object") == "payment_intent":
            taken = self._taken.get(told["id"], told["amount"])
            told["amount_received"] = taken if told["status"] == "succeeded" else 0
        return told

    async def _unlike_stripe(self, path: str, fields: dict[str, str]) -> web.Response | None:
        """What real Stripe refuses: to take what is not set aside, and to keep cards for nobody it knows."""
        direct = self._stripe.direct
        if path.endswith("/capture"):
            intent = (await direct.get(path.removesuffix("/capture"))).json()
            if intent.get("status") != "requires_capture":
                return _error(400, "invalid_request_error", "payment_intent_unexpected_state", "Nothing to capture.")
        if path == "/v1/setup_intents" and (await direct.get(f"/v1/customers/{fields['customer']}")).is_error:
            return _error(400, "invalid_request_error", "resource_missing", "No such customer.")
        return None

    async def _over(self, fields: dict[str, str]) -> web.Response | None:
        intent = (await self._stripe.direct.get(f"/v1/payment_intents/{fields['payment_intent']}")).json()
        if intent.get("status") != "succeeded":
            return None
        listed = await self._stripe.direct.get("/v1/refunds", params={"payment_intent": fields["payment_intent"]})
        gone = sum(refund["amount"] for refund in listed.json()["data"])
        if gone + int(fields["amount"]) <= intent["amount"]:
            return None
        return _error(
            400, "invalid_request_error", "charge_already_refunded", "Refund amount is greater than unrefunded amount."
        )


def _error(status: int, kind: str, code: str | None, message: str) -> web.Response:
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return web.Response(status=status, body=json.dumps({"error": error}).encode(), content_type="application/json")


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTED_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"localstripe does not answer, it ended with {process.poll()}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
