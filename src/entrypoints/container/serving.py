"""What one process runs: the API, the worker, or both, on an open house."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from application.audit import SealAudit
from application.bookings import SweepHolds
from application.identity import Authenticate, ForgetExpiredTokens
from domain.shared.actors import SYSTEM
from entrypoints.container.opening import OpenHouse
from entrypoints.rest.app import Api, create_app
from entrypoints.rest.metrics import Metrics
from entrypoints.settings import GatewayName, Storage
from entrypoints.webhooks import webhooks
from entrypoints.worker.rounds import Duty, Worker


def worker_of(house: OpenHouse) -> Worker:
    """The worker of this house, with its duties."""
    use, sweep = house.use, house.container.housekeeping()
    duties = (
        Duty(name="seal the audit trail", every=0.5, do=use(SealAudit)),
        Duty(name="sweep lapsed holds", every=15, do=partial(use(SweepHolds), SYSTEM)),
        Duty(name="forget expired tokens", every=600, do=partial(use(ForgetExpiredTokens), SYSTEM)),
        Duty(name="forget old receipts and events", every=60, do=sweep.tidy),
    )
    return Worker(deliver=house.container.deliver(), bell=house.container.bell(), duties=duties)


def app_of(house: OpenHouse, *, with_worker: bool) -> FastAPI:
    """The API on this house; with its worker inside, if wished."""
    settings, container = house.settings, house.container
    worker = worker_of(house) if with_worker else None
    metrics, housekeeping = Metrics(), container.housekeeping()

    async def refresh() -> None:
        for state, count in (await housekeeping.backlog()).items():
            metrics.outbox.labels(state).set(count)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(house, worker):
            yield

    return create_app(
        Api(
            use=house.use,
            perform=container.perform(),
            recognise=house.use(Authenticate),
            limiter=container.limiter(),
            secret=container.secret(),
            new_id=container.ids().new,
            version=version("guildhall"),
            public_url=settings.public_url,
            max_body_bytes=settings.max_body_bytes,
            cors_origins=settings.cors_origins,
            checks={"database": housekeeping.check_store, "schema": partial(_schema, house)},
            metrics=metrics,
            refresh_metrics=refresh,
            facts=_facts(house),
            also=(webhooks(house.use),),
            lifespan=lifespan,
        )
    )


@asynccontextmanager
async def running(house: OpenHouse, worker: Worker | None) -> AsyncIterator[None]:
    """The background of a process: its worker, the bell between processes, and the simulated gateway's deliveries."""
    async with AsyncExitStack() as stack:
        bell: Any = house.container.bell()
        if house.settings.storage is not Storage.MEMORY:
            await stack.enter_async_context(_background(bell.run()))
        if house.settings.gateway is GatewayName.TEST:
            await stack.enter_async_context(_background(house.container.simulated_deliveries().run()))
        if worker is not None:
            task = asyncio.ensure_future(worker.run())
            stack.push_async_callback(_finish, worker, task, house.settings.drain_seconds)
        yield


async def _finish(worker: Worker, task: "asyncio.Future[None]", seconds: int) -> None:
    worker.stop()
    with suppress(TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(task, seconds)


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _schema(house: OpenHouse) -> str:
    if house.settings.storage is Storage.MEMORY:
        return "in memory"
    from adapters.postgres.versions import newest, revision

    found = await revision(house.owner_url)
    if found != newest():
        raise LookupError(f"the database is at revision {found}, this version wants {newest()}")
    return f"revision {found}"


def _facts(house: OpenHouse) -> dict[str, Any]:
    settings = house.settings
    desk = house.container.gateway() if settings.gateway is GatewayName.TEST else None
    return {
        "gateway": settings.gateway.value,
        "stripe_publishable_key": settings.stripe_publishable_key,
        "card_desk": desk,
        "refresh_token_days": settings.refresh_token_days,
        "keys": house.container.access_tokens(),
    }
