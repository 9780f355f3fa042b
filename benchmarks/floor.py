"""The floor: Starlette, asyncpg and orjson, as fast as plain Python reads, searches and books on Guildhall's tables.

No validation, no authentication, no row-level security, no log, no idempotency but the receipt it writes: what a
request costs at least. It connects as the owner and believes whom `X-Customer` names."""

import argparse
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.ids import fresh_id, fresh_reference

JOB = """j.id, j.version, j.organization_id, j.provider_id, j.title, j.description, j.category, j.price_minor,
  j.price_currency, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.place, j.remote, j.slot_interval,
  j.notice, j.window_days, j.terms, j.acceptance, j.policy, j.pictures, j.state, j.published_at, j.created_at,
  j.updated_at, r.count as rating_count, r.average_hundredths as rating_average, p.name as provider_name,
  o.name as organization_name"""
JOINED = """join ratings r on r.id = j.id left join profiles p on p.id = j.provider_id
  left join organizations o on o.id = j.organization_id"""
READ = f"select {JOB} from jobs j {JOINED} where j.id = $1 and j.state = 'published'"
NEWEST = f"""select {JOB} from jobs j {JOINED} where j.state = 'published' and j.search @@ $1::tsquery
  order by j.published_at desc, j.id desc limit 21"""
RELEVANT = f"""select {JOB} from (
    select id, score from (
      select j.id, j.published_at,
        (select count(*) from unnest($2::text[]) t where ' ' || j.title_words like '% ' || t || '%') as score
      from jobs j where j.state = 'published' and j.search @@ $1::tsquery
      order by j.published_at desc, j.id desc limit 1000
    ) hit order by score desc, published_at desc, id desc limit 21
  ) best join jobs j on j.id = best.id {JOINED} order by best.score desc, j.published_at desc, j.id desc"""
LOCK = """select pg_advisory_xact_lock(hashtextextended('provider:' || j.provider_id, 0)), j.*, a.zone
  from jobs j join availabilities a on a.id = j.provider_id where j.id = $1 and j.state = 'published'"""
BOOKING = """insert into bookings (id, version, reference, job_id, job_title, organization_id, provider_id,
    customer_id, span, zone, buffer_before, buffer_after, occupancy, seats, capacity, price_minor, price_currency,
    policy, terms, acceptance, note, state, paid, sequence, refund_floor, refund_ceiling, cancel_reason,
    created_at, confirmed_at, starts_at, blocked, active)
  values ($1, 1, $2, $3, $4, $5, $6, $7, tstzrange($8, $9), $10, $11, $12, $1, 1, $13, $14, $15, $16, $17, $18, $19,
    'confirmed', false, 0, 0, 100, '', $20, $20, $8, tstzrange($21, $22), true)"""
EVENT = """insert into outbox (id, version, name, subject_table, subject_id, subject_version, position, payload, actor,
    created_at, due_at, scheduled, attempts)
  values ($1, 1, 'booking.confirmed', 'bookings', $2, 1, 0, $3, $4, $5, $5, false, 0)"""
RECEIPT = """insert into receipts (id, version, key, principal, operation, fingerprint, answer_table, answer,
    created_at, expires_at)
  values ($1, 1, $2, $3, 'bookings-create', $4, 'bookings', $5, $6, $7)"""


def answered(content: Any, status: int = 200) -> Response:
    """JSON, with instants as RFC 3339 in UTC."""
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), status, media_type="application/json")


def listing(record: Any) -> dict[str, Any]:
    """A job as it is shown."""
    job = dict(record)
    job["price"] = {"amount_minor": job.pop("price_minor"), "currency": job.pop("price_currency")}
    job["policy"], job["pictures"] = orjson.Fragment(job["policy"]), orjson.Fragment(job["pictures"])
    return job


async def read(request: Request) -> Response:
    """One job."""
    job = await request.app.state.pool.fetchrow(READ, request.path_params["id"])
    return answered(listing(job)) if job else answered({"code": "not_found"}, 404)


async def search(request: Request) -> Response:
    """A page of twenty."""
    terms = request.query_params["text"].lower().split()
    query = " & ".join(f"'{term}':*" for term in terms)
    if request.query_params.get("sort") == "newest":
        found = await request.app.state.searching.fetch(NEWEST, query)
    else:
        found = await request.app.state.searching.fetch(RELEVANT, query, terms)
    end = f"{found[19]['published_at'].isoformat()},{found[19]['id']}" if len(found) > 20 else None
    return answered({"items": [listing(job) for job in found[:20]], "next_cursor": end, "has_more": end is not None})


async def book(request: Request) -> Response:
    """Lock, booking, event and receipt in one transaction."""
    body = await request.body()
    wanted, customer, now = orjson.loads(body), request.headers["x-customer"], datetime.now(UTC)
    starts_at, id = datetime.fromisoformat(wanted["starts_at"]).astimezone(UTC), fresh_id()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        job = await connection.fetchrow(LOCK, wanted["job_id"])
        ends_at = starts_at + timedelta(minutes=job["duration"])
        note, reference = wanted.get("note", ""), fresh_reference()
        await connection.execute(
            BOOKING, id, reference, job["id"], job["title"], job["organization_id"], job["provider_id"], customer,
            starts_at, ends_at, job["zone"], job["buffer_before"], job["buffer_after"], job["capacity"],
            job["price_minor"], job["price_currency"], job["policy"], job["terms"], job["acceptance"], note, now,
            starts_at - timedelta(minutes=job["buffer_before"]), ends_at + timedelta(minutes=job["buffer_after"]),
        )  # fmt: skip
        about = {"booking_id": id, "customer_id": customer, "provider_id": job["provider_id"], "reference": reference}
        about["organization_id"] = job["organization_id"]
        about["span"] = {"starts_at": starts_at, "ends_at": ends_at}
        payload = orjson.dumps(about).decode()
        await connection.execute(EVENT, fresh_id(), id, payload, f"user:{customer}", now)
        answer = {
            "id": id, "version": 1, "reference": reference, "job_id": job["id"], "job_title": job["title"],
            "organization_id": job["organization_id"], "provider_id": job["provider_id"], "customer_id": customer,
            "span": {"starts_at": starts_at, "ends_at": ends_at}, "zone": job["zone"],
            "buffer_before": job["buffer_before"], "buffer_after": job["buffer_after"], "seats": 1,
            "price": {"amount_minor": job["price_minor"], "currency": job["price_currency"]},
            "policy": orjson.Fragment(job["policy"]), "terms": job["terms"], "acceptance": job["acceptance"],
            "note": note, "state": "confirmed", "payment_id": None, "paid": False, "expires_at": None, "sequence": 0,
            "refund": None, "cancelled_by": None, "cancel_reason": "", "created_at": now, "confirmed_at": now,
            "cancelled_at": None, "completed_at": None,
        }  # fmt: skip
        key, digest = request.headers["idempotency-key"], hashlib.sha256(body).hexdigest()
        kept = orjson.dumps(answer, option=orjson.OPT_UTC_Z).decode()
        expiry = now + timedelta(hours=24)
        await connection.execute(RECEIPT, fresh_id(), key, f"user:{customer}", digest, kept, now, expiry)
    return answered(answer, 201)


async def ids_as_text(connection: Any) -> None:
    """Ids go out as they come: nobody needs them as objects."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Ten connections; searches have their own, for they are planned anew each time (elsewhere that costs 24 us)."""
    url, common = os.environ["DATABASE_URL"], {"min_size": 10, "max_size": 10, "init": ids_as_text}
    app.state.pool = await asyncpg.create_pool(url, **common)
    app.state.searching = await asyncpg.create_pool(
        url, server_settings={"plan_cache_mode": "force_custom_plan", "jit": "off"}, **common
    )
    yield
    await app.state.pool.close()
    await app.state.searching.close()


ROUTES = [
    Route("/v1/jobs/{id}", read),
    Route("/v1/jobs", search),
    Route("/v1/bookings", book, methods=["POST"]),
    Route("/healthz", lambda _: answered({})),
]
app = Starlette(routes=ROUTES, lifespan=lifespan)

if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    port = arguments.parse_args().port
    uvicorn.run(app, port=port, http="httptools", loop="uvloop", access_log=False, log_level="warning", ws="none")
