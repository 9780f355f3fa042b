"""Other issuers, as tests play them: their keys, their tokens, and the key sets they publish or fail to publish."""

import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

SUPABASE, CLERK = "https://project.supabase.example/auth/v1", "https://clerk.shop.example"
PAGE = "https://shop.example"
ANN = "0b7c1c3e-5d0a-4b47-9f54-2f1ad7a9c001"
SECRET = "the secret of a project that has not got keys yet"


def b64(raw: bytes) -> str:
    """The one way to write these bytes in a token."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(value: Any) -> str:
    """A header or claims, written as issuers write them."""
    return b64(json.dumps(value, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Key:
    """A key an issuer signs with: its name, its algorithm, and both halves."""

    kid: str
    algorithm: str
    private: Any = field(repr=False)

    def jwk(self, **told: Any) -> dict[str, Any]:
        """What is published of it."""
        algorithm = ECAlgorithm if self.algorithm.startswith("ES") else RSAAlgorithm
        jwk = dict(algorithm.to_jwk(self.private.public_key(), as_dict=True))
        jwk.pop("key_ops", None)
        return jwk | {"kid": self.kid, "use": "sig", "alg": self.algorithm} | told

    def signature(self, signed: bytes) -> bytes:
        """Over these bytes."""
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        signature: bytes = self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return signature


@lru_cache
def es256(kid: str = "es-1") -> Key:
    """A key on the curve P-256, the same for the same name."""
    return Key(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


@lru_cache
def rs256(kid: str = "rs-1", bits: int = 2048) -> Key:
    """An RSA key, the same for the same name."""
    return Key(kid, "RS256", rsa.generate_private_key(public_exponent=65537, key_size=bits))


def token(key: Key, claims: Mapping[str, Any], **header: Any) -> str:
    """These claims, signed; what the header says can be told, None leaves it out."""
    head = {"alg": key.algorithm, "typ": "JWT", "kid": key.kid} | header
    signed = f"{compact({name: said for name, said in head.items() if said is not None})}.{compact(claims)}"
    return f"{signed}.{b64(key.signature(signed.encode()))}"


def secretly(claims: Mapping[str, Any], secret: str | bytes = SECRET, **header: Any) -> str:
    """The same with a shared secret."""
    signed = f"{compact({'alg': 'HS256', 'typ': 'JWT'} | header)}.{compact(claims)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signed}.{b64(hmac.digest(key, signed.encode(), sha256))}"


def supabase_claims(now: datetime, **told: Any) -> dict[str, Any]:
    """What Supabase says of somebody; told None, it does not say it."""
    at = int(now.timestamp())
    said = {
        "iss": SUPABASE,
        "sub": ANN,
        "aud": "authenticated",
        "exp": at + 3600,
        "iat": at,
        "email": "ann@example.com",
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {"full_name": "Ann Able", "email_verified": True},
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": at}],
        "session_id": "6f4f2a0e-28ab-4b4e-9a3d-6c1c2f7f0b10",
        "is_anonymous": False,
    } | told
    return {name: value for name, value in said.items() if value is not None}


def clerk_claims(now: datetime, **told: Any) -> dict[str, Any]:
    """What Clerk says of somebody, in version 2."""
    at = int(now.timestamp())
    said = {
        "azp": PAGE,
        "exp": at + 60,
        "fva": [0, -1],
        "iat": at,
        "iss": CLERK,
        "jti": "9a8b7c6d5e4f3a2b1c0d",
        "nbf": at - 10,
        "sid": "sess_2ann",
        "sub": "user_2ann",
        "v": 2,
        "pla": "u:free",
        "sts": "active",
    } | told
    return {name: value for name, value in said.items() if value is not None}


@dataclass(slots=True)
class KeyServer:
    """Where an issuer publishes its keys: counts who asks, and can be away, slow, wrong or changed."""

    keys: list[dict[str, Any]]
    answer: httpx.Response | Exception | None = None
    asked: int = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Its answer."""
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, json={"keys": self.keys}, request=request)

    @property
    def client(self) -> httpx.AsyncClient:
        """Who asks it."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.handle))


@contextmanager
def published(keys: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """An issuer that publishes these keys on this machine: its address, and the paths it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"keys": keys}).encode()
            self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


HOOK = f"whsec_{b64encode(b'a secret of 24 bytes +24').decode()}"
"""What Clerk signs its messages with."""


def clerk_user(subject: str = "user_2ann", *, updated_at: datetime, **told: Any) -> dict[str, Any]:
    """Somebody as Clerk writes of them."""
    return {
        "id": subject,
        "object": "user",
        "first_name": "Ann",
        "last_name": "Able",
        "username": None,
        "primary_email_address_id": "idn_1",
        "email_addresses": [
            {"id": "idn_0", "email_address": "old@example.com", "verification": {"status": "verified"}},
            {"id": "idn_1", "email_address": "Ann@Example.com", "verification": {"status": "verified"}},
        ],
        "updated_at": int(updated_at.timestamp() * 1000),
    } | told


def clerk_organization(**told: Any) -> dict[str, Any]:
    """An organization as Clerk tells of it; instants become milliseconds."""
    said = {"object": "organization", "id": "org_north", "name": "North", "slug": "north", "created_by": "user_ann"}
    return _in_milliseconds({**said, **told})


def clerk_membership(
    person: str, role: str = "org:member", *, updated_at: datetime, **organization: Any
) -> dict[str, Any]:
    """Somebody in an organization, as Clerk tells of it."""
    return _in_milliseconds(
        {
            "object": "organization_membership",
            "id": f"orgmem_{person}",
            "role": role,
            "organization": clerk_organization(updated_at=organization.pop("told_at", updated_at), **organization),
            "public_user_data": {
                "user_id": f"user_{person}",
                "first_name": person.title(),
                "last_name": None,
                "identifier": f"{person}@example.com",
            },
            "created_at": updated_at,
            "updated_at": updated_at,
        }
    )


def _in_milliseconds(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: int(value.timestamp() * 1000) if isinstance(value, datetime) else value for name, value in told.items()
    }


def clerk_event(kind: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """A message of Clerk."""
    said = {"data": data, "object": "event", "type": kind, "timestamp": int(at.timestamp() * 1000)}
    return json.dumps(said | {"instance_id": "ins_1"}).encode()


def svix(raw: bytes, *, id: str = "msg_1", at: datetime, secret: str = HOOK) -> dict[str, str]:
    """The headers under which Svix carries a message."""
    sent = str(int(at.timestamp()))
    key = b64decode(secret.removeprefix("whsec_"))
    signature = b64encode(hmac.digest(key, f"{id}.{sent}.".encode() + raw, sha256)).decode()
    return {"svix-id": id, "svix-timestamp": sent, "svix-signature": f"v1,{signature}"}
