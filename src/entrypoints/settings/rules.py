"""What settings may not say to one another, and how everything that is wrong is told at once."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from entrypoints.settings.issuers import FurtherIssuer, IssuerName, host_of, is_signing_secret
from entrypoints.settings.names import env_name
from entrypoints.settings.values import LOCAL
from entrypoints.settings.words import (
    ClockName,
    FileStore,
    GatewayName,
    IdentityName,
    MailCarrier,
    PictureHost,
    Storage,
    Tls,
)

if TYPE_CHECKING:
    from pydantic import SecretStr

    from entrypoints.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot stand: its name in the environment, what is wrong, how to put it right."""

    name: str
    wrong: str
    fix: str


class SettingsProblems(Exception):
    """The settings do not make sense; `problems` lists everything that is wrong with them, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 setting is" if len(self.problems) == 1 else f"{len(self.problems)} settings are"
        lines = (f"  {one.name}: {one.wrong}\n      -> {one.fix}" for one in self.problems)
        super().__init__("\n".join([f"{count} wrong:", *lines]))


Rule = tuple[str, bool, str, str]
"""The field, whether it is wrong, what is wrong with it, how to put it right."""


def contradictions(it: "Settings") -> Iterator[tuple[str, Problem]]:
    parts = (
        _about_safety,
        _about_secrets,
        _about_doors,
        _about_supabase,
        _about_issuers,
        _about_stripe,
        _about_mail,
        _about_files,
    )
    for field, stands_against, wrong, fix in chain.from_iterable(about(it) for about in parts):
        if stands_against:
            yield field, Problem(env_name(field), wrong, fix)


def _about_safety(it: "Settings") -> Iterator[Rule]:
    if not it.is_production:
        return
    insecure = it.public_url.startswith("http://")
    yield "demo", it.demo, "a demo's logins are public", "leave it off in production"
    yield "clock", it.clock is ClockName.MOVABLE, "nobody moves time in production", "use system"
    yield "storage", it.storage is Storage.MEMORY, "memory forgets everything on exit", "use postgres"
    yield "public_url", insecure, "tokens and links would travel in clear", "give the https:// address"
    yield "cors_origins", "*" in it.cors_origins, "every site may call the API", "list the origins of your pages"
    weak = it.argon2_memory_kib * it.argon2_time_cost < 2 * 19_456
    yield "argon2_memory_kib", weak, "passwords would be hashed too cheaply", "use at least 19456 KiB and 2 passes"


def _about_secrets(it: "Settings") -> Iterator[Rule]:
    length = len(it.secret.get_secret_value())
    fix = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
    yield "secret", it.is_production and not length, "production needs a secret of its own", fix
    yield "secret", 0 < length < 32, "it is too short to be safe", fix
    orphan = it.database_app_url is not None and it.database_url is None
    yield "database_url", orphan, "DATABASE_APP_URL is set without it", "set the owner's address too, for migrations"


def _about_doors(it: "Settings") -> Iterator[Rule]:
    for name, id, secret in (
        ("google", it.google_client_id, it.google_client_secret),
        ("github", it.github_client_id, it.github_client_secret),
    ):
        fix = f"set {name.upper()}_CLIENT_ID and {name.upper()}_CLIENT_SECRET, or neither"
        yield f"{name}_client_secret", bool(id) and not secret, "there is an id without its secret", fix
        yield f"{name}_client_id", bool(secret) and not id, "there is a secret without its id", fix
        elsewhere = it.identity is not IdentityName.LOCAL and bool(id)
        yield (
            f"{name}_client_id",
            elsewhere,
            "Supabase asks that provider itself",
            "set it up there, and remove it here",
        )
    yield (
        "return_origins",
        "*" in it.return_origins,
        "codes would be sent anywhere",
        "list the origins of your front ends",
    )
    clear = any(origin.startswith("http://") for origin in it.return_origins)
    yield "return_origins", it.is_production and clear, "codes would travel in clear", "give https:// origins"
    hooks = [one.get_secret_value().removeprefix("v1,") for one in it.supabase_auth_hook_secret]
    fix = "take the hook's secret, v1,whsec_..."
    yield "supabase_auth_hook_secret", not all(one.startswith("whsec_") for one in hooks), "it is no hook's secret", fix


def _about_stripe(it: "Settings") -> Iterator[Rule]:
    if it.gateway is GatewayName.TEST:
        yield "gateway", it.is_production, "the test gateway moves no money", "use stripe"
        return
    secret = it.stripe_secret_key.get_secret_value() if it.stripe_secret_key else ""
    public = it.stripe_publishable_key or ""
    where = "in Stripe's dashboard under Developers, API keys"
    fix = f"take the key that begins with {'sk_live_' if it.is_production else 'sk_test_'} {where}"
    live = secret.startswith(("sk_live_", "rk_live_"))
    test = secret.startswith(("sk_test_", "rk_test_"))
    yield "stripe_secret_key", not secret, "the stripe gateway needs it", fix
    yield "stripe_secret_key", bool(secret) and not (live or test), "that is not a secret key of Stripe", fix
    yield "stripe_secret_key", live and not it.is_production, "a live key moves real money", fix
    yield "stripe_secret_key", test and it.is_production, "a test key moves no money", fix
    fix = f"take the key that begins with {'pk_live_' if live else 'pk_test_'} {where}"
    yield "stripe_publishable_key", not public, "the payment page needs it", fix
    mixed = bool(public) and not public.startswith("pk_live_" if live else "pk_test_")
    yield "stripe_publishable_key", mixed, "it does not belong to the secret key", fix
    hooks = [one.get_secret_value() for one in it.stripe_webhook_secret]
    fix = "take the endpoint's signing secret, whsec_..."
    yield "stripe_webhook_secret", not hooks, "without it anybody could forge a payment", fix
    yield "stripe_webhook_secret", not all(one.startswith("whsec_") for one in hooks), "it is no signing secret", fix
    elsewhere = it.is_production and it.stripe_api_base is not None
    yield "stripe_api_base", elsewhere, "production talks to Stripe itself", "remove it"


def _about_mail(it: "Settings") -> Iterator[Rule]:
    if it.mail is not MailCarrier.SMTP:
        yield "mail", it.is_production, "nobody would get their mail", "use smtp"
        return
    yield "smtp_host", it.smtp_host is None, "the smtp carrier needs it", "name your mail server"
    lonely = it.smtp_user is not None and it.smtp_password is None
    yield "smtp_password", lonely, "there is a login without a password", "set it, or remove GUILDHALL_SMTP_USER"
    if it.is_production:
        clear = it.smtp_tls is Tls.NONE and it.smtp_host not in {"localhost", "127.0.0.1", "::1"}
        yield "smtp_tls", clear, "mails and password would travel in clear", "use starttls or tls"
        yield "mail_from", it.mail_from == LOCAL, "nobody can answer that sender", "give an address of your domain"


def _about_supabase(it: "Settings") -> Iterator[Rule]:
    if it.storage is not Storage.SUPABASE and it.identity is not IdentityName.SUPABASE:
        return
    needs = f"the supabase {'storage' if it.storage is Storage.SUPABASE else 'door'} needs it"
    where = "in the project's dashboard, under Settings, API keys"
    yield "supabase_url", it.supabase_url is None, needs, f"take it {where}"
    clear = (it.supabase_url or "").startswith("http://")
    yield "supabase_url", clear and it.is_production, "keys would travel in clear", "give the https:// address"
    keys = {
        "supabase_publishable_key": (it.supabase_publishable_key or "", "sb_publishable_", "anon"),
        "supabase_secret_key": (_shown(it.supabase_secret_key), "sb_secret_", "service_role"),
    }
    for field, (key, prefix, role) in keys.items():
        fix = f"take the key that begins with {prefix}, or the older {role} key, {where}"
        yield field, not key, needs, fix
        right = key.startswith(prefix) or _role_of(key) == role
        yield field, bool(key) and not right, f"that is no {prefix.split('_')[1]} key", fix
    mints = it.supabase_jwt_secret is not None or it.supabase_signing_key is not None
    mints = mints or IssuerName.SUPABASE in it.accept_tokens_of
    fix = "take the JWT secret from Settings, JWT keys, or import a key of your own and set SUPABASE_SIGNING_KEY to it"
    yield (
        "supabase_jwt_secret",
        it.storage is Storage.SUPABASE and not mints,
        "nothing can be read on behalf of a user without it",
        fix,
    )


def _shown(secret: "SecretStr | None") -> str:
    return secret.get_secret_value() if secret else ""


def _role_of(key: str) -> str:
    """The role of a key of the older kind, which is a token; of anything else, nothing."""
    try:
        claims = json.loads(urlsafe_b64decode(key.split(".")[1] + "=="))
        return str(claims["role"])
    except (ValueError, LookupError, TypeError):
        return ""


def _about_issuers(it: "Settings") -> Iterator[Rule]:
    accepted = set(it.accept_tokens_of)
    stray = set(it.trust_addresses_of) - accepted
    fix = "accept the tokens of the same issuers in GUILDHALL_ACCEPT_TOKENS_OF"
    yield "trust_addresses_of", bool(stray), "it names an issuer that is not accepted", fix
    for one in it.further_issuers:
        try:
            FurtherIssuer.parse(one.get_secret_value())
        except ValueError as problem:
            yield "further_issuers", True, str(problem), "write kind|issuer or kind|issuer|secret"
    if IssuerName.SUPABASE in accepted:
        yield "supabase_url", it.supabase_url is None, "its tokens are accepted", "give the address of the project"
        secret = it.supabase_jwt_secret.get_secret_value() if it.supabase_jwt_secret else ""
        fix = "take the whole secret, or remove it: the project's keys are fetched anyway"
        yield "supabase_jwt_secret", 0 < len(secret) < 32, "it is too short to be the project's", fix
    if IssuerName.CLERK in accepted:
        yield from _about_clerk(it)
    hooks = [one.get_secret_value() for one in it.clerk_webhook_secret]
    fix = "take the endpoint's signing secret, whsec_..."
    yield "clerk_webhook_secret", not all(map(is_signing_secret, hooks)), "it is no signing secret", fix
    lonely = bool(hooks) and IssuerName.CLERK not in accepted
    fix = "accept its tokens too, with GUILDHALL_ACCEPT_TOKENS_OF"
    yield "clerk_webhook_secret", lonely, "Clerk would tell of people who cannot come in", fix


def _about_clerk(it: "Settings") -> Iterator[Rule]:
    key = it.clerk_publishable_key
    held = host_of(key) if key else ""
    unnamed = it.clerk_issuer is None and key is None
    fix = "give it, or CLERK_PUBLISHABLE_KEY"
    yield "clerk_issuer", unnamed, "Clerk's tokens are accepted, and nobody says of which instance", fix
    fix = "take the key that begins with pk_ in Clerk's dashboard under API keys"
    yield "clerk_publishable_key", key is not None and not held, "that is no publishable key of Clerk", fix
    other = bool(held) and it.clerk_issuer not in (None, held)
    yield "clerk_publishable_key", other, "it belongs to another instance than CLERK_ISSUER", "keep one of the two"
    if it.is_production:
        fix = "list the origins of your pages"
        open_to_all = not it.clerk_authorized_parties
        yield "clerk_authorized_parties", open_to_all, "a token made for any page would open the house", fix
        insecure = it.clerk_address.startswith("http://")
        yield "clerk_issuer", insecure, "its keys would travel in clear", "give the https:// address"


def _about_files(it: "Settings") -> Iterator[Rule]:
    forgotten = it.is_production and it.files is FileStore.MEMORY
    yield "files", forgotten, "memory forgets every file on exit", "use disk, s3 or supabase"
    if it.files is FileStore.SUPABASE:
        where = "in the project's settings, under API"
        yield "supabase_url", it.supabase_url is None, "files at Supabase need it", f"take it {where}"
        missing = it.supabase_secret_key is None
        yield "supabase_secret_key", missing, "files at Supabase need it", f"take the secret key {where}"
    if it.files is FileStore.S3:
        half = (it.s3_access_key_id is None) != (it.s3_secret_access_key is None)
        yield (
            "s3_access_key_id",
            half,
            "a key has an id and a secret",
            "set both, or neither for the machine's own role",
        )
        clear = it.is_production and (it.s3_endpoint or "").startswith("http://")
        yield "s3_endpoint", clear, "files would travel in clear", "give the https:// address"
    if it.pictures is PictureHost.CLOUDINARY:
        for field in ("cloudinary_cloud_name", "cloudinary_api_key", "cloudinary_api_secret"):
            yield field, getattr(it, field) is None, "cloudinary needs it", "take it from Cloudinary's console"
