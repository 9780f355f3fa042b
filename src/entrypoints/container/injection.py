"""One provider per port, one selector per swap. A chosen adapter is imported when it is first made, no other ever."""

from collections.abc import Callable as Function
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Object, Selector, Singleton

from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.audit import StoredAuditTrail
from adapters.persistence.busy import StoredBusyTimes
from adapters.persistence.housekeeping import Housekeeping
from adapters.persistence.outbox import StoredOutbox
from adapters.persistence.readers import StoredReaders
from adapters.persistence.receipts import StoredReceipts
from adapters.persistence.security import StoredSecurityLog
from adapters.persistence.unit_of_work import StoredBegin
from adapters.system.bell import Bell
from adapters.system.chance import SystemChance
from adapters.system.clock import MovableClock, SystemClock
from adapters.system.ids import SystemIds
from adapters.system.secrets import kept_secret
from application.commands import Perform
from application.identity.abroad import ABROAD
from application.ports.files import FileRules
from application.ports.mail import Links, Mailbox
from application.ports.oauth import ReturnOrigins
from domain.identity import IdentityRules, Provider
from entrypoints.settings import Settings, Storage
from entrypoints.use_cases import UseCases
from entrypoints.worker.delivery import Deliver


def chosen(path: str) -> Function[..., Any]:
    """Makes `module:Name` when it is asked for; until then the module, and what it brings along, is not imported."""
    module, _, name = path.partition(":")

    def make(*args: Any, **named: Any) -> Any:
        return attrgetter(name)(import_module(module))(*args, **named)

    return make


class Ports(Mapping[str, Any]):
    """Every port by its name, made when a use case first asks for it."""

    def __init__(self, **providers: Function[[], Any]) -> None:
        self._providers = providers

    def __getitem__(self, name: str) -> Any:
        return self._providers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)


def _secret(settings: Settings) -> str:
    return settings.secret.get_secret_value() or kept_secret(settings.data_dir / "secret")


def _pools(settings: Settings, database_url: str) -> Any:
    sizes = {"house": settings.pool_commits, "public": settings.pool_public, "users": settings.pool_users}
    return chosen("adapters.postgres.pools:Pools.of")(database_url, **sizes)


def _project(settings: Settings) -> Any:
    return chosen("adapters.supabase.project:Project")(
        url=settings.supabase_url,
        publishable_key=settings.supabase_publishable_key or "",
        secret_key=settings.supabase_secret_key.get_secret_value() if settings.supabase_secret_key else "",
    )


def _rest(settings: Settings) -> Any:
    key = settings.supabase_signing_key or settings.supabase_jwt_secret
    # Its tokens are judged by the project's clock, whatever time it is in this house.
    minted = chosen("adapters.supabase.tokens:MintedTokens") if key else chosen("adapters.supabase.tokens:NoTokens")
    others = minted(key.get_secret_value(), SystemClock()) if key else minted()
    tokens = chosen("adapters.supabase.tokens:CarriedTokens")(others)
    return chosen("adapters.supabase.rest:Rest")(_project(settings), tokens)


def _keyring(settings: Settings, clock: Any) -> Any:
    return chosen("adapters.local_identity:KeptKeyring")(settings.data_dir / "keys.json", now=clock.now())


def _access_tokens(settings: Settings, keyring: Any, clock: Any, ids: Any) -> Any:
    lifetime, issuer = timedelta(minutes=settings.access_token_minutes), settings.token_issuer
    make = chosen("adapters.local_identity:LocalAccessTokens")
    return make(keyring, clock, ids, issuer=issuer, audience=issuer, lifetime=lifetime)


def _bearer_tokens(settings: Settings, access_tokens: Any, clock: Any) -> Any:
    from entrypoints.container.issuers import issuers

    accepted = issuers(settings, clock)
    if not accepted:
        return access_tokens
    return chosen("adapters.jwt_issuers:AcceptedTokens")(access_tokens, accepted, clock)


def _http(timeout: float = 10) -> Any:
    return chosen("httpx:AsyncClient")(timeout=timeout)


def _providers(settings: Settings, client: Function[[], Any], clock: Any) -> Mapping[Provider, Any]:
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


def _letter_hook(settings: Settings, clock: Any) -> Any:
    secrets = [one.get_secret_value() for one in settings.supabase_auth_hook_secret]
    if not secrets:
        return chosen("adapters.local_identity:NobodyAsks")()
    return chosen("adapters.supabase.auth:SupabaseLetterHook")(secrets, clock)


def _auth(settings: Settings, client: Any) -> Any:
    secret = settings.supabase_secret_key
    project = chosen("adapters.supabase.project:Project")(
        url=settings.supabase_url or "",
        publishable_key=settings.supabase_publishable_key or "",
        secret_key=secret.get_secret_value() if secret else "",
    )
    return chosen("adapters.supabase.auth:AuthApi")(project, client)


def _passwords(settings: Settings) -> Any:
    cost = chosen("adapters.local_identity:HashCost")(
        memory_kib=settings.argon2_memory_kib, passes=settings.argon2_time_cost, lanes=settings.argon2_lanes
    )
    return chosen("adapters.local_identity:LocalPasswords")(cost, threads=settings.argon2_at_once)


def _simulated_books(settings: Settings) -> Any:
    in_memory = settings.storage is Storage.MEMORY
    path = ":memory:" if in_memory else settings.data_dir / "simulated-gateway.sqlite3"
    return chosen("adapters.simulated_gateway:Books")(path)


def _simulated_deliveries(settings: Settings, books: Any, clock: Any, secret: str) -> Any:
    url = f"{settings.public_url}/webhooks/simulated"
    client = chosen("httpx:AsyncClient")(timeout=10)
    return chosen("adapters.simulated_gateway:Deliveries")(books, client=client, url=url, secret=secret, clock=clock)


def _stripe_gateway(settings: Settings) -> Any:
    assert settings.stripe_secret_key is not None
    key = settings.stripe_secret_key.get_secret_value()
    return chosen("adapters.stripe:StripeGateway")(api_key=key, api_base=settings.stripe_api_base)


def _simulated_billing(settings: Settings, books: Any, deliveries: Any, clock: Any, ids: Any) -> Any:
    make = chosen("adapters.simulated_gateway:SimulatedBilling")
    return make(books, deliveries, clock=clock, ids=ids, url=settings.public_url)


def _simulated_verifiers(settings: Settings, secret: str, clock: Any) -> dict[str, Any]:
    make = chosen("adapters.simulated_gateway:SimulatedVerifier")
    return {"simulated": make([secret], clock, tolerance=timedelta(seconds=settings.webhook_tolerance_seconds))}


def _stripe_verifiers(settings: Settings, clock: Any) -> dict[str, Any]:
    secrets = [one.get_secret_value() for one in settings.stripe_webhook_secret]
    make = chosen("adapters.stripe:StripeVerifier")
    return {"stripe": make(secrets, clock, tolerance=timedelta(seconds=settings.webhook_tolerance_seconds))}


def _verifiers(settings: Settings, of_gateway: dict[str, Any], clock: Any) -> dict[str, Any]:
    secrets = [one.get_secret_value() for one in settings.clerk_webhook_secret]
    if not secrets:
        return of_gateway
    make, tolerance = chosen("adapters.clerk:ClerkVerifier"), timedelta(seconds=settings.webhook_tolerance_seconds)
    return {**of_gateway, "clerk": make(secrets, clock, tolerance=tolerance)}


def _news_readers(settings: Settings) -> dict[str, Any]:
    if not settings.clerk_webhook_secret:
        return {}
    return {"clerk": chosen("adapters.clerk:ClerkNews")(settings.clerk_address)}


def _s3(settings: Settings) -> Any:
    secret = settings.s3_secret_access_key
    return chosen("adapters.s3:S3Objects.of")(
        bucket=settings.files_bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
    )


def _supabase_storage(settings: Settings) -> Any:
    return chosen("adapters.supabase.storage:SupabaseObjects")(_project(settings), bucket=settings.files_bucket)


def _cloudinary(settings: Settings, clock: Any) -> Any:
    assert settings.cloudinary_api_secret is not None
    account = chosen("adapters.cloudinary:Account")(
        cloud_name=settings.cloudinary_cloud_name or "",
        api_key=settings.cloudinary_api_key or "",
        api_secret=settings.cloudinary_api_secret.get_secret_value(),
    )
    return chosen("adapters.cloudinary:CloudinaryPictures")(account, clock)


def _smtp(settings: Settings) -> Any:
    server = chosen("adapters.smtp:SmtpServer")(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        security=chosen("adapters.smtp:Security")(settings.smtp_tls.value),
        user=settings.smtp_user or "",
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else "",
    )
    return chosen("adapters.smtp:SmtpMailer")(server)


class Container(DeclarativeContainer):
    """Everything a Guildhall is made of, for one process."""

    settings: Dependency[Settings] = Dependency(instance_of=Settings)
    database_url: Dependency[str] = Dependency(instance_of=str, default="")

    secret = Singleton(_secret, settings)
    clock = Selector(
        Callable(lambda s: s.clock.value, settings),
        system=Singleton(SystemClock),
        movable=Singleton(MovableClock, settings.provided.data_dir),
    )
    ids = Singleton(SystemIds, clock)
    chance = Singleton(SystemChance)

    storage = Callable(lambda s: s.storage.value, settings)
    pools = Singleton(_pools, settings, database_url)
    rest = Singleton(_rest, settings)
    store = Selector(
        storage,
        memory=Singleton(chosen("adapters.memory.store:MemoryStore")),
        postgres=Singleton(chosen("adapters.postgres.store:PostgresStore"), pools.provided.house),
        supabase=Singleton(chosen("adapters.supabase.store:SupabaseStore"), rest),
    )
    views = Selector(
        storage,
        memory=Singleton(chosen("adapters.memory.views:MemoryViews"), store),
        postgres=Singleton(chosen("adapters.postgres.views:PostgresViews"), pools),
        supabase=Singleton(chosen("adapters.supabase.views:SupabaseViews"), rest),
    )
    job_search = Selector(
        storage,
        memory=Singleton(chosen("adapters.memory.search:MemoryJobSearch"), store),
        postgres=Singleton(chosen("adapters.postgres.search:PostgresJobSearch"), pools),
        supabase=Singleton(chosen("adapters.supabase.search:SupabaseJobSearch"), rest),
    )
    own_end = Selector(
        storage,
        memory=Singleton(chosen("adapters.memory.moving:MemoryHouse"), store),
        postgres=Singleton(chosen("adapters.postgres.moving:PostgresHouse"), pools.provided.house),
        supabase=Singleton(chosen("adapters.supabase.moving:SupabaseHouse"), rest),
    )
    bell = Selector(
        storage,
        memory=Singleton(Bell),
        postgres=Singleton(chosen("adapters.postgres.bell:PostgresBell"), database_url),
        supabase=Singleton(Bell),
    )

    begin = Singleton(StoredBegin, store=store, clock=clock, ids=ids, wake=bell)
    readers = Singleton(StoredReaders, views)
    outbox = Singleton(StoredOutbox, store, clock)
    housekeeping = Singleton(Housekeeping, store, clock)
    trail = Singleton(StoredAuditTrail, store)
    accounts = Singleton(StoredAccounts, views)
    busy_times = Singleton(StoredBusyTimes, views)
    security_log = Singleton(StoredSecurityLog, store, clock, ids)
    perform = Singleton(Perform, receipts=Singleton(StoredReceipts, store), clock=clock, ids=ids, chance=chance)

    keyring = Singleton(_keyring, settings, clock)
    access_tokens = Singleton(_access_tokens, settings, keyring, clock, ids)
    bearer_tokens = Singleton(_bearer_tokens, settings, access_tokens, clock)
    passwords = Singleton(_passwords, settings)
    one_time_secrets = Singleton(chosen("adapters.local_identity:DerivedOneTimeSecrets"), secret)
    refresh_secrets = Singleton(chosen("adapters.local_identity:DerivedRefreshSecrets"), secret)
    identity_rules = Singleton(
        IdentityRules,
        refresh_lifetime=Callable(lambda s: timedelta(days=s.refresh_token_days), settings),
        tokens_join_by_address=settings.provided.join_by_confirmed_address,
        joins_by_address=settings.provided.join_by_address,
    )
    flow_secrets = Singleton(chosen("adapters.local_identity:DerivedFlowSecrets"), secret)
    return_origins = Singleton(ReturnOrigins, settings.provided.return_origins)
    http = Singleton(_http)
    oauth_providers = Singleton(_providers, settings, http.provider, clock)
    identity = Callable(lambda s: s.identity.value, settings)
    auth = Singleton(_auth, settings, http)
    letter_hook = Singleton(_letter_hook, settings, clock)
    sealed_secrets = Singleton(chosen("adapters.local_identity:HouseSeal"), secret)
    foreign_accounts = Selector(
        identity,
        local=Singleton(chosen("adapters.local_identity:NoAccounts")),
        supabase=Singleton(chosen("adapters.supabase.auth:SupabaseAccounts"), auth),
    )
    foreign_sessions = Selector(
        identity,
        local=Singleton(chosen("adapters.local_identity:NoSessions")),
        supabase=Singleton(chosen("adapters.supabase.auth:SupabaseSessions"), auth),
    )
    foreign_users = Selector(
        identity,
        local=Singleton(chosen("adapters.local_identity:NoUsers")),
        supabase=Singleton(chosen("adapters.supabase.auth:SupabaseUsers"), auth),
    )

    simulated_books = Singleton(_simulated_books, settings)
    simulated_deliveries = Singleton(_simulated_deliveries, settings, simulated_books, clock, secret)
    simulated_gateway = Singleton(
        chosen("adapters.simulated_gateway:SimulatedGateway"),
        simulated_books,
        simulated_deliveries,
        clock=clock,
        ids=ids,
        secret=secret,
    )
    gateway_name = Callable(lambda s: s.gateway.value, settings)
    gateway = Selector(gateway_name, test=simulated_gateway, stripe=Singleton(_stripe_gateway, settings))
    simulated_billing = Singleton(_simulated_billing, settings, simulated_books, simulated_deliveries, clock, ids)
    billing = Selector(
        gateway_name,
        test=simulated_billing,
        stripe=Singleton(chosen("adapters.stripe:StripeBilling"), gateway),
    )
    gateway_verifiers = Selector(
        gateway_name,
        test=Singleton(_simulated_verifiers, settings, secret, clock),
        stripe=Singleton(_stripe_verifiers, settings, clock),
    )
    verifiers = Singleton(_verifiers, settings, gateway_verifiers, clock)
    news_readers = Singleton(_news_readers, settings)

    mailer = Selector(
        Callable(lambda s: s.mail.value, settings),
        folder=Singleton(
            chosen("adapters.mail_folder:FolderMailer"), Callable(lambda s: s.data_dir / "mail", settings)
        ),
        smtp=Singleton(_smtp, settings),
        memory=Singleton(chosen("adapters.memory.mail:MemoryMailer")),
    )
    letters = Singleton(chosen("adapters.templates.letters:JinjaLetters"))
    invites = Singleton(chosen("adapters.templates.calendars:CalendarInvites"))
    printer = Singleton(chosen("adapters.pdf:PdfPrinter"))
    links = Singleton(Links, settings.provided.public_url)
    sender = Callable(lambda s: Mailbox.read(s.mail_from), settings)

    limiter = Selector(
        Callable(lambda s: "counted" if s.rate_limits else "uncounted", settings),
        counted=Singleton(chosen("adapters.rate_limits:MemoryRateLimiter"), clock),
        uncounted=Singleton(chosen("adapters.rate_limits:Unlimited")),
    )

    objects = Selector(
        Callable(lambda s: s.files.value, settings),
        disk=Singleton(chosen("adapters.disk:DiskObjects"), Callable(lambda s: s.data_dir / "files", settings)),
        memory=Singleton(chosen("adapters.memory.objects:MemoryObjects"), clock),
        s3=Singleton(_s3, settings),
        supabase=Singleton(_supabase_storage, settings),
    )
    examiner = Singleton(
        chosen("adapters.inspection:IsolatedExaminer"), hands=Callable(lambda s: s.files_at_once, settings)
    )
    file_links = Singleton(
        chosen("adapters.signed_links:SignedLinks"), secret, clock, public_url=settings.provided.public_url
    )
    picture_delivery = Selector(
        Callable(lambda s: s.pictures.value, settings),
        here=Singleton(chosen("adapters.signed_links:HandedOutHere")),
        cloudinary=Singleton(_cloudinary, settings, clock),
    )
    file_rules = Singleton(FileRules, quota_bytes=Callable(lambda s: s.files_quota_mib * 2**20, settings))

    hold = Callable(lambda s: timedelta(minutes=s.hold_minutes), settings)

    ports = Singleton(
        Ports,
        begin=begin.provider,
        origin=own_end.provider,
        destination=own_end.provider,
        clock=clock.provider,
        ids=ids.provider,
        readers=readers.provider,
        trail=trail.provider,
        accounts=accounts.provider,
        busy_times=busy_times.provider,
        job_search=job_search.provider,
        security_log=security_log.provider,
        access_tokens=access_tokens.provider,
        bearer_tokens=bearer_tokens.provider,
        passwords=passwords.provider,
        one_time_secrets=one_time_secrets.provider,
        refresh_secrets=refresh_secrets.provider,
        identity_rules=identity_rules.provider,
        flow_secrets=flow_secrets.provider,
        return_origins=return_origins.provider,
        oauth_providers=oauth_providers.provider,
        letter_hook=letter_hook.provider,
        sealed_secrets=sealed_secrets.provider,
        foreign_accounts=foreign_accounts.provider,
        foreign_sessions=foreign_sessions.provider,
        foreign_users=foreign_users.provider,
        gateway=gateway.provider,
        catalog=billing.provider,
        customer_desk=billing.provider,
        till=billing.provider,
        subscriptions=billing.provider,
        verifiers=verifiers.provider,
        news_readers=news_readers.provider,
        mailer=mailer.provider,
        letters=letters.provider,
        invites=invites.provider,
        printer=printer.provider,
        links=links.provider,
        sender=sender.provider,
        hold=hold.provider,
        objects=objects.provider,
        other_objects=objects.provider,
        direct_access=objects.provider,
        examiner=examiner.provider,
        file_links=file_links.provider,
        picture_delivery=picture_delivery.provider,
        file_rules=file_rules.provider,
    )
    use_cases = Singleton(UseCases, ports, instead=Selector(identity, local=Object({}), supabase=Object(ABROAD)))
    deliver = Singleton(
        Deliver,
        outbox=outbox,
        reactions=Callable(lambda use: use.reactions(), use_cases),
        perform=perform,
        clock=clock,
    )
