"""Composition for the simulation: one wired application for many worlds, and the ports of each process in them.

The API is built once. Where it would have a port of its own it has a stand-in, which is that port of whichever
simulated process is running; so a world opens in milliseconds, and its processes come and go."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from dependency_injector.providers import Object

from adapters.local_identity import DerivedRefreshSecrets, FixedKeyring, LocalAccessTokens, SigningKey
from adapters.memory.search import MemoryJobSearch
from adapters.memory.store import MemoryStore, RowChange
from adapters.memory.views import MemoryViews
from adapters.persistence.housekeeping import Housekeeping
from adapters.persistence.mapper import Mapper
from adapters.persistence.outbox import StoredOutbox
from adapters.persistence.rules import Judge, late
from adapters.persistence.schema.tables import Row
from adapters.persistence.security import StoredSecurityLog
from adapters.simulated_gateway import (
    Books,
    Carrier,
    SimulatedBilling,
    SimulatedDisputes,
    SimulatedGateway,
    SimulatedPayees,
    SimulatedRecords,
    SimulatedWallet,
)
from adapters.simulation.chance import Dice, stream
from adapters.simulation.cheap import CheapPasswords, PlainInvites, PlainLetters, PlainPrinter, PostBox
from adapters.simulation.clock import SimulatedClock
from adapters.simulation.faults import (
    FaultyBilling,
    FaultyDisputes,
    FaultyGateway,
    FaultyMailer,
    FaultyPayees,
    FaultyRecords,
    FaultyStore,
    FaultyViews,
    FaultyWallet,
    SimulatedBell,
    Weather,
)
from adapters.simulation.loop import Endless, SimulatedLoop, Stuck
from adapters.simulation.processes import PROCESS, ConnectionLost, PerProcess, Process
from adapters.system.chance import SystemChance
from adapters.system.ids import SeededIds
from application.audit import SealAudit
from application.bookings import SweepHolds
from application.identity import ForgetExpiredTokens
from application.payments import ReconcileDays, SealLedger
from domain.audit import AuditEntry, Link, verify
from domain.payments import LedgerEntry
from domain.shared.actors import SYSTEM
from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse
from entrypoints.container.serving import app_of
from entrypoints.settings import MailCarrier, Settings, Storage
from entrypoints.use_cases import UseCases
from entrypoints.worker.delivery import Deliver
from entrypoints.worker.rounds import Duty, Worker

__all__ = [
    "PROCESS",
    "ConnectionLost",
    "Dice",
    "Endless",
    "Judge",
    "Pace",
    "Process",
    "RowChange",
    "Scene",
    "SimulatedLoop",
    "Stage",
    "Stuck",
    "Weather",
    "late",
    "stage",
    "stream",
]

Replace = Mapping[Any, Callable[..., Any]]
"""What is exchanged for something else: see `Stage`."""

SECRET = "a secret of the simulated house, known to everybody"  # noqa: S105
PER_PROCESS = (
    "store",
    "views",
    "job_search",
    "clock",
    "ids",
    "chance",
    "bell",
    "gateway",
    "billing",
    "gateway_records",
    "payees",
    "dispute_desk",
    "wallet",
    "mailer",
    "access_tokens",
    "security_log",
    "outbox",
)
"""The ports each process has of its own."""

TIDYING = 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the duties of a simulated worker: those of earnest or longer, in days that are mostly empty. No
    holds are swept while there are none; once an hour the sweeper looks all the same."""

    sweeping: float = 3600.0
    sealing: float = 21_600.0
    reconciling: float = 21_600.0


AT_LEAST_HOURLY = 3600.0

TOKENS_LAST = timedelta(hours=18)
"""Access tokens live longer than in earnest, for the same reason."""


class Stage:
    """The application, wired once. `replace` exchanges parts of it, which is how bugs are planted from outside:

    - the name of a port every process has (`store`, `gateway`, `mailer`, `clock`, `outbox` ... see `PER_PROCESS`):
      called with the good one when a process opens, returns what it gets instead. A store is exchanged under its
      faults, so that what is planted behaves badly on good days too;
    - `memory`: called without anything when a world opens, returns the store all its processes share;
    - the name of any other provider of the container (`begin`, `perform`, `readers`, `accounts`, `identity_rules`,
      `housekeeping` ...): called with the good one when the application is built;
    - a use case or reaction (its class): the class, or anything that takes the same ports, that stands in for it.
    """

    def __init__(self, replace: Replace | None = None) -> None:
        self.replace = dict(replace or {})
        self.settings = Settings(
            _env_file=None,
            env="test",
            storage=Storage.MEMORY,
            mail=MailCarrier.MEMORY,
            secret=SECRET,
            rate_limits=False,
            public_url="http://guildhall.test",
            connect=True,
            fee_basis_points=750,
        )
        self.keyring = FixedKeyring(_keys())
        container = Container(settings=self.settings)
        for name in PER_PROCESS:
            getattr(container, name).override(Object(PerProcess(name)))
        container.keyring.override(Object(self.keyring))
        container.passwords.override(Object(CheapPasswords()))
        container.letters.override(Object(PlainLetters()))
        container.invites.override(Object(PlainInvites()))
        container.printer.override(Object(PlainPrinter()))
        for name, make in self.replace.items():
            if isinstance(name, str) and name not in (*PER_PROCESS, "memory"):
                provider = getattr(container, name)
                provider.override(Object(make(provider())))
        use = _Exchanged(container.ports(), self.replace)
        container.use_cases.override(Object(use))
        self.container = container
        self.app = app_of(OpenHouse(self.settings, container), with_worker=False)

    @property
    def use(self) -> UseCases:
        """The use cases, for whoever runs as a process."""
        use: UseCases = self.container.use_cases()
        return use

    def port(self, name: str, good: Any) -> Any:
        """This port of a process, or what was planted in its place."""
        make = self.replace.get(name)
        return good if make is None else make(good)

    def digest_of(self, token: str) -> str:
        """What is stored of a refresh token."""
        secrets: DerivedRefreshSecrets = self.container.refresh_secrets()
        return secrets.digest(token)

    def memory(self) -> MemoryStore:
        """An empty store."""
        make = self.replace.get("memory", MemoryStore)
        store: MemoryStore = make()
        return store


class _Exchanged(UseCases):
    """Use cases of which some are others."""

    def __init__(self, ports: Mapping[str, Any], replace: Replace) -> None:
        super().__init__(ports)
        self._replace = replace

    def _build(self, use_case: type[Any]) -> Any:
        return super()._build(self._replace.get(use_case, use_case))


@lru_cache(maxsize=1)
def stage() -> Stage:
    """The application as it is shipped; built on first use."""
    return Stage()


@lru_cache(maxsize=1)
def _keys() -> str:
    return json.dumps({"keys": [SigningKey.generate(now=datetime(2020, 1, 1, tzinfo=UTC)).stored()]})


@dataclass(slots=True)
class Scene:
    """What outlives every process of one world: its rows, the gateway's books, its time and its weather."""

    stage: Stage
    seed: int
    start: datetime
    weather: Weather
    loop: SimulatedLoop
    post: Callable[[bytes, dict[str, str]], Any]
    copies: Callable[[], Any]
    pace: Pace = field(default_factory=Pace)
    memory: MemoryStore = field(init=False)
    clock: SimulatedClock = field(init=False)
    ids: SeededIds = field(init=False)
    books: Books = field(init=False)
    carrier: Carrier = field(init=False)
    gateway: SimulatedGateway = field(init=False)
    billing: SimulatedBilling = field(init=False)
    payees: SimulatedPayees = field(init=False)
    disputes: SimulatedDisputes = field(init=False)
    wallet: SimulatedWallet = field(init=False)
    mailer: PostBox = field(init=False)
    bells: list[SimulatedBell] = field(default_factory=list)
    _holding: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.memory = self.stage.memory()
        self.memory.listen(self._heed)
        self.clock = SimulatedClock(self.loop, self.start)
        self.ids = SeededIds(self.clock, seed=stream(self.seed, "outside").getrandbits(64))
        self.books = Books(":memory:")
        self.carrier = Carrier(self.books, post=self.post, copies=self.copies, secret=SECRET, clock=self.clock)
        self.gateway = SimulatedGateway(self.books, self.carrier, clock=self.clock, ids=self.ids, secret=SECRET)
        url = self.stage.settings.public_url
        self.billing = SimulatedBilling(self.books, self.carrier, clock=self.clock, ids=self.ids, url=url)
        self.payees = SimulatedPayees(self.books, self.carrier, clock=self.clock, ids=self.ids, url=url)
        self.disputes = SimulatedDisputes(self.books, self.carrier, clock=self.clock, ids=self.ids)
        self.wallet = SimulatedWallet(self.books, self.carrier, clock=self.clock, ids=self.ids)
        self.mailer = PostBox()

    def open(self, name: str) -> Process:
        """A process of this world, with ports of its own. What it runs is up to whoever opens it."""
        process, weather, port = Process(name), self.weather, self.stage.port
        clock = port("clock", SimulatedClock(self.loop, self.start))
        ids = port("ids", SeededIds(clock, seed=stream(self.seed, "ids", name).getrandbits(64)))
        store = FaultyStore(port("store", self.memory), weather)
        settings = self.stage.settings
        bell = SimulatedBell(self._ring, self._next_due, weather)
        self.bells.append(bell)
        process.on_death.append(lambda _: self.bells.remove(bell))
        issuer = settings.token_issuer
        tokens = LocalAccessTokens(self.stage.keyring, clock, ids, issuer=issuer, audience=issuer, lifetime=TOKENS_LAST)
        process.ports |= {
            "clock": clock,
            "ids": ids,
            "store": store,
            "views": port("views", FaultyViews(MemoryViews(self.memory), weather)),
            "job_search": port("job_search", MemoryJobSearch(self.memory)),
            "chance": port("chance", SystemChance(chance=stream(self.seed, "chance", name))),
            "bell": port("bell", bell),
            "gateway": FaultyGateway(port("gateway", self.gateway), weather),
            "billing": FaultyBilling(port("billing", self.billing), weather),
            "gateway_records": FaultyRecords(port("gateway_records", SimulatedRecords(self.books)), weather),
            "payees": FaultyPayees(port("payees", self.payees), weather),
            "dispute_desk": FaultyDisputes(port("dispute_desk", self.disputes), weather),
            "wallet": FaultyWallet(port("wallet", self.wallet), weather),
            "mailer": FaultyMailer(port("mailer", self.mailer), weather),
            "access_tokens": port("access_tokens", tokens),
            "security_log": port("security_log", StoredSecurityLog(store, clock, ids)),
            "outbox": port("outbox", StoredOutbox(store, clock)),
        }
        return process

    def worker(self, process: Process, *, sweeping: bool = True) -> Worker:
        """The worker that this process runs; one whose sweeper is dead does only what events ask for."""
        container, use, ports = self.stage.container, self.stage.use, process.ports
        deliver = Deliver(
            outbox=ports["outbox"], reactions=use.reactions(), perform=container.perform(), clock=ports["clock"]
        )
        housekeeping: Housekeeping = container.housekeeping()
        duties = [
            Duty(name="seal the audit trail", every=self.pace.sealing, do=partial(_seal_all, use(SealAudit))),
            Duty(name="seal the ledger", every=self.pace.sealing, do=partial(_seal_all, use(SealLedger))),
            Duty(name="forget expired tokens", every=TIDYING, do=partial(use(ForgetExpiredTokens), SYSTEM)),
            Duty(name="tidy old receipts and events", every=TIDYING, do=housekeeping.tidy),
            Duty(name="reconcile", every=self.pace.reconciling, do=partial(use(ReconcileDays), SYSTEM)),
        ]
        if sweeping:
            sweep = partial(self._sweep, use(SweepHolds))
            duties.append(Duty(name="sweep lapsed holds", every=self.pace.sweeping, do=sweep))
        return Worker(deliver=deliver, bell=ports["bell"], duties=duties)

    def rows(self, table: str) -> Iterable[Row]:
        """The rows of a table as they are stored now; to look at only."""
        return self.memory.tables[table].rows.values()

    def row(self, table: str, key: Any) -> Row | None:
        """One row of a table as it is stored now."""
        return self.memory.tables[table].rows.get(key)

    def broken_chain(self) -> str | None:
        """Where the sealed audit trail does not hold, if it does not."""
        sealed = sorted((row for row in self.rows("audit") if row["hash"]), key=lambda row: row["position"])
        names = [field.name for field in fields(AuditEntry)]
        links = (
            Link(position=row["position"], hash=row["hash"], entry=AuditEntry(**{name: row[name] for name in names}))
            for row in sealed
        )
        broken = verify(links)
        return None if broken is None else f"at {broken.position} of {len(sealed)} it is {broken.fault.value}"

    def broken_ledger(self) -> str | None:
        """Where the sealed ledger does not hold, if it does not, or a balance is not what its entries come to."""
        sealed = sorted((row for row in self.rows("ledger") if row["hash"]), key=lambda row: row["position"])
        mapper: Mapper[LedgerEntry] = Mapper(LedgerEntry)
        broken = verify(Link(position=row["position"], hash=row["hash"], entry=mapper.build(row)) for row in sealed)
        if broken is not None:
            return f"at {broken.position} of {len(sealed)} it is {broken.fault.value}"
        come_to: Counter[tuple[str, str]] = Counter()
        for row in sealed:
            come_to[row["account"], row["amount_currency"]] += row["amount_minor"]
        for row in self.rows("balances"):
            if row["amount_minor"] != come_to[row["account"], row["amount_currency"]]:
                return f"{row['account']} says {row['amount_minor']}"
        return None

    @property
    def grace(self) -> timedelta:
        """How late something may be that only a duty of the worker notices."""
        return timedelta(seconds=2 * self.pace.sealing)

    @property
    def cash_account(self) -> str:
        """The account of the ledger that says what the gateway holds."""
        return f"gateway:{self.gateway.name}"

    def gateway_payments(self) -> list[dict[str, Any]]:
        """The gateway's own books."""
        return self.books.read("select * from payments order by ref")

    def gateway_plans(self, table: str) -> list[dict[str, Any]]:
        """What its books say of checkouts or subscriptions."""
        questions = {
            "checkouts": "select * from checkouts order by ref",
            "subscriptions": "select * from subscriptions order by ref",
        }
        return self.books.read(questions[table])

    def gateway_disputes(self) -> list[dict[str, Any]]:
        """The disputes in them."""
        return self.books.read("select * from disputes order by ref")

    def close(self) -> None:
        """Let go of what is not memory alone."""
        self.books.close()

    async def _sweep(self, sweep: SweepHolds) -> None:
        await sweep(SYSTEM)
        if not any(row["state"] == "held" for row in self.rows("bookings")):
            self._holding.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(AT_LEAST_HOURLY):
                    await self._holding.wait()

    def _heed(self, changes: Iterable[RowChange]) -> None:
        if any(table == "bookings" and after and after["state"] == "held" for table, _, after in changes):
            self._holding.set()

    def _ring(self) -> None:
        for bell in self.bells:
            bell.heard()

    def _next_due(self) -> float | None:
        now = self.clock.now()
        due = self.memory.next_due(now)
        return None if due is None else (due - now).total_seconds()


async def _seal_all(seal: SealAudit | SealLedger, batch: int = 500) -> None:
    while await seal(limit=batch) == batch:
        pass
