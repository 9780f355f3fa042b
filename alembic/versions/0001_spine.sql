-- Roles live in the cluster, not in the database: made under one lock, tolerant of losing the race.
do $$
declare wanted text;
begin
  perform pg_advisory_xact_lock(hashtextextended('guildhall:roles', 0));
  foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'member') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
  if not exists (select from pg_roles where rolname = 'guildhall_app') then
    begin
      create role guildhall_app login noinherit;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  -- Where these roles are another's, as on Supabase, they are not the owner's to give: nobody logs in as guildhall_app
  -- there.
  begin
    grant anon, authenticated, service_role to guildhall_app;
  exception when unique_violation or insufficient_privilege then null;
  end;
end $$;

-- Where everything new is granted by default, as on Supabase, the mark that migrations leave is taken back as well.
do $$
begin
  if to_regclass('public.alembic_version') is not null then
    revoke all on public.alembic_version from anon, authenticated, service_role, public;
  end if;
end $$;

create extension if not exists btree_gist;

grant usage on schema public to anon, authenticated, service_role;

-- A commit is one statement; this is how it stops in the middle, with nothing written.
create or replace function must(condition boolean, what text) returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  if condition then return true; end if;
  raise exception '%', what using errcode = 'GH001';
end $$;

-- Rows of an append-only table stay as they were written, whoever asks; columns named here may be filled, once.
create or replace function refuse_rewriting() returns trigger
language plpgsql set search_path = '' as $$
declare filled text;
begin
  if tg_op = 'UPDATE' and tg_nargs > 0
    and to_jsonb(old) - (tg_argv[0:tg_nargs - 1] || 'version'::text) = to_jsonb(new) - (tg_argv[0:tg_nargs - 1] || 'version'::text)
  then
    foreach filled in array tg_argv loop
      if to_jsonb(old) -> filled <> 'null'::jsonb then
        raise exception '% of % is filled once', filled, tg_table_name using errcode = 'GH002';
      end if;
    end loop;
    return new;
  end if;
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'GH002';
end $$;

-- After a transaction the setting is '', not NULL.
create or replace function current_user_id() returns uuid
language sql stable set search_path = '' as $$
  select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;

CREATE TABLE audit (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	actor TEXT NOT NULL, 
	action TEXT NOT NULL, 
	subject_table TEXT NOT NULL, 
	subject_id UUID NOT NULL, 
	subject_version BIGINT NOT NULL, 
	details JSONB NOT NULL, 
	position BIGINT, 
	hash TEXT, 
	CONSTRAINT audit_pkey PRIMARY KEY (id), 
	CONSTRAINT audit_position UNIQUE (position), 
	CONSTRAINT audit_first CHECK (position >= 1), 
	CONSTRAINT audit_sealed_whole CHECK ((position is null) = (hash is null))
);

CREATE INDEX audit_at ON audit USING btree (at, id);

CREATE INDEX audit_subject ON audit USING btree (subject_id, at);

CREATE INDEX audit_unsealed ON audit USING btree (at, id) WHERE position is null;

CREATE TABLE organizations (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	solo BOOLEAN NOT NULL, 
	owners BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT organizations_pkey PRIMARY KEY (id), 
	CONSTRAINT organizations_owners CHECK (owners >= 1)
);

CREATE TABLE outbox (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	subject_table TEXT NOT NULL, 
	subject_id UUID NOT NULL, 
	subject_version BIGINT NOT NULL, 
	position BIGINT NOT NULL, 
	payload JSONB NOT NULL, 
	actor TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	due_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	scheduled BOOLEAN NOT NULL, 
	attempts BIGINT NOT NULL, 
	leased_until TIMESTAMP WITH TIME ZONE, 
	finished_at TIMESTAMP WITH TIME ZONE, 
	dead_at TIMESTAMP WITH TIME ZONE, 
	last_error TEXT, 
	CONSTRAINT outbox_pkey PRIMARY KEY (id), 
	CONSTRAINT outbox_attempts CHECK (attempts >= 0), 
	CONSTRAINT outbox_position CHECK (position >= 0)
);

CREATE INDEX outbox_due ON outbox USING btree (due_at, id) WHERE finished_at is null;

CREATE INDEX outbox_finished ON outbox USING btree (finished_at);

CREATE INDEX outbox_order ON outbox USING btree (subject_id, subject_version, position) WHERE finished_at is null;

CREATE TABLE receipts (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	key TEXT NOT NULL, 
	principal TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	answer_table TEXT, 
	answer JSONB, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT receipts_pkey PRIMARY KEY (id), 
	CONSTRAINT receipts_key UNIQUE (principal, key, operation)
);

CREATE INDEX receipts_expiry ON receipts USING btree (expires_at);

CREATE TABLE security_events (
	id UUID NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	kind TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	subject TEXT, 
	details JSONB NOT NULL, 
	CONSTRAINT security_events_pkey PRIMARY KEY (id)
);

CREATE INDEX security_events_at ON security_events USING btree (at, id);

CREATE TABLE tallies (
	name TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	ceiling BIGINT, 
	CONSTRAINT tallies_pkey PRIMARY KEY (name), 
	CONSTRAINT tallies_floor CHECK (value >= 0), 
	CONSTRAINT tallies_ceiling CHECK (ceiling is null or value <= ceiling)
);

CREATE TABLE users (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	email TEXT NOT NULL, 
	role TEXT NOT NULL, 
	email_verified_at TIMESTAMP WITH TIME ZONE, 
	suspended_at TIMESTAMP WITH TIME ZONE, 
	epoch BIGINT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT users_pkey PRIMARY KEY (id), 
	CONSTRAINT users_email UNIQUE (email), 
	CONSTRAINT users_email_lower CHECK (email = lower(email)), 
	CONSTRAINT users_role CHECK (role in ('customer', 'provider', 'admin')), 
	CONSTRAINT users_epoch CHECK (epoch >= 1)
);

CREATE INDEX users_created ON users USING btree (created_at DESC, id DESC);

CREATE TABLE webhooks (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	sender TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	payment_ref TEXT, 
	refund_ref TEXT, 
	payload TEXT NOT NULL, 
	occurred_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	processed_at TIMESTAMP WITH TIME ZONE, 
	outcome TEXT NOT NULL, 
	note TEXT NOT NULL, 
	CONSTRAINT webhooks_pkey PRIMARY KEY (id), 
	CONSTRAINT webhooks_told_once UNIQUE (sender, external_id), 
	CONSTRAINT webhooks_outcome CHECK (outcome in ('waiting', 'settled', 'ignored', 'unmatched', 'attention'))
);

CREATE INDEX webhooks_newest ON webhooks USING btree (received_at, id);

CREATE TABLE availabilities (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	zone TEXT NOT NULL, 
	weekly JSONB NOT NULL, 
	overrides JSONB NOT NULL, 
	time_off JSONB NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT availabilities_pkey PRIMARY KEY (id), 
	CONSTRAINT availabilities_provider FOREIGN KEY(id) REFERENCES users (id)
);

CREATE TABLE credentials (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	password_hash TEXT NOT NULL, 
	changed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT credentials_pkey PRIMARY KEY (id), 
	CONSTRAINT credentials_user FOREIGN KEY(id) REFERENCES users (id)
);

CREATE TABLE jobs (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	organization_id UUID NOT NULL, 
	provider_id UUID NOT NULL, 
	title TEXT NOT NULL, 
	description TEXT NOT NULL, 
	category TEXT NOT NULL, 
	price_minor BIGINT NOT NULL, 
	price_currency TEXT NOT NULL, 
	duration BIGINT NOT NULL, 
	buffer_before BIGINT NOT NULL, 
	buffer_after BIGINT NOT NULL, 
	capacity BIGINT NOT NULL, 
	place TEXT NOT NULL, 
	remote BOOLEAN NOT NULL, 
	slot_interval BIGINT NOT NULL, 
	notice BIGINT NOT NULL, 
	window_days BIGINT NOT NULL, 
	terms TEXT NOT NULL, 
	acceptance TEXT NOT NULL, 
	policy JSONB NOT NULL, 
	state TEXT NOT NULL, 
	published_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	title_words TEXT NOT NULL, 
	words TEXT NOT NULL, 
	place_words TEXT NOT NULL, 
	search tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED, 
	place_search tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(place_words, ' '))) STORED, 
	CONSTRAINT jobs_pkey PRIMARY KEY (id), 
	CONSTRAINT jobs_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT jobs_provider FOREIGN KEY(provider_id) REFERENCES users (id), 
	CONSTRAINT jobs_state CHECK (state in ('draft', 'published', 'archived')), 
	CONSTRAINT jobs_terms CHECK (terms in ('prepaid', 'free', 'later')), 
	CONSTRAINT jobs_acceptance CHECK (acceptance in ('instant', 'request')), 
	CONSTRAINT jobs_duration CHECK (duration between 5 and 1440), 
	CONSTRAINT jobs_buffer_before CHECK (buffer_before between 0 and 720), 
	CONSTRAINT jobs_buffer_after CHECK (buffer_after between 0 and 720), 
	CONSTRAINT jobs_capacity CHECK (capacity between 1 and 500), 
	CONSTRAINT jobs_slot_interval CHECK (slot_interval between 5 and 1440), 
	CONSTRAINT jobs_notice CHECK (notice between 0 and 525600), 
	CONSTRAINT jobs_window_days CHECK (window_days between 1 and 730), 
	CONSTRAINT jobs_price_minor CHECK (price_minor between 0 and 1000000000000), 
	CONSTRAINT jobs_free_or_prepaid CHECK ((terms <> 'free' or price_minor = 0) and (terms <> 'prepaid' or price_minor > 0)), 
	CONSTRAINT jobs_published_once_public CHECK (state = 'draft' or published_at is not null)
);

CREATE INDEX jobs_by_place ON jobs USING gin (place_search) WHERE state = 'published';

CREATE INDEX jobs_by_price ON jobs USING btree (price_currency, price_minor, id) WHERE state = 'published';

CREATE INDEX jobs_by_words ON jobs USING gin (search) WHERE state = 'published';

CREATE INDEX jobs_in_category ON jobs USING btree (category, published_at, id) WHERE state = 'published';

CREATE INDEX jobs_newest ON jobs USING btree (published_at, id) WHERE state = 'published';

CREATE INDEX jobs_of_organization ON jobs USING btree (organization_id, created_at, id);

CREATE INDEX jobs_of_provider ON jobs USING btree (provider_id, created_at, id);

CREATE TABLE mails (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	template TEXT NOT NULL, 
	transition TEXT NOT NULL, 
	recipient_id UUID, 
	"to" TEXT NOT NULL, 
	context JSONB NOT NULL, 
	state TEXT NOT NULL, 
	attempts BIGINT NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE, 
	last_error TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT mails_pkey PRIMARY KEY (id), 
	CONSTRAINT mails_recipient FOREIGN KEY(recipient_id) REFERENCES users (id), 
	CONSTRAINT mails_once UNIQUE (template, transition, "to"), 
	CONSTRAINT mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message')), 
	CONSTRAINT mails_state CHECK (state in ('queued', 'sent', 'failed')), 
	CONSTRAINT mails_attempts CHECK (attempts >= 0)
);

CREATE INDEX mails_by_state ON mails USING btree (state, created_at, id);

CREATE TABLE memberships (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	organization_id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	role TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT memberships_pkey PRIMARY KEY (id), 
	CONSTRAINT memberships_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT memberships_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT memberships_pair UNIQUE (organization_id, user_id), 
	CONSTRAINT memberships_role CHECK (role in ('owner', 'manager', 'member'))
);

CREATE INDEX memberships_of_user ON memberships USING btree (user_id, created_at, id);

CREATE TABLE notifications (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	about UUID, 
	read_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT notifications_pkey PRIMARY KEY (id), 
	CONSTRAINT notifications_user FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX notifications_list ON notifications USING btree (user_id, created_at, id);

CREATE INDEX notifications_unread ON notifications USING btree (user_id, created_at, id) WHERE read_at is null;

CREATE TABLE one_time_tokens (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID, 
	purpose TEXT NOT NULL, 
	token_hash TEXT NOT NULL, 
	address_hash TEXT NOT NULL, 
	epoch BIGINT NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	used_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT one_time_tokens_pkey PRIMARY KEY (id), 
	CONSTRAINT one_time_tokens_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT one_time_tokens_hash UNIQUE (token_hash), 
	CONSTRAINT one_time_tokens_purpose CHECK (purpose in ('verify_email', 'magic_link', 'reset_password'))
);

CREATE INDEX one_time_tokens_expiry ON one_time_tokens USING btree (expires_at, id);

CREATE INDEX one_time_tokens_of_address ON one_time_tokens USING btree (address_hash, created_at);

CREATE TABLE profiles (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	headline TEXT NOT NULL, 
	bio TEXT NOT NULL, 
	avatar_url TEXT NOT NULL, 
	locale TEXT NOT NULL, 
	zone TEXT NOT NULL, 
	phone TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT profiles_pkey PRIMARY KEY (id), 
	CONSTRAINT profiles_user FOREIGN KEY(id) REFERENCES users (id)
);

CREATE TABLE sessions (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	user_id UUID NOT NULL, 
	epoch BIGINT NOT NULL, 
	method TEXT NOT NULL, 
	ip TEXT NOT NULL, 
	user_agent TEXT NOT NULL, 
	last_used_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	revoked_at TIMESTAMP WITH TIME ZONE, 
	end_reason TEXT, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT sessions_pkey PRIMARY KEY (id), 
	CONSTRAINT sessions_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT sessions_method CHECK (method in ('password', 'magic_link')), 
	CONSTRAINT sessions_end_reason CHECK (end_reason in ('signed_out', 'ended', 'password_changed', 'token_reused', 'suspended')), 
	CONSTRAINT sessions_ended_for_a_reason CHECK ((revoked_at is null) = (end_reason is null))
);

CREATE INDEX sessions_of_user ON sessions USING btree (user_id, created_at DESC, id DESC);

CREATE TABLE bookings (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	reference TEXT NOT NULL, 
	job_id UUID NOT NULL, 
	job_title TEXT NOT NULL, 
	organization_id UUID NOT NULL, 
	provider_id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	span TSTZRANGE NOT NULL, 
	zone TEXT NOT NULL, 
	buffer_before BIGINT NOT NULL, 
	buffer_after BIGINT NOT NULL, 
	occupancy UUID NOT NULL, 
	seats BIGINT NOT NULL, 
	capacity BIGINT NOT NULL, 
	price_minor BIGINT NOT NULL, 
	price_currency TEXT NOT NULL, 
	policy JSONB NOT NULL, 
	terms TEXT NOT NULL, 
	acceptance TEXT NOT NULL, 
	note TEXT NOT NULL, 
	state TEXT NOT NULL, 
	payment_id UUID, 
	paid BOOLEAN NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE, 
	sequence BIGINT NOT NULL, 
	refund_floor BIGINT NOT NULL, 
	refund_ceiling BIGINT NOT NULL, 
	refund_minor BIGINT, 
	refund_currency TEXT, 
	unplaced_payment_id UUID, 
	cancelled_by TEXT, 
	cancel_reason TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	confirmed_at TIMESTAMP WITH TIME ZONE, 
	cancelled_at TIMESTAMP WITH TIME ZONE, 
	completed_at TIMESTAMP WITH TIME ZONE, 
	starts_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	blocked TSTZRANGE NOT NULL, 
	active BOOLEAN NOT NULL, 
	CONSTRAINT bookings_pkey PRIMARY KEY (id), 
	CONSTRAINT bookings_job FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT bookings_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT bookings_provider FOREIGN KEY(provider_id) REFERENCES users (id), 
	CONSTRAINT bookings_customer FOREIGN KEY(customer_id) REFERENCES users (id), 
	CONSTRAINT bookings_reference UNIQUE (reference), 
	CONSTRAINT bookings_no_overlap EXCLUDE USING gist (provider_id WITH =, occupancy WITH <>, blocked WITH &&) WHERE (active), 
	CONSTRAINT bookings_state CHECK (state in ('requested', 'held', 'confirmed', 'completed', 'cancelled', 'no_show', 'expired')), 
	CONSTRAINT bookings_terms CHECK (terms in ('prepaid', 'free', 'later')), 
	CONSTRAINT bookings_acceptance CHECK (acceptance in ('instant', 'request')), 
	CONSTRAINT bookings_cancelled_by CHECK (cancelled_by in ('customer', 'provider')), 
	CONSTRAINT bookings_price CHECK (price_minor >= 0), 
	CONSTRAINT bookings_buffer_before CHECK (buffer_before >= 0), 
	CONSTRAINT bookings_buffer_after CHECK (buffer_after >= 0), 
	CONSTRAINT bookings_sequence CHECK (sequence >= 0), 
	CONSTRAINT bookings_seats CHECK (seats between 1 and capacity), 
	CONSTRAINT bookings_two_parties CHECK (customer_id <> provider_id), 
	CONSTRAINT bookings_active CHECK (active = (state in ('held', 'confirmed'))), 
	CONSTRAINT bookings_starts_at CHECK (starts_at = lower(span)), 
	CONSTRAINT bookings_blocked CHECK (blocked @> span), 
	CONSTRAINT bookings_waits_until CHECK (state not in ('held', 'requested') or expires_at is not null), 
	CONSTRAINT bookings_held_for_payment CHECK (state <> 'held' or payment_id is not null), 
	CONSTRAINT bookings_confirmed_means CHECK (state not in ('confirmed', 'completed', 'no_show') or paid or terms <> 'prepaid'), 
	CONSTRAINT bookings_cancelled_by_whom CHECK ((state = 'cancelled') = (cancelled_by is not null) and (state = 'cancelled') = (cancelled_at is not null)), 
	CONSTRAINT bookings_refund_within_price CHECK ((refund_minor is null) = (refund_currency is null) and (refund_minor is null or refund_minor between 0 and price_minor) and (refund_minor is null or refund_currency = price_currency)), 
	CONSTRAINT bookings_refund_bounds CHECK (refund_floor between 0 and 100 and refund_ceiling between 0 and 100)
);

CREATE INDEX bookings_by_customer ON bookings USING btree (customer_id, created_at, id);

CREATE INDEX bookings_by_organization ON bookings USING btree (organization_id, created_at, id);

CREATE INDEX bookings_by_provider ON bookings USING btree (provider_id, created_at, id);

CREATE INDEX bookings_newest ON bookings USING btree (created_at, id);

CREATE INDEX bookings_of_customer ON bookings USING btree (customer_id, starts_at, id);

CREATE INDEX bookings_of_job ON bookings USING btree (job_id, starts_at, id);

CREATE INDEX bookings_of_organization ON bookings USING btree (organization_id, starts_at, id);

CREATE INDEX bookings_of_provider ON bookings USING btree (provider_id, starts_at, id);

CREATE INDEX bookings_waiting ON bookings USING btree (expires_at, id) WHERE state in ('held', 'requested');

CREATE TABLE ratings (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	provider_id UUID NOT NULL, 
	count BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	average_hundredths BIGINT NOT NULL, 
	CONSTRAINT ratings_pkey PRIMARY KEY (id), 
	CONSTRAINT ratings_job FOREIGN KEY(id) REFERENCES jobs (id), 
	CONSTRAINT ratings_provider FOREIGN KEY(provider_id) REFERENCES users (id), 
	CONSTRAINT ratings_count CHECK (count >= 0), 
	CONSTRAINT ratings_one_to_five CHECK (total between count and 5 * count)
);

CREATE INDEX ratings_best ON ratings USING btree (average_hundredths, id);

CREATE INDEX ratings_of_provider ON ratings USING btree (provider_id, id);

CREATE TABLE refresh_tokens (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	session_id UUID NOT NULL, 
	token_hash TEXT NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	rotated_at TIMESTAMP WITH TIME ZONE, 
	revoked_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT refresh_tokens_pkey PRIMARY KEY (id), 
	CONSTRAINT refresh_tokens_session FOREIGN KEY(session_id) REFERENCES sessions (id), 
	CONSTRAINT refresh_tokens_hash UNIQUE (token_hash)
);

CREATE UNIQUE INDEX refresh_tokens_current ON refresh_tokens (session_id) WHERE rotated_at is null and revoked_at is null;

CREATE INDEX refresh_tokens_expiry ON refresh_tokens USING btree (expires_at, id);

CREATE INDEX refresh_tokens_of_session ON refresh_tokens USING btree (session_id);

CREATE TABLE conversations (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	booking_id UUID, 
	pair TEXT, 
	subject TEXT NOT NULL, 
	created_by UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT conversations_pkey PRIMARY KEY (id), 
	CONSTRAINT conversations_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT conversations_creator FOREIGN KEY(created_by) REFERENCES users (id), 
	CONSTRAINT conversations_one_per_booking UNIQUE (booking_id), 
	CONSTRAINT conversations_one_per_pair UNIQUE (pair), 
	CONSTRAINT conversations_kind CHECK (kind in ('booking', 'direct')), 
	CONSTRAINT conversations_belong CHECK ((kind = 'booking') = (booking_id is not null) and (kind = 'direct') = (pair is not null))
);

CREATE TABLE payments (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	booking_id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	organization_id UUID NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	captured_minor BIGINT NOT NULL, 
	captured_currency TEXT NOT NULL, 
	refunding_minor BIGINT NOT NULL, 
	refunding_currency TEXT NOT NULL, 
	refunded_minor BIGINT NOT NULL, 
	refunded_currency TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempt BIGINT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT, 
	client_secret TEXT, 
	failure TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	captured_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT payments_pkey PRIMARY KEY (id), 
	CONSTRAINT payments_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT payments_customer FOREIGN KEY(customer_id) REFERENCES users (id), 
	CONSTRAINT payments_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT payments_one_per_booking UNIQUE (booking_id), 
	CONSTRAINT payments_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT payments_state CHECK (state in ('requested', 'unknown', 'open', 'requires_action', 'processing', 'failed', 'cancelled', 'captured')), 
	CONSTRAINT payments_amount CHECK (amount_minor >= 1), 
	CONSTRAINT payments_attempt CHECK (attempt >= 1), 
	CONSTRAINT payments_refunds_within_captured CHECK (refunded_minor >= 0 and refunding_minor >= 0 and refunded_minor + refunding_minor <= captured_minor), 
	CONSTRAINT payments_captured_within_amount CHECK (captured_minor <= amount_minor), 
	CONSTRAINT payments_captured_when_captured CHECK ((state = 'captured') = (captured_minor > 0)), 
	CONSTRAINT payments_one_currency CHECK (captured_currency = amount_currency and refunding_currency = amount_currency and refunded_currency = amount_currency)
);

CREATE INDEX payments_newest ON payments USING btree (created_at, id);

CREATE INDEX payments_of_customer ON payments USING btree (customer_id, created_at, id);

CREATE INDEX payments_of_organization ON payments USING btree (organization_id, created_at, id);

CREATE TABLE reviews (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	booking_id UUID NOT NULL, 
	job_id UUID NOT NULL, 
	provider_id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	author_id UUID NOT NULL, 
	reviewed_id UUID NOT NULL, 
	side TEXT NOT NULL, 
	stars BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	response TEXT, 
	responded_at TIMESTAMP WITH TIME ZONE, 
	state TEXT NOT NULL, 
	moderation_reason TEXT, 
	moderated_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT reviews_pkey PRIMARY KEY (id), 
	CONSTRAINT reviews_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT reviews_job FOREIGN KEY(job_id) REFERENCES jobs (id), 
	CONSTRAINT reviews_provider FOREIGN KEY(provider_id) REFERENCES users (id), 
	CONSTRAINT reviews_customer FOREIGN KEY(customer_id) REFERENCES users (id), 
	CONSTRAINT reviews_author FOREIGN KEY(author_id) REFERENCES users (id), 
	CONSTRAINT reviews_once UNIQUE (booking_id, side), 
	CONSTRAINT reviews_side CHECK (side in ('customer', 'provider')), 
	CONSTRAINT reviews_state CHECK (state in ('published', 'hidden')), 
	CONSTRAINT reviews_stars CHECK (stars between 1 and 5), 
	CONSTRAINT reviews_by_a_party CHECK (author_id = case side when 'customer' then customer_id else provider_id end), 
	CONSTRAINT reviews_response CHECK ((response is null) = (responded_at is null))
);

CREATE INDEX reviews_about ON reviews USING btree (reviewed_id, created_at, id);

CREATE INDEX reviews_by_author ON reviews USING btree (author_id, created_at, id);

CREATE INDEX reviews_of_job ON reviews USING btree (job_id, created_at, id);

CREATE INDEX reviews_of_provider ON reviews USING btree (provider_id, created_at, id);

CREATE TABLE ledger (
	id UUID NOT NULL, 
	transaction_id UUID NOT NULL, 
	account TEXT NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	source_kind TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	payment_id UUID NOT NULL, 
	booking_id UUID NOT NULL, 
	organization_id UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT ledger_pkey PRIMARY KEY (id), 
	CONSTRAINT ledger_payment FOREIGN KEY(payment_id) REFERENCES payments (id), 
	CONSTRAINT ledger_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT ledger_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT ledger_one_effect UNIQUE (source_kind, source_id, account), 
	CONSTRAINT ledger_source_kind CHECK (source_kind in ('capture', 'refund', 'refund_returned')), 
	CONSTRAINT ledger_moves_something CHECK (amount_minor <> 0)
);

CREATE INDEX ledger_newest ON ledger USING btree (created_at, id);

CREATE INDEX ledger_of_payment ON ledger USING btree (payment_id, created_at, id);

CREATE INDEX ledger_of_transaction ON ledger USING btree (transaction_id);

CREATE TABLE participants (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	conversation_id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	joined_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	read_sequence BIGINT NOT NULL, 
	CONSTRAINT participants_pkey PRIMARY KEY (id), 
	CONSTRAINT participants_conversation FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT participants_user FOREIGN KEY(user_id) REFERENCES users (id), 
	CONSTRAINT participants_once UNIQUE (conversation_id, user_id), 
	CONSTRAINT participants_read CHECK (read_sequence >= 0)
);

CREATE INDEX participants_of_user ON participants USING btree (user_id, conversation_id);

CREATE TABLE refunds (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	payment_id UUID NOT NULL, 
	booking_id UUID NOT NULL, 
	customer_id UUID NOT NULL, 
	organization_id UUID NOT NULL, 
	amount_minor BIGINT NOT NULL, 
	amount_currency TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	gateway TEXT NOT NULL, 
	gateway_ref TEXT, 
	failure TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	settled_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT refunds_pkey PRIMARY KEY (id), 
	CONSTRAINT refunds_payment FOREIGN KEY(payment_id) REFERENCES payments (id), 
	CONSTRAINT refunds_booking FOREIGN KEY(booking_id) REFERENCES bookings (id), 
	CONSTRAINT refunds_customer FOREIGN KEY(customer_id) REFERENCES users (id), 
	CONSTRAINT refunds_organization FOREIGN KEY(organization_id) REFERENCES organizations (id), 
	CONSTRAINT refunds_gateway_ref UNIQUE (gateway, gateway_ref), 
	CONSTRAINT refunds_state CHECK (state in ('requested', 'unknown', 'pending', 'succeeded', 'failed')), 
	CONSTRAINT refunds_amount CHECK (amount_minor >= 1)
);

CREATE INDEX refunds_newest ON refunds USING btree (created_at, id);

CREATE INDEX refunds_of_booking ON refunds USING btree (booking_id, created_at, id);

CREATE INDEX refunds_of_customer ON refunds USING btree (customer_id, created_at, id);

CREATE INDEX refunds_of_organization ON refunds USING btree (organization_id, created_at, id);

CREATE INDEX refunds_of_payment ON refunds USING btree (payment_id, created_at, id);

CREATE TABLE messages (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	conversation_id UUID NOT NULL, 
	participant_id UUID NOT NULL, 
	sender_id UUID NOT NULL, 
	sequence BIGINT NOT NULL, 
	text TEXT NOT NULL, 
	sent_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	edited_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT messages_pkey PRIMARY KEY (id), 
	CONSTRAINT messages_conversation FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT messages_participant FOREIGN KEY(participant_id) REFERENCES participants (id), 
	CONSTRAINT messages_sender FOREIGN KEY(sender_id) REFERENCES users (id), 
	CONSTRAINT messages_sequence UNIQUE (conversation_id, sequence), 
	CONSTRAINT messages_first CHECK (sequence >= 1), 
	CONSTRAINT messages_text CHECK (char_length(text) between 1 and 5000)
);

CREATE INDEX messages_own ON messages USING btree (participant_id, sequence);

-- What a policy may ask of other tables. Each runs as service_role, returns an array, and is asked once per statement.
create or replace function my_organizations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.organization_id), '{}') from public.memberships m where m.user_id = public.current_user_id()
$$;

create or replace function my_managed_organizations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(m.organization_id), '{}') from public.memberships m
  where m.user_id = public.current_user_id() and m.role in ('owner', 'manager')
$$;

create or replace function my_conversations() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(p.conversation_id), '{}') from public.participants p where p.user_id = public.current_user_id()
$$;

create or replace function is_admin() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.users u where u.id = public.current_user_id() and u.role = 'admin' and u.suspended_at is null
  )
$$;

create view accounts with (security_invoker = true) as select b.id, b.user_id, b.epoch, b.revoked_at, j0.role as role, j0.email_verified_at as email_verified_at, j0.suspended_at as suspended_at, j0.epoch as present_epoch from sessions b left join users j0 on j0.id = b.user_id;

revoke all on accounts from anon, authenticated, service_role, public;

grant select on accounts to service_role;

create view members with (security_invoker = true) as select b.id, b.version, b.organization_id, b.user_id, b.role, b.created_at, j0.name as name, j0.avatar_url as avatar_url, j1.name as organization_name, j1.solo as solo from memberships b left join profiles j0 on j0.id = b.user_id left join organizations j1 on j1.id = b.organization_id;

revoke all on members from anon, authenticated, service_role, public;

grant select on members to anon, authenticated, service_role;

create view job_listings with (security_invoker = true) as select b.id, b.version, b.organization_id, b.provider_id, b.title, b.description, b.category, b.price_minor, b.price_currency, b.duration, b.buffer_before, b.buffer_after, b.capacity, b.place, b.remote, b.slot_interval, b.notice, b.window_days, b.terms, b.acceptance, b.policy, b.state, b.published_at, b.created_at, b.updated_at, j0.count as rating_count, j0.average_hundredths as rating_average, j1.name as provider_name, j2.name as organization_name from jobs b left join ratings j0 on j0.id = b.id left join profiles j1 on j1.id = b.provider_id left join organizations j2 on j2.id = b.organization_id;

revoke all on job_listings from anon, authenticated, service_role, public;

grant select on job_listings to anon, authenticated, service_role;

create view review_cards with (security_invoker = true) as select b.id, b.booking_id, b.job_id, b.provider_id, b.customer_id, b.author_id, b.reviewed_id, b.side, b.stars, b.text, b.response, b.responded_at, b.state, b.created_at, j0.name as author_name, j1.title as job_title from reviews b left join profiles j0 on j0.id = b.author_id left join jobs j1 on j1.id = b.job_id;

revoke all on review_cards from anon, authenticated, service_role, public;

grant select on review_cards to anon, authenticated, service_role;

create view inbox with (security_invoker = true) as select b.id, b.conversation_id, b.user_id, b.joined_at, b.read_sequence, j0.kind as kind, j0.booking_id as booking_id, j0.subject as subject, j1.sequence as last_sequence, j1.sender_id as last_sender_id, j1.text as last_text, j1.sent_at as last_sent_at, j2.sequence as own_sequence from participants b left join conversations j0 on j0.id = b.conversation_id left join lateral (select sequence, sender_id, text, sent_at from messages t where t.conversation_id = b.conversation_id order by t.sequence desc limit 1) j1 on true left join lateral (select sequence from messages t where t.participant_id = b.id order by t.sequence desc limit 1) j2 on true;

revoke all on inbox from anon, authenticated, service_role, public;

grant select on inbox to anon, authenticated, service_role;

create view conversation_people with (security_invoker = true) as select b.id, b.conversation_id, b.user_id, b.joined_at, b.read_sequence, j0.name as name from participants b left join profiles j0 on j0.id = b.user_id;

revoke all on conversation_people from anon, authenticated, service_role, public;

grant select on conversation_people to anon, authenticated, service_role;

create or replace function search_jobs(query text, terms text[], category text, price_from bigint, price_to bigint, currency text, least_rating bigint, provider uuid, organization uuid, place text, remote boolean, sort text, mark_number bigint, mark_time timestamptz, mark_id uuid, most bigint)
returns table (id_ uuid, version_ bigint, organization_id_ uuid, provider_id_ uuid, title_ text, description_ text, category_ text, price_minor_ bigint, price_currency_ text, duration_ bigint, buffer_before_ bigint, buffer_after_ bigint, capacity_ bigint, place_ text, remote_ boolean, slot_interval_ bigint, notice_ bigint, window_days_ bigint, terms_ text, acceptance_ text, policy_ jsonb, state_ text, published_at_ timestamptz, created_at_ timestamptz, updated_at_ timestamptz, rating_count_ bigint, rating_average_ bigint, provider_name_ text, organization_name_ text, relevance_ bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $function$
#variable_conflict use_variable
declare
  wanted text := '(j.state = ''published'')';
  ordered text;
  source text := 'jobs j';
  score text := '0::bigint';
begin
  if search_jobs.query is not null then wanted := wanted || ' and j.search @@ $1::tsquery'; end if;
  if search_jobs.category is not null then wanted := wanted || ' and j.category = $3'; end if;
  if search_jobs.price_from is not null then wanted := wanted || ' and j.price_minor >= $4'; end if;
  if search_jobs.price_to is not null then wanted := wanted || ' and j.price_minor <= $5'; end if;
  if search_jobs.currency is not null then wanted := wanted || ' and j.price_currency = $6'; end if;
  if search_jobs.least_rating is not null then wanted := wanted || ' and j0.average_hundredths >= $7'; end if;
  if search_jobs.provider is not null then wanted := wanted || ' and j.provider_id = $8'; end if;
  if search_jobs.organization is not null then wanted := wanted || ' and j.organization_id = $9'; end if;
  if search_jobs.place is not null then wanted := wanted || ' and j.place_search @@ $10::tsquery'; end if;
  if search_jobs.remote is not null then wanted := wanted || ' and j.remote = $11'; end if;
  if sort = 'relevance' then
    score := '(select count(*) from unnest($2) as term where '' '' || j.title_words like ''% '' || term || ''%'')';
    ordered := 'score desc, j.published_at desc, j.id desc';
    source := '(select j.*, ' || score || ' as score from jobs j join ratings j0 on j0.id = j.id where ' || wanted
      || ' order by j.published_at desc, j.id desc limit 1000) j';
    score := 'j.score';
    wanted := 'true';
    if mark_id is not null then wanted := '(j.score, j.published_at, j.id) < ($13, $14, $15)'; end if;
  elsif sort = 'newest' then ordered := 'j.published_at desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.published_at, j.id) < ($14, $15)'; end if;
  elsif sort = 'price' then ordered := 'j.price_minor, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.price_minor, $15) > ($13, j.id)'; end if;
  elsif sort = '-price' then ordered := 'j.price_minor desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j.price_minor, j.id) < ($13, $15)'; end if;
  elsif sort = '-rating' then ordered := 'j0.average_hundredths desc, j.id desc';
    if mark_id is not null then wanted := wanted || ' and (j0.average_hundredths, j.id) < ($13, $15)'; end if;
  else raise exception 'no such order' using errcode = '22023';
  end if;
  return query execute 'select j.id, j.version, j.organization_id, j.provider_id, j.title, j.description, j.category, j.price_minor, j.price_currency, j.duration, j.buffer_before, j.buffer_after, j.capacity, j.place, j.remote, j.slot_interval, j.notice, j.window_days, j.terms, j.acceptance, j.policy, j.state, j.published_at, j.created_at, j.updated_at, j0.count, j0.average_hundredths, j1.name, j2.name, ' || score || ' from ' || source
    || ' join ratings j0 on j0.id = j.id left join profiles j1 on j1.id = j.provider_id left join organizations j2 on j2.id = j.organization_id where ' || wanted || ' order by ' || ordered || ' limit least(coalesce($16, 100), 1000)'
  using query, terms, category, price_from, price_to, currency, least_rating, provider, organization, place, remote, sort, mark_number, mark_time, mark_id, most;
end $function$;

grant create on schema public to service_role;

alter function my_organizations() owner to service_role;

revoke all on function my_organizations() from public;

grant execute on function my_organizations() to anon, authenticated, service_role;

alter function my_managed_organizations() owner to service_role;

revoke all on function my_managed_organizations() from public;

grant execute on function my_managed_organizations() to anon, authenticated, service_role;

alter function my_conversations() owner to service_role;

revoke all on function my_conversations() from public;

grant execute on function my_conversations() to anon, authenticated, service_role;

alter function is_admin() owner to service_role;

revoke all on function is_admin() from public;

grant execute on function is_admin() to anon, authenticated, service_role;

alter function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) owner to service_role;

revoke all on function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) from public;

grant execute on function search_jobs(text, text[], text, bigint, bigint, text, bigint, uuid, uuid, text, boolean, text, bigint, timestamptz, uuid, bigint) to anon, authenticated, service_role;

revoke create on schema public from service_role;

revoke all on function must(boolean, text) from anon, authenticated, public;

grant execute on function must(boolean, text) to service_role;

alter table users enable row level security;

revoke all on users from anon, authenticated, service_role, public;

grant select, insert, update, delete on users to service_role;

create policy users_house on users to service_role using (true) with check (true);

grant select (id, version, email, role, email_verified_at, suspended_at, created_at) on users to authenticated;

create policy users_authenticated on users for select to authenticated using (id = (select current_user_id()) or (select is_admin()));

alter table credentials enable row level security;

revoke all on credentials from anon, authenticated, service_role, public;

grant select, insert, update, delete on credentials to service_role;

create policy credentials_house on credentials to service_role using (true) with check (true);

alter table sessions enable row level security;

revoke all on sessions from anon, authenticated, service_role, public;

grant select, insert, update, delete on sessions to service_role;

create policy sessions_house on sessions to service_role using (true) with check (true);

grant select (id, version, user_id, method, ip, user_agent, last_used_at, revoked_at, end_reason, created_at) on sessions to authenticated;

create policy sessions_authenticated on sessions for select to authenticated using (user_id = (select current_user_id()) or (select is_admin()));

alter table refresh_tokens enable row level security;

revoke all on refresh_tokens from anon, authenticated, service_role, public;

grant select, insert, update, delete on refresh_tokens to service_role;

create policy refresh_tokens_house on refresh_tokens to service_role using (true) with check (true);

alter table one_time_tokens enable row level security;

revoke all on one_time_tokens from anon, authenticated, service_role, public;

grant select, insert, update, delete on one_time_tokens to service_role;

create policy one_time_tokens_house on one_time_tokens to service_role using (true) with check (true);

alter table profiles enable row level security;

revoke all on profiles from anon, authenticated, service_role, public;

grant select, insert, update, delete on profiles to service_role;

create policy profiles_house on profiles to service_role using (true) with check (true);

grant select (id, version, name, headline, bio, avatar_url, zone, created_at, updated_at) on profiles to anon;

create policy profiles_anon on profiles for select to anon using (true);

grant select (id, version, name, headline, bio, avatar_url, zone, created_at, updated_at) on profiles to authenticated;

create policy profiles_authenticated on profiles for select to authenticated using (true);

alter table organizations enable row level security;

revoke all on organizations from anon, authenticated, service_role, public;

grant select, insert, update, delete on organizations to service_role;

create policy organizations_house on organizations to service_role using (true) with check (true);

grant select (id, version, name, solo, owners, created_at) on organizations to anon;

create policy organizations_anon on organizations for select to anon using (true);

grant select (id, version, name, solo, owners, created_at) on organizations to authenticated;

create policy organizations_authenticated on organizations for select to authenticated using (true);

alter table memberships enable row level security;

revoke all on memberships from anon, authenticated, service_role, public;

grant select, insert, update, delete on memberships to service_role;

create policy memberships_house on memberships to service_role using (true) with check (true);

grant select (id, version, organization_id, user_id, role, created_at) on memberships to authenticated;

create policy memberships_authenticated on memberships for select to authenticated using (user_id = (select current_user_id()) or organization_id = any ((select my_organizations())::uuid[]) or (select is_admin()));

alter table jobs enable row level security;

revoke all on jobs from anon, authenticated, service_role, public;

grant select, insert, update, delete on jobs to service_role;

create policy jobs_house on jobs to service_role using (true) with check (true);

grant select (id, version, organization_id, provider_id, title, description, category, price_minor, price_currency, duration, buffer_before, buffer_after, capacity, place, remote, slot_interval, notice, window_days, terms, acceptance, policy, state, published_at, created_at, updated_at, title_words, words, place_words) on jobs to anon;

create policy jobs_anon on jobs for select to anon using (state = 'published');

grant select (id, version, organization_id, provider_id, title, description, category, price_minor, price_currency, duration, buffer_before, buffer_after, capacity, place, remote, slot_interval, notice, window_days, terms, acceptance, policy, state, published_at, created_at, updated_at, title_words, words, place_words) on jobs to authenticated;

create policy jobs_authenticated on jobs for select to authenticated using (state = 'published' or organization_id = any ((select my_organizations())::uuid[]) or (select is_admin()));

alter table ratings enable row level security;

revoke all on ratings from anon, authenticated, service_role, public;

grant select, insert, update, delete on ratings to service_role;

create policy ratings_house on ratings to service_role using (true) with check (true);

grant select (id, version, provider_id, count, total, updated_at, average_hundredths) on ratings to anon;

create policy ratings_anon on ratings for select to anon using (true);

grant select (id, version, provider_id, count, total, updated_at, average_hundredths) on ratings to authenticated;

create policy ratings_authenticated on ratings for select to authenticated using (true);

alter table availabilities enable row level security;

revoke all on availabilities from anon, authenticated, service_role, public;

grant select, insert, update, delete on availabilities to service_role;

create policy availabilities_house on availabilities to service_role using (true) with check (true);

grant select (id, version, zone, weekly, overrides, time_off, created_at, updated_at) on availabilities to anon;

create policy availabilities_anon on availabilities for select to anon using (true);

grant select (id, version, zone, weekly, overrides, time_off, created_at, updated_at) on availabilities to authenticated;

create policy availabilities_authenticated on availabilities for select to authenticated using (true);

alter table bookings enable row level security;

revoke all on bookings from anon, authenticated, service_role, public;

grant select, insert, update, delete on bookings to service_role;

create policy bookings_house on bookings to service_role using (true) with check (true);

grant select (id, version, reference, job_id, job_title, organization_id, provider_id, customer_id, span, zone, buffer_before, buffer_after, occupancy, seats, capacity, price_minor, price_currency, policy, terms, acceptance, note, state, payment_id, paid, expires_at, sequence, refund_floor, refund_ceiling, refund_minor, refund_currency, unplaced_payment_id, cancelled_by, cancel_reason, created_at, confirmed_at, cancelled_at, completed_at, starts_at, blocked, active) on bookings to authenticated;

create policy bookings_authenticated on bookings for select to authenticated using (customer_id = (select current_user_id()) or provider_id = (select current_user_id()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table payments enable row level security;

revoke all on payments from anon, authenticated, service_role, public;

grant select, insert, update, delete on payments to service_role;

create policy payments_house on payments to service_role using (true) with check (true);

grant select (id, version, booking_id, customer_id, organization_id, amount_minor, amount_currency, captured_minor, captured_currency, refunding_minor, refunding_currency, refunded_minor, refunded_currency, state, attempt, gateway, gateway_ref, failure, created_at, captured_at) on payments to authenticated;

create policy payments_authenticated on payments for select to authenticated using (customer_id = (select current_user_id()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table refunds enable row level security;

revoke all on refunds from anon, authenticated, service_role, public;

grant select, insert, update, delete on refunds to service_role;

create policy refunds_house on refunds to service_role using (true) with check (true);

grant select (id, version, payment_id, booking_id, customer_id, organization_id, amount_minor, amount_currency, state, reason, gateway, gateway_ref, failure, created_at, settled_at) on refunds to authenticated;

create policy refunds_authenticated on refunds for select to authenticated using (customer_id = (select current_user_id()) or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()));

alter table ledger enable row level security;

revoke all on ledger from anon, authenticated, service_role, public;

grant select, insert on ledger to service_role;

create policy ledger_house on ledger to service_role using (true) with check (true);

grant select (id, transaction_id, account, amount_minor, amount_currency, source_kind, source_id, payment_id, booking_id, organization_id, created_at) on ledger to authenticated;

create policy ledger_authenticated on ledger for select to authenticated using ((select is_admin()));

create trigger ledger_append_only before update or delete on ledger for each row execute function refuse_rewriting();

alter table webhooks enable row level security;

revoke all on webhooks from anon, authenticated, service_role, public;

grant select, insert, update, delete on webhooks to service_role;

create policy webhooks_house on webhooks to service_role using (true) with check (true);

grant select (id, version, sender, external_id, kind, payment_ref, refund_ref, occurred_at, received_at, processed_at, outcome, note) on webhooks to authenticated;

create policy webhooks_authenticated on webhooks for select to authenticated using ((select is_admin()));

alter table reviews enable row level security;

revoke all on reviews from anon, authenticated, service_role, public;

grant select, insert, update, delete on reviews to service_role;

create policy reviews_house on reviews to service_role using (true) with check (true);

grant select (id, version, booking_id, job_id, provider_id, customer_id, author_id, reviewed_id, side, stars, text, response, responded_at, state, created_at) on reviews to anon;

create policy reviews_anon on reviews for select to anon using (state = 'published');

grant select (id, version, booking_id, job_id, provider_id, customer_id, author_id, reviewed_id, side, stars, text, response, responded_at, state, created_at) on reviews to authenticated;

create policy reviews_authenticated on reviews for select to authenticated using (state = 'published' or customer_id = (select current_user_id()) or provider_id = (select current_user_id()) or (select is_admin()));

alter table conversations enable row level security;

revoke all on conversations from anon, authenticated, service_role, public;

grant select, insert, update, delete on conversations to service_role;

create policy conversations_house on conversations to service_role using (true) with check (true);

grant select (id, version, kind, booking_id, pair, subject, created_by, created_at) on conversations to authenticated;

create policy conversations_authenticated on conversations for select to authenticated using (id = any ((select my_conversations())::uuid[]));

alter table participants enable row level security;

revoke all on participants from anon, authenticated, service_role, public;

grant select, insert, update, delete on participants to service_role;

create policy participants_house on participants to service_role using (true) with check (true);

grant select (id, version, conversation_id, user_id, joined_at, read_sequence) on participants to authenticated;

create policy participants_authenticated on participants for select to authenticated using (conversation_id = any ((select my_conversations())::uuid[]));

alter table messages enable row level security;

revoke all on messages from anon, authenticated, service_role, public;

grant select, insert, update, delete on messages to service_role;

create policy messages_house on messages to service_role using (true) with check (true);

grant select (id, version, conversation_id, participant_id, sender_id, sequence, text, sent_at, edited_at) on messages to authenticated;

create policy messages_authenticated on messages for select to authenticated using (conversation_id = any ((select my_conversations())::uuid[]));

alter table notifications enable row level security;

revoke all on notifications from anon, authenticated, service_role, public;

grant select, insert, update, delete on notifications to service_role;

create policy notifications_house on notifications to service_role using (true) with check (true);

grant select (id, version, user_id, kind, title, body, about, read_at, created_at) on notifications to authenticated;

create policy notifications_authenticated on notifications for select to authenticated using (user_id = (select current_user_id()));

alter table mails enable row level security;

revoke all on mails from anon, authenticated, service_role, public;

grant select, insert, update, delete on mails to service_role;

create policy mails_house on mails to service_role using (true) with check (true);

grant select (id, version, template, transition, recipient_id, "to", context, state, attempts, sent_at, last_error, created_at) on mails to authenticated;

create policy mails_authenticated on mails for select to authenticated using ((select is_admin()));

alter table outbox enable row level security;

revoke all on outbox from anon, authenticated, service_role, public;

grant select, insert, update, delete on outbox to service_role;

create policy outbox_house on outbox to service_role using (true) with check (true);

grant select (id, version, name, subject_table, subject_id, subject_version, position, payload, actor, created_at, due_at, scheduled, attempts, leased_until, finished_at, dead_at, last_error) on outbox to authenticated;

create policy outbox_authenticated on outbox for select to authenticated using ((select is_admin()));

alter table receipts enable row level security;

revoke all on receipts from anon, authenticated, service_role, public;

grant select, insert, update, delete on receipts to service_role;

create policy receipts_house on receipts to service_role using (true) with check (true);

alter table tallies enable row level security;

revoke all on tallies from anon, authenticated, service_role, public;

grant select, insert, update, delete on tallies to service_role;

create policy tallies_house on tallies to service_role using (true) with check (true);

alter table audit enable row level security;

revoke all on audit from anon, authenticated, service_role, public;

grant select, insert, update on audit to service_role;

create policy audit_house on audit to service_role using (true) with check (true);

grant select (id, version, at, actor, action, subject_table, subject_id, subject_version, details, position, hash) on audit to authenticated;

create policy audit_authenticated on audit for select to authenticated using ((select is_admin()));

create trigger audit_append_only before update or delete on audit for each row execute function refuse_rewriting('position', 'hash');

alter table security_events enable row level security;

revoke all on security_events from anon, authenticated, service_role, public;

grant select, insert on security_events to service_role;

create policy security_events_house on security_events to service_role using (true) with check (true);

grant select (id, at, kind, actor, subject, details) on security_events to authenticated;

create policy security_events_authenticated on security_events for select to authenticated using ((select is_admin()));

create trigger security_events_append_only before update or delete on security_events for each row execute function refuse_rewriting();
