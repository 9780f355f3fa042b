"""One provider per port, one selector per swap. A chosen adapter is imported when it is first made, no other ever."""

from collections.abc import Callable as Function
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Object, Selector, Singleton

from adapters.persistence.accounts import StoredAccounts
from adapters.persistence.busy import StoredBusyTimes
from adapters.persistence.chains import StoredAuditTrail, StoredLedgerChain
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
from application.commands import Perform
from application.identity.abroad import ABROAD
from application.ports.files import FileRules
from application.ports.mail import Links, Mailbox
from application.ports.oauth import ReturnOrigins
from domain.identity import IdentityRules
from entrypoints.container import making
from entrypoints.settings import Settings
from entrypoints.use_cases import UseCases
from entrypoints.worker.delivery import Deliver


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


class Container(DeclarativeContainer):
    """Everything a Guildhall is made of, for one process."""

    settings: Dependency[Settings] = Dependency(instance_of=Settings)
    database_url: Dependency[str] = Dependency(instance_of=str, default="")

    secret = Singleton(making.secret, settings)
    clock = Selector(
        Callable(lambda s: s.clock.value, settings),
        system=Singleton(SystemClock),
        movable=Singleton(MovableClock, settings.provided.data_dir),
    )
    ids = Singleton(SystemIds, clock)
    chance = Singleton(SystemChance)

    storage = Callable(lambda s: s.storage.value, settings)
    pools = Singleton(making.pools, settings, database_url)
    rest = Singleton(making.rest, settings)
    store = Selector(
        storage,
        memory=Singleton(making.chosen("adapters.memory.store:MemoryStore")),
        postgres=Singleton(making.chosen("adapters.postgres.store:PostgresStore"), pools.provided.house),
        supabase=Singleton(making.chosen("adapters.supabase.store:SupabaseStore"), rest),
    )
    views = Selector(
        storage,
        memory=Singleton(making.chosen("adapters.memory.views:MemoryViews"), store),
        postgres=Singleton(making.chosen("adapters.postgres.views:PostgresViews"), pools),
        supabase=Singleton(making.chosen("adapters.supabase.views:SupabaseViews"), rest),
    )
    job_search = Selector(
        storage,
        memory=Singleton(making.chosen("adapters.memory.search:MemoryJobSearch"), store),
        postgres=Singleton(making.chosen("adapters.postgres.search:PostgresJobSearch"), pools),
        supabase=Singleton(making.chosen("adapters.supabase.search:SupabaseJobSearch"), rest),
    )
    own_end = Selector(
        storage,
        memory=Singleton(making.chosen("adapters.memory.moving:MemoryHouse"), store),
        postgres=Singleton(making.chosen("adapters.postgres.moving:PostgresHouse"), pools.provided.house),
        supabase=Singleton(making.chosen("adapters.supabase.moving:SupabaseHouse"), rest),
    )
    bell = Selector(
        storage,
        memory=Singleton(Bell),
        postgres=Singleton(making.chosen("adapters.postgres.bell:PostgresBell"), database_url),
        supabase=Singleton(Bell),
    )

    begin = Singleton(StoredBegin, store=store, clock=clock, ids=ids, wake=bell)
    readers = Singleton(StoredReaders, views)
    outbox = Singleton(StoredOutbox, store, clock)
    housekeeping = Singleton(Housekeeping, store, clock)
    trail = Singleton(StoredAuditTrail, store)
    ledger_chain = Singleton(StoredLedgerChain, store)
    accounts = Singleton(StoredAccounts, views)
    busy_times = Singleton(StoredBusyTimes, views)
    security_log = Singleton(StoredSecurityLog, store, clock, ids)
    perform = Singleton(Perform, receipts=Singleton(StoredReceipts, store), clock=clock, ids=ids, chance=chance)

    keyring = Singleton(making.keyring, settings, clock)
    access_tokens = Singleton(making.access_tokens, settings, keyring, clock, ids)
    bearer_tokens = Singleton(making.bearer_tokens, settings, access_tokens, clock)
    passwords = Singleton(making.passwords, settings)
    one_time_secrets = Singleton(making.chosen("adapters.local_identity:DerivedOneTimeSecrets"), secret)
    refresh_secrets = Singleton(making.chosen("adapters.local_identity:DerivedRefreshSecrets"), secret)
    identity_rules = Singleton(
        IdentityRules,
        refresh_lifetime=Callable(lambda s: timedelta(days=s.refresh_token_days), settings),
        tokens_join_by_address=settings.provided.join_by_confirmed_address,
        joins_by_address=settings.provided.join_by_address,
    )
    flow_secrets = Singleton(making.chosen("adapters.local_identity:DerivedFlowSecrets"), secret)
    return_origins = Singleton(ReturnOrigins, settings.provided.return_origins)
    http = Singleton(making.http)
    oauth_providers = Singleton(making.providers, settings, http.provider, clock)
    identity = Callable(lambda s: s.identity.value, settings)
    auth = Singleton(making.auth, settings, http)
    letter_hook = Singleton(making.letter_hook, settings, clock)
    sealed_secrets = Singleton(making.chosen("adapters.local_identity:HouseSeal"), secret)
    foreign_accounts = Selector(
        identity,
        local=Singleton(making.chosen("adapters.local_identity:NoAccounts")),
        supabase=Singleton(making.chosen("adapters.supabase.auth:SupabaseAccounts"), auth),
    )
    foreign_sessions = Selector(
        identity,
        local=Singleton(making.chosen("adapters.local_identity:NoSessions")),
        supabase=Singleton(making.chosen("adapters.supabase.auth:SupabaseSessions"), auth),
    )
    foreign_users = Selector(
        identity,
        local=Singleton(making.chosen("adapters.local_identity:NoUsers")),
        supabase=Singleton(making.chosen("adapters.supabase.auth:SupabaseUsers"), auth),
    )

    simulated_books = Singleton(making.simulated_books, settings)
    simulated_deliveries = Singleton(making.simulated_deliveries, settings, simulated_books, clock, secret)
    simulated_gateway = Singleton(
        making.chosen("adapters.simulated_gateway:SimulatedGateway"),
        simulated_books,
        simulated_deliveries,
        clock=clock,
        ids=ids,
        secret=secret,
    )
    gateway_name = Callable(lambda s: s.gateway.value, settings)
    gateway = Selector(gateway_name, test=simulated_gateway, stripe=Singleton(making.stripe_gateway, settings))
    gateway_records = Selector(
        gateway_name,
        test=Singleton(making.chosen("adapters.simulated_gateway:SimulatedRecords"), simulated_books),
        stripe=Singleton(making.chosen("adapters.stripe:StripeRecords"), gateway),
    )
    simulated_billing = Singleton(making.simulated_billing, settings, simulated_books, simulated_deliveries, clock, ids)
    billing = Selector(
        gateway_name,
        test=simulated_billing,
        stripe=Singleton(making.chosen("adapters.stripe:StripeBilling"), gateway),
    )
    payees = Selector(
        gateway_name,
        test=Singleton(making.simulated_payees, settings, simulated_books, simulated_deliveries, clock, ids),
        stripe=Singleton(making.chosen("adapters.stripe:StripePayees"), gateway),
    )
    sharing = Singleton(making.sharing, settings)
    simulated_disputes = Singleton(
        making.chosen("adapters.simulated_gateway:SimulatedDisputes"),
        simulated_books,
        simulated_deliveries,
        clock=clock,
        ids=ids,
    )
    dispute_desk = Selector(
        gateway_name,
        test=simulated_disputes,
        stripe=Singleton(making.chosen("adapters.stripe:StripeDisputes"), gateway),
    )
    simulated_wallet = Singleton(
        making.chosen("adapters.simulated_gateway:SimulatedWallet"),
        simulated_books,
        simulated_deliveries,
        clock=clock,
        ids=ids,
    )
    wallet = Selector(
        gateway_name,
        test=simulated_wallet,
        stripe=Singleton(making.chosen("adapters.stripe:StripeWallet"), gateway),
    )
    gateway_verifiers = Selector(
        gateway_name,
        test=Singleton(making.simulated_verifiers, settings, secret, clock),
        stripe=Singleton(making.stripe_verifiers, settings, clock),
    )
    verifiers = Singleton(making.verifiers, settings, gateway_verifiers, clock)
    news_readers = Singleton(making.news_readers, settings)

    mailer = Selector(
        Callable(lambda s: s.mail.value, settings),
        folder=Singleton(
            making.chosen("adapters.mail_folder:FolderMailer"), Callable(lambda s: s.data_dir / "mail", settings)
        ),
        smtp=Singleton(making.smtp, settings),
        memory=Singleton(making.chosen("adapters.memory.mail:MemoryMailer")),
    )
    letters = Singleton(making.chosen("adapters.templates.letters:JinjaLetters"))
    invites = Singleton(making.chosen("adapters.templates.calendars:CalendarInvites"))
    printer = Singleton(making.chosen("adapters.pdf:PdfPrinter"))
    links = Singleton(Links, settings.provided.public_url)
    sender = Callable(lambda s: Mailbox.read(s.mail_from), settings)

    limiter = Selector(
        Callable(lambda s: "counted" if s.rate_limits else "uncounted", settings),
        counted=Singleton(making.chosen("adapters.rate_limits:MemoryRateLimiter"), clock),
        uncounted=Singleton(making.chosen("adapters.rate_limits:Unlimited")),
    )

    objects = Selector(
        Callable(lambda s: s.files.value, settings),
        disk=Singleton(making.chosen("adapters.disk:DiskObjects"), Callable(lambda s: s.data_dir / "files", settings)),
        memory=Singleton(making.chosen("adapters.memory.objects:MemoryObjects"), clock),
        s3=Singleton(making.s3, settings),
        supabase=Singleton(making.supabase_storage, settings),
    )
    examiner = Singleton(
        making.chosen("adapters.inspection:IsolatedExaminer"), hands=Callable(lambda s: s.files_at_once, settings)
    )
    file_links = Singleton(
        making.chosen("adapters.signed_links:SignedLinks"), secret, clock, public_url=settings.provided.public_url
    )
    picture_delivery = Selector(
        Callable(lambda s: s.pictures.value, settings),
        here=Singleton(making.chosen("adapters.signed_links:HandedOutHere")),
        cloudinary=Singleton(making.cloudinary, settings, clock),
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
        ledger_chain=ledger_chain.provider,
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
        gateway_records=gateway_records.provider,
        catalog=billing.provider,
        customer_desk=billing.provider,
        dispute_desk=dispute_desk.provider,
        wallet=wallet.provider,
        till=billing.provider,
        subscriptions=billing.provider,
        payee_desk=payees.provider,
        shares=payees.provider,
        sharing=sharing.provider,
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
