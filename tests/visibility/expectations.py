"""Who may see what, as the business would say it: by relation, with no word of columns, policies or terms.

Written apart from `application/visibility.py`, so that the two can disagree. The house sees everything; everybody not
named sees nothing; and whoever is suspended, or has ended the session of the token they show, sees what everybody does.
Nobody but the house writes anything, anywhere."""

from adapters.postgres.versions import newest
from tests.visibility.world import Identity, Placed, World

SEEN_BY = {
    "users": "self admin",
    "credentials": "",
    "external_identities": "self admin",
    "sessions": "self admin",
    "refresh_tokens": "",
    "one_time_tokens": "",
    "oauth_flows": "",
    "profiles": "everybody",
    "organizations": "everybody",
    "memberships": "colleague admin",
    "external_organizations": "",
    "invitations": "manager admin",
    "onboardings": "manager admin",
    "products": "everybody",
    "prices": "everybody",
    "customers": "self admin",
    "subscriptions": "manager admin",
    "purchases": "self admin",
    "jobs draft": "colleague admin",
    "jobs published": "everybody",
    "jobs archived": "colleague admin",
    "ratings": "everybody",
    "availabilities": "everybody",
    "bookings": "customer performer manager admin",
    "letterheads": "manager admin",
    "quotes draft": "manager admin",
    "quotes sent": "customer addressee manager admin",
    "invoices draft": "manager admin",
    "invoices issued": "customer addressee manager admin",
    "papers": "customer addressee manager admin",
    "settlements": "manager admin",
    "payments": "customer manager admin",
    "refunds": "customer manager admin",
    "payees": "manager admin",
    "payouts": "manager admin",
    "ledger": "manager admin",
    "balances": "manager admin",
    "disputes": "performer manager admin",
    "fraud_warnings": "manager admin",
    "payment_methods": "self admin",
    "webhooks": "admin",
    "reconciliations": "admin",
    "discrepancies": "admin",
    "reviews published": "everybody",
    "reviews hidden": "customer performer admin",
    "conversations": "participant",
    "participants": "participant",
    "messages": "participant",
    "files public": "everybody",
    "files attached": "self participant",
    "files uploading": "self",
    "notifications": "self",
    "mails": "admin",
    "outbox": "admin",
    "receipts": "",
    "tallies": "",
    "audit": "manager admin",
    "security_events": "admin",
    "moves": "",
    "move_changes": "",
}
"""Table, and kind of row where it matters, to the relations that see it."""

VIEWS_SHOW = {
    "accounts": ("sessions", "nobody"),
    "foreign_accounts": ("external_identities", "nobody"),
    "members": ("memberships", "whoever sees those"),
    "job_listings": ("jobs", "whoever sees those"),
    "review_cards": ("reviews", "whoever sees those"),
    "invoice_cards": ("invoices", "whoever sees those"),
    "inbox": ("participants", "whoever sees those"),
    "conversation_people": ("participants", "whoever sees those"),
}
"""View to the table whose rows it shows, and to whom."""

MARKS = frozenset({"alembic_version"})
"""What belongs to migrations: the house may look which revision it is at, and nobody writes it."""

PRIVATE = {
    "users": {"epoch"},
    "credentials": {"password_hash"},
    "sessions": {"epoch"},
    "refresh_tokens": {"token_hash"},
    "one_time_tokens": {"token_hash", "address_hash", "address"},
    "oauth_flows": {"state_hash", "browser_hash", "code_hash", "stranger"},
    "profiles": {"locale", "phone"},
    "files": {"announced_sha256"},
    "invitations": {"token_hash"},
    "products": {"metadata"},
    "purchases": {"url", "metadata"},
    "jobs": {"search", "place_search"},
    "payments": {"client_secret", "share"},
    "webhooks": {"payload"},
    "reconciliations": {"cursor"},
    "reviews": {"moderation_reason", "moderated_at"},
}
"""Columns no client reads, not even of rows that are theirs."""

KEPT_FOR_EVER = {
    "ledger": "insert update",
    "security_events": "insert",
    "audit": "insert update",
    "papers": "insert",
    "settlements": "insert",
}
"""What the house itself may write where rows stay for ever; elsewhere it inserts, updates and deletes. The audit trail
and the ledger are updated once, when a row is sealed."""

FUNCTIONS = {
    "current_user_id": "everybody",
    "my_foreign_user_id": "everybody",
    "current_session_id": "everybody",
    "our_issuer": "everybody",
    "welcome_user_id": "everybody",
    "my_organizations": "everybody",
    "my_managed_organizations": "everybody",
    "my_conversations": "everybody",
    "my_address": "everybody",
    "is_admin": "everybody",
    "search_jobs": "everybody",
    "must": "house",
    "commit_changes": "house",
    "commit_columns": "house",
    "commit_rows": "house",
    "commit_part": "house",
    "commit_statement": "house",
    "claim_events": "house",
    "refuse_rewriting": "trigger",
    "note_change": "trigger",
    "refuse_while_moving": "trigger",
    "moved_tables": "house",
    "move_standing": "house",
    "move_batch": "house",
    "move_news": "house",
    "move_forget": "house",
    "move_digest": "house",
    "move_digests": "house",
    "move_triggers": "house",
    "move_leave": "house",
    "move_open": "house",
    "move_receive": "house",
    "move_arrive": "house",
}
"""Who may call each function of ours."""

OF_THE_OWNER = frozenset({"move_standing", "move_triggers", "note_change", "refuse_while_moving"})
"""Those that act as the owner of the tables, and not as the house: triggers are the owner's to make."""

WRITES = ("insert", "update", "delete", "truncate")


def sources() -> tuple[str, ...]:
    """Every table and view there is to be."""
    tables = dict.fromkeys(name.split()[0] for name in SEEN_BY)
    return (*tables, *VIEWS_SHOW, *MARKS)


def may_ask(identity: Identity, source: str) -> bool:
    """Whether somebody like this is let to ask at all, whatever rows there are."""
    if identity.name == "login":
        return False
    if identity.role == "service_role":
        return True
    if source in MARKS:
        return False
    table, whom = VIEWS_SHOW.get(source, (source, "whoever sees those"))
    words = [said for name, said in SEEN_BY.items() if name.split()[0] == table]
    if whom == "nobody" or source == "tallies":
        return False
    return any("everybody" in said if identity.role == "anon" else said for said in words)


def seen(here: World, identity: Identity, source: str) -> frozenset[str]:
    """The rows this one sees there."""
    if not may_ask(identity, source):
        return frozenset()
    if source == "tallies":
        return frozenset({"seats:any"})
    if source in MARKS:
        return frozenset({newest()})
    table, _ = VIEWS_SHOW.get(source, (source, ""))
    return frozenset(placed.id for placed in here.placed[table] if _sees(identity, table, placed))


def own(here: World, identity: Identity, table: str, relation: str) -> frozenset[str]:
    """The rows there to which this one stands in that relation, as far as the house takes them for anybody."""
    return frozenset(
        placed.id for placed in here.placed[table] if identity.welcome in placed.relations.get(relation, ())
    )


def may_write(identity: Identity, source: str, verb: str) -> bool:
    """Whether the database lets this one do that; never more than a use case needs."""
    if identity.role != "service_role" or source in VIEWS_SHOW or source in MARKS:
        return False
    return verb in KEPT_FOR_EVER.get(source, "insert update delete").split()


def _sees(identity: Identity, table: str, placed: Placed) -> bool:
    words = SEEN_BY[f"{table} {placed.kind}".strip()].split()
    if identity.role == "service_role" or "everybody" in words:
        return True
    if identity.welcome == "root" and "admin" in words:
        return True
    return any(identity.welcome in placed.relations.get(word, ()) for word in words)
