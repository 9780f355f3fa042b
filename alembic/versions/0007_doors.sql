alter table sessions drop constraint sessions_method;

alter table sessions add constraint sessions_method CHECK (method in ('password', 'magic_link', 'google', 'github'));

alter table sessions drop constraint sessions_end_reason;

alter table sessions add constraint sessions_end_reason CHECK (end_reason in ('signed_out', 'ended', 'password_changed', 'token_reused', 'suspended', 'claimed'));

CREATE TABLE oauth_flows (
	id UUID NOT NULL, 
	version BIGINT NOT NULL, 
	provider TEXT NOT NULL, 
	return_to TEXT NOT NULL, 
	challenge TEXT NOT NULL, 
	state_hash TEXT NOT NULL, 
	browser_hash TEXT NOT NULL, 
	code_hash TEXT, 
	stranger JSONB, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	returned_at TIMESTAMP WITH TIME ZONE, 
	spent_at TIMESTAMP WITH TIME ZONE, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT oauth_flows_pkey PRIMARY KEY (id), 
	CONSTRAINT oauth_flows_state UNIQUE (state_hash), 
	CONSTRAINT oauth_flows_code UNIQUE (code_hash), 
	CONSTRAINT oauth_flows_provider CHECK (provider in ('google', 'github'))
);

CREATE INDEX oauth_flows_expiry ON oauth_flows USING btree (expires_at, id);

alter table oauth_flows enable row level security;

revoke all on oauth_flows from anon, authenticated, service_role, public;

grant select, insert, update, delete on oauth_flows to service_role;

create policy oauth_flows_house on oauth_flows to service_role using (true) with check (true);

alter table mails drop constraint mails_template;

alter table mails add CONSTRAINT mails_template CHECK (template in ('welcome', 'verify', 'magic_link', 'reset_password', 'account_exists', 'password_changed', 'account_invite', 'address_change', 'booking_requested', 'booking_held', 'booking_confirmed', 'booking_cancelled', 'booking_rescheduled', 'booking_declined', 'receipt', 'refund', 'review_request', 'new_message'));
