"""Supabase's Auth (GoTrue) on the HTTP transport: small, and faithful where it matters.

It confirms addresses or not, hides who is known, rotates refresh tokens, ends a session whose token comes back later,
knows PKCE, bans, recovers, invites, and says no in both shapes it is known for. Facts are those of docs of August 2026.

    auth = GoTrue(clock); httpx.AsyncClient(transport=httpx.MockTransport(auth.handle))
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from application.ports.clock import Clock

URL = "https://proj.supabase.test"
PUBLISHABLE, SECRET = "sb_publishable_test", "sb_secret_test"
REUSE_INTERVAL = timedelta(seconds=10)
LIFETIME = timedelta(hours=1)
LINK_LIFETIME = timedelta(hours=1)


@lru_cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    """The project's key."""
    return ec.generate_private_key(ec.SECP256R1())


class No(Exception):
    """A refusal: its status and code."""

    def __init__(self, status: int, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.more = status, code, more


@dataclass
class Account:
    """A row of auth.users."""

    email: str
    password: str
    metadata: dict[str, Any]
    id: UUID = field(default_factory=uuid4)
    confirmed_at: datetime | None = None
    banned_until: datetime | None = None
    new_email: str | None = None
    half_confirmed: bool = False


@dataclass
class Link:
    """A one-time token, kept as its hash."""

    account: UUID
    kind: str
    sent_at: datetime
    used: bool = False


@dataclass
class Token:
    """A refresh token; `parent` is the one it came from."""

    value: str
    session: UUID
    parent: str | None
    revoked_at: datetime | None = None


@dataclass
class GoTrue:
    """One project. `confirms`: whether an address is confirmed by mail before anybody signs in. `secure_change`:
    whether a change of it is confirmed at both. `worded`: whether the
    newer shape of refusals is spoken when it is asked for. `mood`: "well", "down" (a gateway's page), "silent"
    (a time-out), "busy" (429), "odd" (a code nobody has heard of), or "conflict" (once, for a refresh)."""

    clock: Clock
    confirms: bool = True
    worded: bool = True
    mood: str = "well"
    secure_change: bool = False
    accounts: dict[UUID, Account] = field(default_factory=dict)
    sessions: dict[UUID, UUID] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    codes: dict[str, tuple[UUID, str, datetime]] = field(default_factory=dict)
    mails: list[dict[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    identities: dict[str, Account] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def renew(self) -> None:
        """Begin anew: an empty project that is well."""
        vars(self).update(vars(GoTrue(self.clock)))

    # --- the wire -----------------------------------------------------------------------------------------------------

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request."""
        path = request.url.path.removeprefix("/auth/v1")
        assert request.url.path.startswith("/auth/v1"), request.url
        body = json.loads(request.content) if request.content else {}
        self.asked.append((request.method, path, body))
        if self.mood == "silent":
            raise httpx.ReadTimeout("nobody answers", request=request)
        if self.mood == "down":
            return httpx.Response(502, text="<html>bad gateway</html>", headers={"content-type": "text/html"})
        if self.mood == "garbled":
            return httpx.Response(200, text="<html>welcome</html>", headers={"content-type": "text/html"})
        try:
            if self.mood == "busy":
                raise No(429, "over_request_rate_limit")
            if self.mood == "odd":
                raise No(400, "a_code_of_next_year")
            public = path.startswith("/.well-known/")
            if not public and request.headers.get("apikey") not in (PUBLISHABLE, SECRET):
                raise No(401, "no_authorization")
            return self._route(request, path, body)
        except No as no:
            return self._no(request, no)

    def _no(self, request: httpx.Request, no: No) -> httpx.Response:
        headers = {"x-sb-error-code": no.code}
        if no.status == 429:
            headers["retry-after"] = "7"
        if self.worded and request.headers.get("x-supabase-api-version") == "2024-01-01":
            return httpx.Response(no.status, json={"code": no.code, "message": "no", **no.more}, headers=headers)
        told = {"code": no.status, "error_code": no.code, "msg": "no", **no.more}
        return httpx.Response(no.status, json=told, headers={} if self.worded else headers)

    def _route(self, request: httpx.Request, path: str, body: dict[str, Any]) -> httpx.Response:
        query = {name: values[0] for name, values in parse_qs(urlsplit(str(request.url)).query).items()}
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("POST", "/signup"): lambda: self._sign_up(body),
            ("POST", "/token"): lambda: self._token(query["grant_type"], body),
            ("POST", "/recover"): lambda: self._recover(body),
            ("POST", "/otp"): lambda: self._otp(body),
            ("POST", "/resend"): lambda: self._resend(body),
            ("POST", "/verify"): lambda: self._verify(body),
            ("POST", "/logout"): lambda: self._log_out(bearer, query.get("scope", "global")),
            ("PUT", "/user"): lambda: self._change(bearer, body),
            ("GET", "/user"): lambda: self._shown(self._bearer(bearer)[0]),
            ("GET", "/settings"): lambda: {"mailer_autoconfirm": not self.confirms, "external": {"email": True}},
            ("GET", "/.well-known/jwks.json"): self.jwks,
            ("GET", "/admin/users"): lambda: self._admin(request, lambda: self._listed(query)),
            ("POST", "/admin/users"): lambda: self._admin(request, lambda: self._create(body)),
            ("POST", "/admin/generate_link"): lambda: self._admin(request, lambda: self._generate(body)),
        }
        if found := re.fullmatch(r"/admin/users/([0-9a-f-]{36})", path):
            answer = self._admin(request, lambda: self._one(request.method, UUID(found[1]), body))
        elif (request.method, path) in routes:
            answer = routes[request.method, path]()
        else:
            raise No(404, "not_found")
        return httpx.Response(204) if answer is None else httpx.Response(200, json=answer)

    def _admin(self, request: httpx.Request, act: Callable[[], Any]) -> Any:
        if request.headers.get("apikey") != SECRET:
            raise No(403, "not_admin")
        if request.headers.get("authorization"):
            raise No(401, "bad_jwt")  # a key of the new kind is no token
        return act()

    # --- accounts -----------------------------------------------------------------------------------------------------

    def _sign_up(self, body: dict[str, Any]) -> Any:
        self._must_be_strong(body["password"])
        email = body["email"].lower()
        known = self.by_email(email)
        if known is not None and (known.confirmed_at or not self.confirms):
            if not self.confirms:
                raise No(422, "user_already_exists")
            # Nobody learns that there is somebody: an answer as good as any, of a user who is nobody.
            nobody = Account(email, "", body.get("data", {}))
            return {**self._shown(nobody), "identities": []}
        account = known or self.add(email, body["password"], **body.get("data", {}))
        if not self.confirms:
            account.confirmed_at = self.clock.now()
            return self._open(account)
        self._mail(account, "signup")
        return self._shown(account)

    def _otp(self, body: dict[str, Any]) -> Any:
        account = self.by_email(body["email"])
        if account is None:
            if not body.get("create_user", True):
                raise No(422, "otp_disabled")
            account = self.add(body["email"], "")
        self._mail(account, "magiclink" if account.confirmed_at else "signup")
        return {}

    def _recover(self, body: dict[str, Any]) -> Any:
        if account := self.by_email(body["email"]):
            self._mail(account, "recovery")
        return {}

    def _resend(self, body: dict[str, Any]) -> Any:
        account = self.by_email(body["email"])
        if body["type"] == "signup" and account and not account.confirmed_at:
            self._mail(account, "signup")
        return {}

    def _verify(self, body: dict[str, Any]) -> Any:
        if body.keys() != {"type", "token_hash"}:
            raise No(400, "validation_failed")
        link = self.links.get(body["token_hash"])
        takes = {"email": {"signup", "invite", "recovery", "magiclink"}, "signup": {"signup", "invite"}}
        fits = takes.get(body["type"], {body["type"], "recovery" if body["type"] == "magiclink" else ""})
        late = link is None or link.used or link.kind not in fits
        if link is None or late or self.clock.now() >= link.sent_at + LINK_LIFETIME:
            raise No(403, "otp_expired")
        account = self.accounts[link.account]
        self._must_be_welcome(account)
        link.used = True
        if link.kind == "email_change" and account.new_email:
            if self.secure_change and not account.half_confirmed:
                account.half_confirmed = True
                return {"msg": "Confirmation link accepted. Please proceed to confirm link sent to the other email"}
            if self.by_email(account.new_email):
                raise No(422, "email_exists")
            account.email, account.new_email, account.half_confirmed = account.new_email, None, False
        account.confirmed_at = account.confirmed_at or self.clock.now()
        return self._open(account)

    def _change(self, bearer: str, body: dict[str, Any]) -> Any:
        account, session = self._bearer(bearer)
        if "password" in body:
            if body["password"] == account.password:
                raise No(422, "same_password")
            self._must_be_strong(body["password"])
            account.password = body["password"]
            self._end(account.id, keep=session)
        if "email" in body:
            if self.by_email(body["email"]):
                raise No(422, "email_exists")
            account.new_email = body["email"].lower()
            self._mail(account, "email_change", to=account.new_email)
            if self.secure_change:
                self._mail(account, "email_change")
        return self._shown(account)

    def _listed(self, query: dict[str, str]) -> Any:
        page, size = int(query.get("page", 1)), int(query.get("per_page", 50))
        some = list(reversed(self.accounts.values()))[(page - 1) * size : page * size]
        return {"users": [self._shown(account) for account in some], "aud": "authenticated"}

    def _create(self, body: dict[str, Any]) -> Any:
        if self.by_email(body["email"]):
            raise No(422, "email_exists")
        self._must_be_strong(body["password"])
        account = self.add(body["email"].lower(), body["password"], **body.get("user_metadata", {}))
        account.confirmed_at = self.clock.now() if body.get("email_confirm") else None
        return self._shown(account)

    def _generate(self, body: dict[str, Any]) -> Any:
        account = self.by_email(body["email"])
        kind = body["type"]
        if account is None:
            if kind not in ("signup", "invite", "magiclink"):
                raise No(404, "user_not_found")
            account, kind = self.add(body["email"], body.get("password", "")), "signup"
        if kind.startswith("email_change"):
            account.new_email, kind = body["new_email"].lower(), "email_change"
        hashed = self._link(account, kind)
        return {**self._shown(account), "hashed_token": hashed, "verification_type": kind, "action_link": "..."}

    def _one(self, method: str, id: UUID, body: dict[str, Any]) -> Any:
        account = self.accounts.get(id)
        if account is None:
            raise No(404, "user_not_found")
        if method == "DELETE":
            del self.accounts[id]
            self._end(id)
            return {}
        if duration := body.get("ban_duration"):
            hours = None if duration == "none" else int(duration.removesuffix("h"))
            account.banned_until = None if hours is None else self.clock.now() + timedelta(hours=hours)
        return self._shown(account)

    # --- sessions -----------------------------------------------------------------------------------------------------

    def _token(self, grant: str, body: dict[str, Any]) -> Any:
        match grant:
            case "password":
                account = self.by_email(body["email"])
                if account is None or account.password != body["password"]:
                    raise No(400, "invalid_credentials")
                self._must_be_welcome(account)
                if account.confirmed_at is None:
                    raise No(400, "email_not_confirmed")
                return self._open(account)
            case "refresh_token":
                return self._refresh(body["refresh_token"])
            case "pkce":
                return self._exchange(body["auth_code"], body["code_verifier"])
            case _:
                raise No(400, "validation_failed")

    def _refresh(self, value: str) -> Any:
        if self.mood == "conflict":
            self.mood = "well"
            raise No(409, "conflict")
        token = self.tokens.get(value)
        if token is None:
            raise No(400, "refresh_token_not_found")
        account = self.accounts.get(self.sessions.get(token.session, UUID(int=0)))
        if account is None:
            raise No(400, "session_not_found")
        self._must_be_welcome(account)
        if token.revoked_at is None:
            token.revoked_at = self.clock.now()
            return self._answer(account, token.session, parent=value)
        current = next((t for t in self.tokens.values() if t.session == token.session and not t.revoked_at), None)
        if current is not None and current.parent == value:
            return self._answer(account, token.session, current=current)
        if self.clock.now() <= token.revoked_at + REUSE_INTERVAL:
            return self._answer(account, token.session, current=current) if current else self._reused(token)
        return self._reused(token)

    def _reused(self, token: Token) -> Any:
        self.sessions.pop(token.session, None)
        raise No(400, "refresh_token_already_used")

    def _exchange(self, code: str, verifier: str) -> Any:
        found = self.codes.pop(code, None)
        if found is None:
            raise No(404, "flow_state_not_found")
        account, challenge, made_at = found
        if self.clock.now() >= made_at + timedelta(minutes=5):
            raise No(422, "flow_state_expired")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if digest != challenge:
            self.codes[code] = found
            raise No(400, "bad_code_verifier")
        return self._open(self.accounts[account])

    def agree(self, address: str, email: str) -> str:
        """Where a browser comes back to that was sent to `/authorize` and whose person agreed."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert parts.path == "/auth/v1/authorize"
        assert asked["code_challenge_method"] == "s256"
        account = self.by_email(email) or self.add(email, "", full_name="Mia")
        account.confirmed_at = account.confirmed_at or self.clock.now()
        code = f"code-{next(self._numbers)}"
        self.codes[code] = (account.id, asked["code_challenge"], self.clock.now())
        return f"{asked['redirect_to']}{'&' if '?' in asked['redirect_to'] else '?'}code={code}"

    def _log_out(self, bearer: str, scope: str) -> None:
        account, session = self._bearer(bearer)
        match scope:
            case "local":
                self.sessions.pop(session, None)
            case "others":
                self._end(account.id, keep=session)
            case _:
                self._end(account.id)

    # --- what stands behind -------------------------------------------------------------------------------------------

    def add(self, email: str, password: str, **metadata: Any) -> Account:
        """A row, as it stands."""
        account = Account(email.lower(), password, metadata)
        self.accounts[account.id] = account
        return account

    def by_email(self, email: str) -> Account | None:
        """Whose address that is."""
        return next((each for each in self.accounts.values() if each.email == email.lower()), None)

    def mailed(self, email: str, kind: str) -> list[str]:
        """The token hashes of the links that were sent there, oldest first."""
        return [mail["token_hash"] for mail in self.mails if mail["to"] == email and mail["kind"] == kind]

    def jwks(self) -> dict[str, Any]:
        """The keys its tokens verify with."""
        jwk = ECAlgorithm.to_jwk(signing_key().public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": "project-key", "alg": "ES256", "use": "sig"}]}

    def _open(self, account: Account) -> Any:
        session = uuid4()
        self.sessions[session] = account.id
        return self._answer(account, session, parent=None)

    def _answer(
        self, account: Account, session: UUID, *, parent: str | None = None, current: Token | None = None
    ) -> Any:
        if current is None:
            current = Token(f"refresh{next(self._numbers):05}", session, parent)
            self.tokens[current.value] = current
        now = self.clock.now()
        claims = {
            "iss": f"{URL}/auth/v1",
            "sub": str(account.id),
            "aud": "authenticated",
            "role": "authenticated",
            "email": account.email,
            "session_id": str(session),
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": int(now.timestamp())}],
            "is_anonymous": False,
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": account.metadata,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": str(next(self._numbers)),
        }
        token = jwt.encode(claims, signing_key(), algorithm="ES256", headers={"kid": "project-key"})
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "expires_at": claims["exp"],
            "refresh_token": current.value,
            "user": self._shown(account),
        }

    def _bearer(self, token: str) -> tuple[Account, UUID]:
        try:
            said = jwt.decode(
                token, signing_key().public_key(), ["ES256"], {"verify_exp": False}, audience="authenticated"
            )
        except jwt.InvalidTokenError:
            raise No(403, "bad_jwt") from None
        session, account = UUID(said["session_id"]), self.accounts.get(UUID(said["sub"]))
        if account is None:
            raise No(403, "user_not_found")
        if session not in self.sessions:
            raise No(403, "session_not_found")
        return account, session

    def _shown(self, account: Account) -> dict[str, Any]:
        stamp = account.confirmed_at.isoformat() if account.confirmed_at else None
        return {
            "id": str(account.id),
            "aud": "authenticated",
            "role": "authenticated",
            "email": account.email,
            "phone": "",
            "email_confirmed_at": stamp,
            "confirmed_at": stamp,
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": account.metadata,
            "identities": [{"provider": "email", "id": str(account.id)}],
            "is_anonymous": False,
        }

    def _mail(self, account: Account, kind: str, *, to: str | None = None) -> None:
        self.mails.append({"to": to or account.email, "kind": kind, "token_hash": self._link(account, kind)})

    def _link(self, account: Account, kind: str) -> str:
        otp = f"{next(self._numbers):06}"
        hashed = hashlib.sha224((account.email + otp).encode()).hexdigest()
        self.links[hashed] = Link(account.id, kind, self.clock.now())
        return hashed

    def _end(self, account: UUID, *, keep: UUID | None = None) -> None:
        for session in [each for each, whose in self.sessions.items() if whose == account and each != keep]:
            del self.sessions[session]

    def _must_be_welcome(self, account: Account) -> None:
        if account.banned_until and account.banned_until > self.clock.now():
            raise No(400, "user_banned")

    def _must_be_strong(self, password: str) -> None:
        if len(password.encode()) > 72:
            raise No(422, "validation_failed")
        if len(password) < 6 or password == "leaked password 1":
            raise No(422, "weak_password", weak_password={"reasons": ["pwned"]})
