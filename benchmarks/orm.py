# mypy: disable-error-code="attr-defined, arg-type"
# What is mapped from tables has its attributes at run time.
"""The same three operations as most would build them today: FastAPI, Pydantic and the SQLAlchemy ORM, asynchronous.

It validates what comes and what goes; like the floor it knows no authentication, no row-level security and no log."""

import argparse
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, relationship

from adapters.postgres.metadata import metadata
from benchmarks.ids import fresh_id, fresh_reference

TABLES = metadata().tables
NOT_SHOWN = ("search", "place_search", "words", "title_words", "place_words")


class Base(DeclarativeBase):
    """What is mapped."""


class Profile(Base):
    """Who offers a job."""

    __table__ = TABLES["profiles"]


class Organization(Base):
    """In whose name."""

    __table__ = TABLES["organizations"]


class Rating(Base):
    """What its customers said."""

    __table__ = TABLES["ratings"]


class Availability(Base):
    """When they work."""

    __table__ = TABLES["availabilities"]


class Job(Base):
    """A job with those who offer it."""

    __table__ = TABLES["jobs"]
    __mapper_args__ = {"exclude_properties": NOT_SHOWN}  # noqa: RUF012
    rating: Mapped[Rating] = relationship(
        primaryjoin="foreign(Job.id) == Rating.id", lazy="joined", innerjoin=True, viewonly=True
    )
    provider: Mapped[Profile] = relationship(
        primaryjoin="foreign(Job.provider_id) == Profile.id", lazy="joined", viewonly=True
    )
    organization: Mapped[Organization] = relationship(lazy="joined", viewonly=True)

    @property
    def price(self) -> dict[str, Any]:
        """Minor units and their currency."""
        return {"amount_minor": self.price_minor, "currency": self.price_currency}

    @property
    def rating_count(self) -> int:
        """How many have spoken."""
        return self.rating.count  # type: ignore[no-any-return]

    @property
    def rating_average(self) -> int:
        """In hundredths of a star."""
        return self.rating.average_hundredths  # type: ignore[no-any-return]

    @property
    def provider_name(self) -> str:
        """Their name."""
        return self.provider.name  # type: ignore[no-any-return]

    @property
    def organization_name(self) -> str:
        """Their house's."""
        return self.organization.name  # type: ignore[no-any-return]


class Booking(Base):
    """A booking."""

    __table__ = TABLES["bookings"]

    @property
    def price(self) -> dict[str, Any]:
        """Minor units and their currency."""
        return {"amount_minor": self.price_minor, "currency": self.price_currency}

    @property
    def when(self) -> dict[str, Any]:
        """From when to when."""
        return {"starts_at": self.span.lower, "ends_at": self.span.upper}


class Event(Base):
    """Something that happened."""

    __table__ = TABLES["outbox"]


class Receipt(Base):
    """What was answered."""

    __table__ = TABLES["receipts"]


class Out(BaseModel):
    """What is shown."""

    model_config = ConfigDict(from_attributes=True)


class Price(Out):
    """An amount of money."""

    amount_minor: int
    currency: str


class Tier(Out):
    """What comes back with that much notice."""

    hours_before: int
    refund_percent: int


class Policy(Out):
    """What a cancellation gives back."""

    tiers: list[Tier]
    no_show_percent: int


class JobOut(Out):
    """A job."""

    id: UUID
    version: int
    organization_id: UUID
    provider_id: UUID
    title: str
    description: str
    category: str
    price: Price
    duration: int
    buffer_before: int
    buffer_after: int
    capacity: int
    place: str
    remote: bool
    slot_interval: int
    notice: int
    window_days: int
    terms: str
    acceptance: str
    policy: Policy
    pictures: list[UUID]
    state: str
    published_at: datetime
    created_at: datetime
    updated_at: datetime
    rating_count: int
    rating_average: int
    provider_name: str
    organization_name: str


class PageOut(Out):
    """Twenty of them."""

    items: list[JobOut]
    next_cursor: str | None
    has_more: bool


class SpanOut(Out):
    """From when to when."""

    starts_at: datetime
    ends_at: datetime


class BookingOut(Out):
    """A booking."""

    id: UUID
    version: int
    reference: str
    job_id: UUID
    job_title: str
    organization_id: UUID
    provider_id: UUID
    customer_id: UUID
    span: SpanOut
    zone: str
    buffer_before: int
    buffer_after: int
    seats: int
    price: Price
    policy: Policy
    terms: str
    acceptance: str
    note: str
    state: str
    payment_id: UUID | None = None
    paid: bool
    expires_at: datetime | None = None
    sequence: int
    refund: Price | None = None
    cancelled_by: str | None = None
    cancel_reason: str
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None


class Wanted(BaseModel):
    """Which slot."""

    job_id: UUID
    starts_at: datetime
    note: str = ""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ten connections."""
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, pool_size=10, max_overflow=0)
    # A plan that suits every question is ten times slower on a search, here as anywhere.
    searching = create_async_engine(
        url,
        pool_size=10,
        max_overflow=0,
        connect_args={"server_settings": {"plan_cache_mode": "force_custom_plan", "jit": "off"}},
    )
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.state.searching = async_sessionmaker(searching, expire_on_commit=False)
    yield
    await engine.dispose()
    await searching.dispose()


async def a_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The session of a request."""
    async with request.app.state.sessions() as session:
        yield session


async def a_search(request: Request) -> AsyncIterator[AsyncSession]:
    """The session of a search."""
    async with request.app.state.searching() as session:
        yield session


app = FastAPI(lifespan=lifespan)


@app.get("/v1/jobs/{id}")
async def read(id: UUID, session: Annotated[AsyncSession, Depends(a_session)]) -> JobOut:
    """One job."""
    job = await session.scalar(sa.select(Job).where(Job.id == id, Job.state == "published"))
    if job is None:
        raise HTTPException(404)
    return JobOut.model_validate(job)


@app.get("/v1/jobs")
async def search(
    text: str, session: Annotated[AsyncSession, Depends(a_search)], sort: str = "relevance", limit: int = 20
) -> PageOut:
    """A page of twenty."""
    terms = text.lower().split()
    query = sa.cast(" & ".join(f"'{term}':*" for term in terms), sa.dialects.postgresql.TSQUERY)
    matching = (TABLES["jobs"].c.state == "published", TABLES["jobs"].c.search.op("@@")(query))
    newest = (TABLES["jobs"].c.published_at.desc(), TABLES["jobs"].c.id.desc())
    if sort == "newest":
        wanted = sa.select(Job).where(*matching).order_by(*newest)
    else:
        asked = sa.func.unnest(sa.cast(terms, sa.ARRAY(sa.Text))).table_valued("term").render_derived()
        in_title = (sa.literal(" ") + TABLES["jobs"].c.title_words).like(
            sa.literal("% ") + asked.c.term + sa.literal("%")
        )
        score = sa.select(sa.func.count()).select_from(asked).where(in_title).scalar_subquery().label("score")
        best = sa.select(TABLES["jobs"], score).where(*matching).order_by(*newest).limit(1000).subquery()
        ranked = aliased(Job, best)
        order = (best.c.score.desc(), best.c.published_at.desc(), best.c.id.desc())
        wanted = sa.select(ranked).order_by(*order)
    found = list(await session.scalars(wanted.limit(limit + 1)))
    last = found[limit - 1] if len(found) > limit else None
    cursor = f"{last.published_at.isoformat()},{last.id}" if last else None
    items = [JobOut.model_validate(job) for job in found[:limit]]
    return PageOut(items=items, next_cursor=cursor, has_more=cursor is not None)


@app.post("/v1/bookings", status_code=201)
async def book(
    wanted: Wanted,
    request: Request,
    session: Annotated[AsyncSession, Depends(a_session)],
    x_customer: Annotated[UUID, Header()],
    idempotency_key: Annotated[str, Header()],
) -> BookingOut:
    """Lock, booking, event and receipt in one transaction."""
    now, starts_at = datetime.now(UTC), wanted.starts_at.astimezone(UTC)
    async with session.begin():
        job = await session.get(Job, wanted.job_id)
        if job is None or job.state != "published":
            raise HTTPException(404)
        hours = await session.get_one(Availability, job.provider_id)
        await session.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"provider:{job.provider_id}", 0)))
        )
        ends_at, id = starts_at + timedelta(minutes=job.duration), fresh_id()
        before, after = timedelta(minutes=job.buffer_before), timedelta(minutes=job.buffer_after)
        booking = Booking(
            id=id, version=1, reference=fresh_reference(), job_id=job.id, job_title=job.title,
            organization_id=job.organization_id, provider_id=job.provider_id, customer_id=x_customer,
            span=Range(starts_at, ends_at), zone=hours.zone, buffer_before=job.buffer_before,
            buffer_after=job.buffer_after, occupancy=id, seats=1, capacity=job.capacity, price_minor=job.price_minor,
            price_currency=job.price_currency, policy=job.policy, terms=job.terms, acceptance=job.acceptance,
            note=wanted.note, state="confirmed", paid=False, sequence=0, refund_floor=0, refund_ceiling=100,
            cancel_reason="", created_at=now, confirmed_at=now, starts_at=starts_at,
            blocked=Range(starts_at - before, ends_at + after), active=True,
        )  # fmt: skip
        answer = _shown(booking)
        about = answer.model_dump(
            mode="json", include={"customer_id", "provider_id", "organization_id", "reference", "span"}
        )
        event = Event(
            id=fresh_id(), version=1, name="booking.confirmed", subject_table="bookings", subject_id=id,
            subject_version=1, position=0, payload={"booking_id": str(id), **about}, actor=f"user:{x_customer}",
            created_at=now, due_at=now, scheduled=False, attempts=0,
        )  # fmt: skip
        receipt = Receipt(
            id=fresh_id(), version=1, key=idempotency_key, principal=f"user:{x_customer}", operation="bookings-create",
            fingerprint=hashlib.sha256(await request.body()).hexdigest(), answer_table="bookings",
            answer=answer.model_dump(mode="json"), created_at=now, expires_at=now + timedelta(hours=24),
        )  # fmt: skip
        session.add_all([booking, event, receipt])
    return answer


def _shown(booking: Booking) -> BookingOut:
    columns = {
        name: getattr(booking, name) for name in BookingOut.model_fields if name not in ("span", "price", "refund")
    }
    return BookingOut.model_validate({**columns, "span": booking.when, "price": booking.price})


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Here."""
    return {}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    port = arguments.parse_args().port
    uvicorn.run(app, port=port, http="httptools", loop="uvloop", access_log=False, log_level="warning", ws="none")
