"""How each adapter is made of the settings. One that was not chosen is never imported."""

from collections.abc import Callable as Function
from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from typing import Any

from adapters.system.clock import SystemClock
from adapters.system.secrets import kept_secret
from application.sharing import NOTHING_SHARED, Sharing
from domain.identity import Provider
from domain.payments import FeeBack, FeeRule
from entrypoints.settings import GatewayName, Settings, Storage


def chosen(path: str) -> Function[..., Any]:
    """Makes `module:Name` when it is asked for; until then the module, and what it brings along, is not imported."""
    module, _, name = path.partition(":")

    def make(*args: Any, **named: Any) -> Any:
        return attrgetter(name)(import_module(module))(*args, **named)

    return make


def secret(settings: Settings) -> str:
    return settings.secret.get_secret_value() or kept_secret(settings.data_dir / "secret")


def pools(settings: Settings, database_url: str) -> Any:
    sizes = {"house": settings.pool_commits, "public": settings.pool_public, "users": settings.pool_users}
    return chosen("adapters.postgres.pools:Pools.of")(database_url, **sizes)


def project(settings: Settings) -> Any:
    return chosen("adapters.supabase.project:Project")(
        url=settings.supabase_url,
        publishable_key=settings.supabase_publishable_key or "",
        secret_key=settings.supabase_secret_key.get_secret_value() if settings.supabase_secret_key else "",
    )


def rest(settings: Settings) -> Any:
    key = settings.supabase_signing_key or settings.supabase_jwt_secret
    # Its tokens are judged by the project's clock, whatever time it is in this house.
    minted = chosen("adapters.supabase.tokens:MintedTokens") if key else chosen("adapters.supabase.tokens:NoTokens")
    others = minted(key.get_secret_value(), SystemClock()) if key else minted()
    tokens = chosen("adapters.supabase.tokens:CarriedTokens")(others)
    return chosen("adapters.supabase.rest:Rest")(project(settings), tokens)


def keyring(settings: Settings, clock: Any) -> Any:
    return chosen("adapters.local_identity:KeptKeyring")(settings.data_dir / "keys.json", now=clock.now())


def access_tokens(settings: Settings, keyring: Any, clock: Any, ids: Any) -> Any:
    lifetime, issuer = timedelta(minutes=settings.access_token_minutes), settings.token_issuer
    make = chosen("adapters.local_identity:LocalAccessTokens")
    return make(keyring, clock, ids, issuer=issuer, audience=issuer, lifetime=lifetime)


def bearer_tokens(settings: Settings, access_tokens: Any, clock: Any) -> Any:
    from entrypoints.container.issuers import issuers

    accepted = issuers(settings, clock)
    if not accepted:
        return access_tokens
    return chosen("adapters.jwt_issuers:AcceptedTokens")(access_tokens, accepted, clock)


def http(timeout: float = 10) -> Any:
    return chosen("httpx:AsyncClient")(timeout=timeout)


def providers(settings: Settings, client: Function[[], Any], clock: Any) -> Mapping[Provider, Any]:
    found: dict[Provider, Any] = {}
    if settings.github_client_id and settings.github_client_secret:
        secret = settings.github_client_secret.get_secret_value()
        make = chosen("adapters.oauth:GitHub")
        found[Provider.GITHUB] = make(client_id=settings.github_client_id, client_secret=secret, client=client())
    if settings.google_client_id and settings.google_client_secret:
        keys = chosen("adapters.oauth:ProviderKeys")(client(), clock)
        found[Provider.GOOGLE] = chosen("adapters.oauth:Google")(
            client_id=settings.google_client_id,
            client_secret=settings.google_client_secret.get_secret_value(),
            client=client(),
            clock=clock,
            keys=keys,
        )
    return found


def letter_hook(settings: Settings, clock: Any) -> Any:
    secrets = [one.get_secret_value() for one in settings.supabase_auth_hook_secret]
    if not secrets:
        return chosen("adapters.local_identity:NobodyAsks")()
    return chosen("adapters.supabase.auth:SupabaseLetterHook")(secrets, clock)


def auth(settings: Settings, client: Any) -> Any:
    secret = settings.supabase_secret_key
    project = chosen("adapters.supabase.project:Project")(
        url=settings.supabase_url or "",
        publishable_key=settings.supabase_publishable_key or "",
        secret_key=secret.get_secret_value() if secret else "",
    )
    return chosen("adapters.supabase.auth:AuthApi")(project, client)


def passwords(settings: Settings) -> Any:
    cost = chosen("adapters.local_identity:HashCost")(
        memory_kib=settings.argon2_memory_kib, passes=settings.argon2_time_cost, lanes=settings.argon2_lanes
    )
    return chosen("adapters.local_identity:LocalPasswords")(cost, threads=settings.argon2_at_once)


def simulated_books(settings: Settings) -> Any:
    in_memory = settings.storage is Storage.MEMORY
    path = ":memory:" if in_memory else settings.data_dir / "simulated-gateway.sqlite3"
    return chosen("adapters.simulated_gateway:Books")(path)


def simulated_deliveries(settings: Settings, books: Any, clock: Any, secret: str) -> Any:
    url = f"{settings.public_url}/webhooks/simulated"
    client = chosen("httpx:AsyncClient")(timeout=10)
    return chosen("adapters.simulated_gateway:Deliveries")(books, client=client, url=url, secret=secret, clock=clock)


def stripe_gateway(settings: Settings) -> Any:
    assert settings.stripe_secret_key is not None
    key = settings.stripe_secret_key.get_secret_value()
    return chosen("adapters.stripe:StripeGateway")(api_key=key, api_base=settings.stripe_api_base)


def simulated_billing(settings: Settings, books: Any, deliveries: Any, clock: Any, ids: Any) -> Any:
    make = chosen("adapters.simulated_gateway:SimulatedBilling")
    return make(books, deliveries, clock=clock, ids=ids, url=settings.public_url)


def simulated_payees(settings: Settings, books: Any, deliveries: Any, clock: Any, ids: Any) -> Any:
    make = chosen("adapters.simulated_gateway:SimulatedPayees")
    return make(books, deliveries, clock=clock, ids=ids, url=settings.public_url)


def sharing(settings: Settings) -> Sharing:
    if not settings.connect:
        return NOTHING_SHARED
    rule = FeeRule(basis_points=settings.fee_basis_points, back=FeeBack(settings.fee_on_refund))
    return Sharing(gateway=_GATEWAYS[settings.gateway], rule=rule)


_GATEWAYS = {GatewayName.TEST: "simulated", GatewayName.STRIPE: "stripe"}
"""The word under which payments remember each gateway; a test holds it to what the gateways say."""


def simulated_verifiers(settings: Settings, secret: str, clock: Any) -> dict[str, Any]:
    make = chosen("adapters.simulated_gateway:SimulatedVerifier")
    return {"simulated": make([secret], clock, tolerance=timedelta(seconds=settings.webhook_tolerance_seconds))}


def stripe_verifiers(settings: Settings, clock: Any) -> dict[str, Any]:
    secrets = [one.get_secret_value() for one in settings.stripe_webhook_secret]
    make = chosen("adapters.stripe:StripeVerifier")
    return {"stripe": make(secrets, clock, tolerance=timedelta(seconds=settings.webhook_tolerance_seconds))}


def verifiers(settings: Settings, of_gateway: dict[str, Any], clock: Any) -> dict[str, Any]:
    secrets = [one.get_secret_value() for one in settings.clerk_webhook_secret]
    if not secrets:
        return of_gateway
    make, tolerance = chosen("adapters.clerk:ClerkVerifier"), timedelta(seconds=settings.webhook_tolerance_seconds)
    return {**of_gateway, "clerk": make(secrets, clock, tolerance=tolerance)}


def news_readers(settings: Settings) -> dict[str, Any]:
    if not settings.clerk_webhook_secret:
        return {}
    return {"clerk": chosen("adapters.clerk:ClerkNews")(settings.clerk_address)}


def s3(settings: Settings) -> Any:
    secret = settings.s3_secret_access_key
    return chosen("adapters.s3:S3Objects.of")(
        bucket=settings.files_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
    )


def supabase_storage(settings: Settings) -> Any:
    return chosen("adapters.supabase.storage:SupabaseObjects")(project(settings), bucket=settings.files_bucket)


def cloudinary(settings: Settings, clock: Any) -> Any:
    assert settings.cloudinary_api_secret is not None
    account = chosen("adapters.cloudinary:Account")(
        cloud_name=settings.cloudinary_cloud_name or "",
        api_key=settings.cloudinary_api_key or "",
        api_secret=settings.cloudinary_api_secret.get_secret_value(),
    )
    return chosen("adapters.cloudinary:CloudinaryPictures")(account, clock)


def smtp(settings: Settings) -> Any:
    server = chosen("adapters.smtp:SmtpServer")(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        security=chosen("adapters.smtp:Security")(settings.smtp_tls.value),
        user=settings.smtp_user or "",
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
    )
    return chosen("adapters.smtp:SmtpMailer")(server)
