"""What one process runs: the API, the worker, or both, on an open house."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from uvicorn.config import Config
from uvicorn.server import Server

from application.audit import SealAudit
from application.billing import RefreshCatalog
from application.bookings import SweepHolds
from application.files import SweepFiles
from application.identity import Authenticate, ForgetExpiredTokens
from application.payments import ReconcileDays, SealLedger
from domain.identity import Client
from domain.shared.actors import SYSTEM, Actor
from domain.shared.errors import Unavailable
from entrypoints.container.injection import Container
from entrypoints.container.opening import OpenHouse
from entrypoints.container.standing import must_be_present
from entrypoints.container.stopping import Stop
from entrypoints.rest.app import Api, create_app
from entrypoints.rest.health import Checks
from entrypoints.rest.metrics import Metrics
from entrypoints.settings import ClockName, Env, GatewayName, IssuerName, MailCarrier, Settings, Storage
from entrypoints.webhooks import webhooks
from entrypoints.worker.rounds import Duty, Worker

SILENT_FOR = 90.0
"""Seconds after which a worker that has not come round counts as stuck; a slow batch takes less."""


async def serve(
    house: OpenHouse, *, on: socket.socket, with_worker: bool, stop: Stop, ready: Callable[[], None] = lambda: None
) -> None:
    """The API on that listening socket until it is told to stop: no new requests then, those in flight are answered,
    the worker finishes what it is at. `ready` is called once requests are answered."""
    worker = worker_of(house) if with_worker else None
    settings = house.settings
    config = Config(
        app_of(house, worker=worker, stop=stop),
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    server = _Quiet(config, ready)
    async with _background(_heed(stop, server, worker)):
        await server.serve(sockets=[on])
    if not server.started:
        raise Unavailable("the API could not start; the log says why")


async def work(house: OpenHouse, *, stop: Stop, ready: Callable[[], None] = lambda: None) -> None:
    """The worker alone, until it is told to stop."""
    worker = worker_of(house)
    async with running(house, worker, stop=stop):
        ready()
        await stop.asked.wait()
        worker.stop()


class _Quiet(Server):
    """A server that leaves signals to its process, and says when it is ready."""

    def __init__(self, config: Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Whoever runs this process hears its signals: closing the house comes after closing the door."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


async def _heed(stop: Stop, server: Server, worker: Worker | None) -> None:
    await stop.asked.wait()
    server.should_exit = True
    if worker is not None:
        worker.stop()
    await stop.insisted.wait()
    server.force_exit = True


def api_description() -> dict[str, Any]:
    """The OpenAPI document of this version, whatever the database, gateway and mail of these settings."""
    with TemporaryDirectory() as folder:
        settings = Settings(
            env=Env.DEVELOPMENT,
            demo=False,
            data_dir=Path(folder),
            storage=Storage.MEMORY,
            gateway=GatewayName.TEST,
            mail=MailCarrier.MEMORY,
            clock=ClockName.SYSTEM,
        )
        house = OpenHouse(settings, Container(settings=settings))
        return app_of(house, worker=None).openapi()


def worker_of(house: OpenHouse) -> Worker:
    """The worker of this house, with its duties."""
    use, sweep = house.use, house.container.housekeeping()
    duties = [
        Duty(name="seal the audit trail", every=0.5, do=partial(_seal_all, use(SealAudit))),
        Duty(name="seal the ledger", every=0.5, do=partial(_seal_all, use(SealLedger))),
        Duty(name="sweep lapsed holds", every=15, do=partial(use(SweepHolds), SYSTEM)),
        Duty(name="forget expired tokens", every=600, do=partial(use(ForgetExpiredTokens), SYSTEM)),
        Duty(name="sweep abandoned uploads", every=300, do=partial(use(SweepFiles), SYSTEM, objects=False)),
        Duty(name="sweep bytes of no file", every=6 * 3600, do=partial(use(SweepFiles), SYSTEM)),
        Duty(name="mirror the gateway's catalog", every=3600, do=partial(use(RefreshCatalog), SYSTEM)),
        Duty(name="forget old receipts and events", every=60, do=sweep.tidy),
    ]
    if house.settings.reconcile_daily:
        duties.append(Duty(name="reconcile with the gateway", every=3600, do=partial(use(ReconcileDays), SYSTEM)))
    return Worker(deliver=house.container.deliver(), bell=house.container.bell(), duties=duties)


async def _seal_all(seal: SealAudit | SealLedger, batch: int = 500) -> None:
    """Seal until nothing waits: after a busy second the next half second would not be enough."""
    while await seal(limit=batch) == batch:
        pass


def app_of(
    house: OpenHouse, *, with_worker: bool = False, worker: Worker | None = None, stop: Stop | None = None
) -> FastAPI:
    """The API on this house; with a worker inside, one of its own or the one given."""
    settings, container = house.settings, house.container
    if with_worker and worker is None:
        worker = worker_of(house)
    metrics, housekeeping = Metrics(), container.housekeeping()
    checks: Checks = {"database": housekeeping.check_store, "schema": partial(_schema, house)}
    if worker is not None:
        checks["worker"] = partial(_alive, worker)

    async def refresh() -> None:
        for state, count in (await housekeeping.backlog()).items():
            metrics.outbox.labels(state).set(count)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(house, worker, stop=stop):
            yield

    return create_app(
        Api(
            use=house.use,
            perform=container.perform(),
            recognise=_recognise(house),
            limiter=container.limiter(),
            secret=container.secret(),
            new_id=container.ids().new,
            version=version("guildhall"),
            public_url=settings.public_url,
            max_body_bytes=settings.max_body_bytes,
            cors_origins=settings.cors_origins,
            checks=checks,
            metrics=metrics,
            refresh_metrics=refresh,
            facts=_facts(house),
            also=webhooks(house.use),
            lifespan=lifespan,
        )
    )


@asynccontextmanager
async def running(house: OpenHouse, worker: Worker | None, *, stop: Stop | None = None) -> AsyncIterator[None]:
    """The background of a process: its worker, the bell between processes, and the simulated gateway's deliveries."""
    patience = stop or Stop(house.settings.drain_seconds)
    async with AsyncExitStack() as stack:
        bell: Any = house.container.bell()
        stack.callback(house.container.examiner().close)
        if house.settings.storage is Storage.POSTGRES:
            await stack.enter_async_context(_background(bell.run()))
        if house.settings.gateway is GatewayName.TEST:
            await stack.enter_async_context(_background(house.container.simulated_deliveries().run()))
        if worker is not None:
            task = asyncio.ensure_future(worker.run())
            stack.push_async_callback(_finish, worker, task, patience)
        yield


async def _finish(worker: Worker, task: "asyncio.Future[None]", stop: Stop) -> None:
    worker.stop()
    with suppress(TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(task, stop.left)


async def _alive(worker: Worker) -> str:
    silent = asyncio.get_running_loop().time() - worker.last_beat
    if silent > SILENT_FOR:
        raise Unavailable(f"the worker has not come round for {silent:.0f} seconds")
    return "comes round"


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _recognise(house: OpenHouse) -> Callable[..., Awaitable[Actor]]:
    """Who shows a token. One that the project of our rows issued itself is kept at hand to read there with."""
    recognise = house.use(Authenticate)
    settings = house.settings
    if settings.storage is not Storage.SUPABASE or IssuerName.SUPABASE not in settings.accept_tokens_of:
        return recognise
    from adapters.supabase.tokens import carry

    async def recognised(token: str, client: Client = Client()) -> Actor:
        actor = await recognise(token, client)
        if actor.session_id is None and actor.user_id is not None:
            carry(actor.user_id, token, issuer=f"{settings.supabase_url}/auth/v1")
        return actor

    return recognised


async def _schema(house: OpenHouse) -> str:
    if house.settings.storage is Storage.MEMORY:
        return "in memory"
    return f"revision {(await must_be_present(house)).found}"


def _facts(house: OpenHouse) -> dict[str, Any]:
    settings = house.settings
    desk = house.container.gateway() if settings.gateway is GatewayName.TEST else None
    return {
        "gateway": settings.gateway.value,
        "stripe_publishable_key": settings.stripe_publishable_key,
        "card_desk": desk,
        "setup_desk": house.container.wallet() if settings.gateway is GatewayName.TEST else None,
        "plan_desk": house.container.billing() if settings.gateway is GatewayName.TEST else None,
        "account_desk": house.container.payees() if settings.gateway is GatewayName.TEST else None,
        "refresh_token_days": settings.refresh_token_days,
        "keys": house.container.access_tokens(),
        "providers": tuple(house.container.oauth_providers()),
    }
