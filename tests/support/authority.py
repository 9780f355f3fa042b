"""Google and GitHub on this machine: a real HTTP server with a consent page, codes that work once, PKCE, client
secrets, signed id tokens and the keys to verify them. What people and tests may want to go wrong is said in `mood`.

    async with authority() as there:
        there.people["mia"] = Person(...)
"""

import base64
import hashlib
import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.support.house import MONDAY

CLIENT_ID, CLIENT_SECRET = "guildhall-at-the-authority", "a secret between the two"


@lru_cache
def signing_key(name: str) -> rsa.RSAPrivateKey:
    """The key of that name; making one takes a while."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Person:
    """Somebody with an account there."""

    subject: str
    email: str | None
    verified: bool = True
    name: str = "Mia"


@dataclass
class Asked:
    """What a code stands for."""

    person: Person
    challenge: str
    callback: str
    nonce: str


@dataclass
class Authority:
    """The server. `claims` replaces claims of id tokens; `signs_with` names the key; `mood` is "well", "down",
    "hangs up", "declines" (a token endpoint that says no, with 200 as GitHub does) or "garbled"."""

    address: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    mood: str = "well"
    claims: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "first"
    publishes: tuple[str, ...] = ("first",)
    now: datetime = MONDAY
    asked: dict[str, Asked] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)
    exchanges: int = 0
    key_requests: int = 0
    _numbers: Any = field(default_factory=lambda: count(1))

    def app(self) -> web.Application:
        """Both providers, under the paths they have."""
        app = web.Application()
        for path in ("/o/oauth2/v2/auth", "/login/oauth/authorize"):
            app.router.add_get(path, self.consent)
        app.router.add_post("/consent", self.consented)
        app.router.add_post("/token", self.google_token)
        app.router.add_post("/login/oauth/access_token", self.github_token)
        app.router.add_get("/certs", self.certs)
        app.router.add_get("/user", self.user)
        app.router.add_get("/user/emails", self.emails)
        return app

    async def consent(self, request: web.Request) -> web.Response:
        """The page on which somebody says who they are, and agrees."""
        asked = request.query
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) >= 32
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">'
            for name in ("redirect_uri", "state", "nonce", "code_challenge")
        )
        people = "".join(f'<button name="who" value="{name}">{name}</button>' for name in self.people)
        page = f"""<!doctype html><link rel="icon" href="data:,"><title>Consent</title><h1>Who are you?</h1>
            <form method="post" action="/consent">{hidden}{people}<button name="who" value="">Cancel</button></form>"""
        return web.Response(text=page, content_type="text/html")

    async def consented(self, request: web.Request) -> web.Response:
        """Back to where they came from."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        return web.Response(status=302, headers={"Location": self.agree(form)})

    def agree(self, asked: dict[str, str]) -> str:
        """Where the browser goes after that form."""
        callback, state = asked["redirect_uri"], asked["state"]
        if not asked["who"]:
            return f"{callback}?error=access_denied&state={state}"
        code = f"code{next(self._numbers)}"
        self.asked[code] = Asked(self.people[asked["who"]], asked["code_challenge"], callback, asked.get("nonce", ""))
        return f"{callback}?code={code}&state={state}&scope=openid&authuser=0"

    async def google_token(self, request: web.Request) -> web.Response:
        """A code for an id token."""
        person, asked, no = await self._exchange(request)
        if no or person is None or asked is None:
            return web.json_response({"error": no}, status=400)
        issued = int(self.now.timestamp())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "sub": person.subject,
            "email": person.email,
            "email_verified": person.verified,
            "name": person.name,
            "nonce": asked.nonce,
            "iat": issued,
            "exp": issued + 3600,
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(kept, signing_key(self.signs_with), algorithm="RS256", headers={"kid": self.signs_with})
        return web.json_response({"access_token": "at", "expires_in": 3599, "token_type": "Bearer", "id_token": signed})

    async def github_token(self, request: web.Request) -> web.Response:
        """A code for an access token; refusals are answered with 200."""
        person, _, no = await self._exchange(request)
        if no or person is None:
            return web.json_response({"error": "bad_verification_code" if no == "invalid_grant" else no})
        token = f"gho_{next(self._numbers)}"
        self.tokens[token] = person
        return web.json_response({"access_token": token, "scope": "read:user,user:email", "token_type": "bearer"})

    async def user(self, request: web.Request) -> web.Response:
        """Whose token it is."""
        person = self._bearer(request)
        return web.json_response({"id": int(person.subject), "login": "mia-codes", "name": person.name, "email": None})

    async def emails(self, request: web.Request) -> web.Response:
        """Their addresses: an old one that is confirmed, and the one GitHub writes to."""
        person = self._bearer(request)
        told = [{"email": "old@example.org", "primary": False, "verified": True}]
        if person.email:
            told.append({"email": person.email, "primary": True, "verified": person.verified})
        return web.json_response(told)

    async def certs(self, _: web.Request) -> web.Response:
        """The keys id tokens verify with, among others."""
        self.key_requests += 1
        if self.mood == "down":
            return web.Response(status=503, text="<html>we are down</html>")
        keys = [
            {**RSAAlgorithm.to_jwk(signing_key(name).public_key(), as_dict=True), "kid": name, "use": "sig"}
            for name in self.publishes
        ]
        return web.json_response({"keys": [{"kty": "EC", "kid": "odd"}, *keys]})

    async def _exchange(self, request: web.Request) -> tuple[Person | None, Asked | None, str]:
        self.exchanges += 1
        if self.mood == "down":
            raise web.HTTPServiceUnavailable(text="<html>we are down</html>")
        if self.mood == "hangs up" and request.transport:
            request.transport.close()
        if self.mood == "garbled":
            raise web.HTTPOk(text="certainly not JSON", content_type="text/html")
        if self.mood == "declines":
            return None, None, "invalid_grant"
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return None, None, "invalid_client"
        asked = self.asked.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or proven != asked.challenge or form.get("redirect_uri") != asked.callback:
            return None, None, "invalid_grant"
        return asked.person, asked, ""

    def _bearer(self, request: web.Request) -> Person:
        if self.mood == "garbled":
            raise web.HTTPOk(text="[]", content_type="application/json")
        if not request.headers.get("User-Agent"):
            raise web.HTTPForbidden(text="say who you are")
        return self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]


@asynccontextmanager
async def authority() -> AsyncIterator[Authority]:
    """The server, on a free port of the loopback."""
    there = Authority(people={"mia": Person("4711", "mia@example.org")})
    runner = web.AppRunner(there.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield there
    finally:
        await runner.cleanup()
