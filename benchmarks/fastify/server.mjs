// The same three operations in Fastify and pg on Node, as plain as the floor: no validation, authentication or log.
import { createHash, randomBytes } from "node:crypto";
import Fastify from "fastify";
import pg from "pg";

const JOB = `j.id, j.version, j.organization_id, j.provider_id, j.title, j.description, j.category, j.price_minor,
  j.price_currency, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.place, j.remote, j.slot_interval,
  j.notice, j.window_days, j.terms, j.acceptance, j.policy, j.pictures, j.state, j.published_at, j.created_at, j.updated_at,
  r.count as rating_count, r.average_hundredths as rating_average, p.name as provider_name,
  o.name as organization_name`;
const JOINED = `join ratings r on r.id = j.id left join profiles p on p.id = j.provider_id
  left join organizations o on o.id = j.organization_id`;
const READ = `select ${JOB} from jobs j ${JOINED} where j.id = $1 and j.state = 'published'`;
const NEWEST = `select ${JOB} from jobs j ${JOINED} where j.state = 'published' and j.search @@ $1::tsquery
  order by j.published_at desc, j.id desc limit 21`;
const RELEVANT = `select ${JOB} from (
    select id, score from (
      select j.id, j.published_at,
        (select count(*) from unnest($2::text[]) t where ' ' || j.title_words like '% ' || t || '%') as score
      from jobs j where j.state = 'published' and j.search @@ $1::tsquery
      order by j.published_at desc, j.id desc limit 1000
    ) hit order by score desc, published_at desc, id desc limit 21
  ) best join jobs j on j.id = best.id ${JOINED} order by best.score desc, j.published_at desc, j.id desc`;
const LOCK = `select pg_advisory_xact_lock(hashtextextended('provider:' || j.provider_id, 0)), j.id, j.title,
    j.organization_id, j.provider_id, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.price_minor,
    j.price_currency, j.policy, j.terms, j.acceptance, a.zone
  from jobs j join availabilities a on a.id = j.provider_id where j.id = $1 and j.state = 'published'`;
const BOOKING = `insert into bookings (id, version, reference, job_id, job_title, organization_id, provider_id,
    customer_id, span, zone, buffer_before, buffer_after, occupancy, seats, capacity, price_minor, price_currency,
    policy, terms, acceptance, note, state, paid, sequence, refund_floor, refund_ceiling, cancel_reason, created_at,
    confirmed_at, starts_at, blocked, active)
  values ($1, 1, $2, $3, $4, $5, $6, $7, tstzrange($8, $9), $10, $11, $12, $1, 1, $13, $14, $15, $16, $17, $18, $19,
    'confirmed', false, 0, 0, 100, '', $20, $20, $8, tstzrange($21, $22), true)`;
const EVENT = `insert into outbox (id, version, name, subject_table, subject_id, subject_version, position, payload,
    actor, created_at, due_at, scheduled, attempts)
  values ($1, 1, 'booking.confirmed', 'bookings', $2, 1, 0, $3, $4, $5, $5, false, 0)`;
const RECEIPT = `insert into receipts (id, version, key, principal, operation, fingerprint, answer_table, answer,
    created_at, expires_at)
  values ($1, 1, $2, $3, 'bookings-create', $4, 'bookings', $5, $6, $7)`;

pg.types.setTypeParser(20, Number); // bigint: every number here fits
pg.types.setTypeParser(1184, (text) => text.replace(" ", "T").replace("+00", "Z")); // timestamptz, to the microsecond
const connectionString = process.env.DATABASE_URL;
const pool = new pg.Pool({ connectionString, max: 10, options: "-c timezone=UTC" });
const app = Fastify({ logger: false });

function listing(job) {
  const { price_minor: amount_minor, price_currency: currency, ...rest } = job;
  return { ...rest, price: { amount_minor, currency } };
}

function freshId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const ALPHABET = "23456789ACDEFGHJKMNPQRTVWXY";
function freshReference() {
  const drawn = Array.from({ length: 8 }, () => ALPHABET[Math.floor(Math.random() * ALPHABET.length)]).join("");
  return `${drawn.slice(0, 4)}-${drawn.slice(4)}`;
}

const shown = (moment) => moment.toISOString().replace(".000Z", "Z");
const minutes = (moment, more) => new Date(moment.getTime() + more * 60_000);

app.get("/v1/jobs/:id", async (request, reply) => {
  const { rows } = await pool.query({ name: "read", text: READ, values: [request.params.id] });
  return rows.length ? listing(rows[0]) : reply.code(404).send({ code: "not_found" });
});

app.get("/v1/jobs", async (request) => {
  const terms = request.query.text.toLowerCase().split(" ");
  const query = terms.map((term) => `'${term}':*`).join(" & ");
  // Without a name each search is planned for itself.
  const asked =
    request.query.sort === "newest" ? { text: NEWEST, values: [query] } : { text: RELEVANT, values: [query, terms] };
  const { rows } = await pool.query(asked);
  const last = rows.length > 20 ? rows[19] : null;
  return {
    items: rows.slice(0, 20).map(listing),
    next_cursor: last && `${last.published_at},${last.id}`,
    has_more: last !== null,
  };
});

app.post("/v1/bookings", async (request, reply) => {
  const wanted = request.body;
  const customer = request.headers["x-customer"];
  const [now, startsAt, id, reference] = [new Date(), new Date(wanted.starts_at), freshId(), freshReference()];
  const note = wanted.note ?? "";
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows } = await client.query({ name: "lock", text: LOCK, values: [wanted.job_id] });
    const job = rows[0];
    const endsAt = minutes(startsAt, job.duration);
    await client.query({
      name: "booking",
      text: BOOKING,
      values: [
        id, reference, job.id, job.title, job.organization_id, job.provider_id, customer, startsAt, endsAt, job.zone,
        job.buffer_before, job.buffer_after, job.capacity, job.price_minor, job.price_currency, job.policy, job.terms,
        job.acceptance, note, now, minutes(startsAt, -job.buffer_before), minutes(endsAt, job.buffer_after),
      ],
    });
    const span = { starts_at: shown(startsAt), ends_at: shown(endsAt) };
    const parties = { customer_id: customer, provider_id: job.provider_id, organization_id: job.organization_id };
    const payload = { booking_id: id, ...parties, reference, span };
    await client.query({ name: "event", text: EVENT, values: [freshId(), id, payload, `user:${customer}`, now] });
    const answer = {
      id, version: 1, reference, job_id: job.id, job_title: job.title, ...parties, span, zone: job.zone,
      buffer_before: job.buffer_before, buffer_after: job.buffer_after, seats: 1,
      price: { amount_minor: job.price_minor, currency: job.price_currency }, policy: job.policy, terms: job.terms,
      acceptance: job.acceptance, note, state: "confirmed", payment_id: null, paid: false, expires_at: null,
      sequence: 0, refund: null, cancelled_by: null, cancel_reason: "", created_at: shown(now),
      confirmed_at: shown(now), cancelled_at: null, completed_at: null,
    };
    const digest = createHash("sha256").update(JSON.stringify(wanted)).digest("hex");
    await client.query({
      name: "receipt",
      text: RECEIPT,
      values: [
        freshId(), request.headers["idempotency-key"], `user:${customer}`, digest, answer, now, minutes(now, 1440),
      ],
    });
    await client.query("commit");
    return reply.code(201).send(answer);
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
});

app.get("/healthz", async () => ({}));

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
await app.listen({ port, host: "127.0.0.1" });
