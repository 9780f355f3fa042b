"""Rules of signing in: sessions and their tokens (A1, A2, A3, A5), mailed links (A4), secrets (A6), addresses (A9)."""

import re

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, alone, each, told_of
from adapters.persistence.schema.tables import Row

_THIEF = "find the user with `guildhall audit list`; `guildhall user suspend`, then `restore`, ends their sessions"
_RESET = "end all sessions of the user, and have them set another password"
_MERGED = "end the sessions of that user, take the identity away from them, and tell both people"
_KEPT = "delete these rows: their owners sign in again; find who stored them"
_DIGEST, _PASSWORD = re.compile(r"[0-9a-f]{64}"), re.compile(r"\$(argon2|2[abxy]\$)")


def _current(row: Row) -> bool:
    return row["rotated_at"] is None and row["revoked_at"] is None


def _forked(group: Group) -> Found:
    current = [row for row in group["refresh_tokens"] if _current(row)]
    if len(current) > 1:
        yield group.key, f"it has {len(current)} current refresh tokens"


def _survivors(group: Group) -> Found:
    alive = any(_current(row) for row in group["refresh_tokens"])
    for row in group["sessions"]:
        if row["revoked_at"] is not None and alive:
            yield row["id"], f"it was ended ({row['end_reason']}), and a refresh token of it still works"


def _ended_otherwise(group: Group) -> Found:
    ends = sum(audit["action"] == "session.ended" for audit in group["audit"])
    for row in group["sessions"]:
        if ends != (row["revoked_at"] is not None):
            yield row["id"], f"it {'is over' if row['revoked_at'] else 'goes on'}, and was told to end {ends} times"


def _spent_again(group: Group) -> Found:
    spent = sum(audit["action"] == "one_time_tokens.changed" for audit in group["audit"])
    for row in group["one_time_tokens"]:
        if spent != (row["used_at"] is not None):
            yield row["id"], f"it is {'used' if row['used_at'] else 'unused'}, and was spent {spent} times"


def _spent_wrongly(row: Row) -> str | None:
    if row["used_at"] is not None and (row["user_id"] is None or row["used_at"] >= row["expires_at"]):
        return "it was used, and is nobody's or had expired"
    return None


def _miscounted(group: Group) -> Found:
    ends = sum(audit["action"] in ("user.sessions_ended", "user.suspended") for audit in group["audit"])
    for row in group["users"]:
        if row["epoch"] != 1 + ends:
            yield row["id"], f"it is in epoch {row['epoch']}, and everything was ended {ends} times"


def _lingering(group: Group) -> Found:
    actions = [audit["action"] for audit in group["audit"]]
    changes, ends = actions.count("user.password_changed"), actions.count("user.sessions_ended")
    for row in group["credentials"]:
        if changes > ends:
            yield row["id"], f"its password was changed {changes} times, its sessions were ended {ends} times"


def _ahead_of_its_time(group: Group) -> Found:
    epoch = max((row["epoch"] for row in group["users"]), default=0)
    for row in group["sessions"]:
        if row["epoch"] > epoch:
            yield row["id"], f"it is of epoch {row['epoch']}, its user in {epoch}"


def _came_upon(group: Group) -> Found:
    made_at = {row["created_at"] for row in group["users"]}
    for row in group["external_identities"]:
        if row["origin"] == "first_sight" and row["created_at"] not in made_at:
            yield row["id"], "it was new, and was given to a user who was there before"


def _joined_wrongly(group: Group) -> Found:
    links = [audit["details"] for audit in group["audit"] if audit["action"] == "identity.linked"]
    unproven = any(said.get("origin") == "verified_email" and said.get("email_verified") is not True for said in links)
    for row in group["external_identities"]:
        if len(links) != 1 or unproven:
            yield row["id"], f"it was linked {len(links)} times{', by an address nobody had confirmed' * unproven}"


RULES = (
    Rule(
        code="A1",
        name="one_current_refresh_token",
        says="A session has at most one refresh token that is neither exchanged nor ended.",
        means="two holders live on one session, and neither is noticed",
        mend=_THIEF,
        by={"refresh_tokens": "session_id"},
        broken=_forked,
        sql="""
            select session_id::text as subject, 'it has ' || count(*) || ' current refresh tokens' as said
            from refresh_tokens where rotated_at is null and revoked_at is null
            group by session_id having count(*) > 1
        """,
    ),
    Rule(
        code="A2",
        name="an_end_is_told_once_and_stays",
        says="A session is over exactly if its trail tells of its end, once: what is revoked stays revoked.",
        means="a session that was ended goes on, or ended without a trace",
        mend=_THIEF,
        by={"sessions": "id", "audit": told_of("sessions")},
        broken=_ended_otherwise,
        sql="""
            select s.id::text as subject, 'it ' || case when s.revoked_at is null then 'goes on' else 'is over' end
              || ', and was told to end ' || coalesce(a.ends, 0) || ' times' as said
            from sessions s left join (
              select subject_id, count(*) as ends from audit
              where subject_table = 'sessions' and action = 'session.ended' group by subject_id
            ) as a on a.subject_id = s.id
            where coalesce(a.ends, 0) <> (s.revoked_at is not null)::int
        """,
    ),
    Rule(
        code="A3",
        name="an_ended_session_has_no_token_left",
        says="With a session, for whatever reason it ended, ends the last of its refresh tokens.",
        means="a thief goes on after the theft was noticed",
        mend=_THIEF,
        by={"sessions": "id", "refresh_tokens": "session_id"},
        broken=_survivors,
        sql="""
            select distinct s.id::text as subject,
              'it was ended (' || s.end_reason || '), and a refresh token of it still works' as said
            from sessions s join refresh_tokens t on t.session_id = s.id
            where s.revoked_at is not null and t.rotated_at is null and t.revoked_at is null
        """,
    ),
    Rule(
        code="A4",
        name="a_link_works_once",
        says="A mailed link is used exactly if its trail tells of it, and that once.",
        means="a link that was used works again",
        mend=_RESET,
        by={"one_time_tokens": "id", "audit": told_of("one_time_tokens")},
        broken=_spent_again,
        sql="""
            select t.id::text as subject, 'it is ' || case when t.used_at is null then 'unused' else 'used' end
              || ', and was spent ' || coalesce(a.times, 0) || ' times' as said
            from one_time_tokens t left join (
              select subject_id, count(*) as times from audit
              where subject_table = 'one_time_tokens' and action = 'one_time_tokens.changed' group by subject_id
            ) as a on a.subject_id = t.id
            where coalesce(a.times, 0) <> (t.used_at is not null)::int
        """,
    ),
    Rule(
        code="A4",
        name="only_living_links_are_used",
        says="A link is used by whom it was sent to, before it expires.",
        means="a link that should do nothing let somebody in",
        mend=_RESET,
        by={"one_time_tokens": "id"},
        broken=each("one_time_tokens", _spent_wrongly),
        sql="""
            select id::text as subject, 'it was used, and is nobody''s or had expired' as said
            from one_time_tokens where used_at is not null and (user_id is null or used_at >= expires_at)
        """,
    ),
    Rule(
        code="A5",
        name="a_password_change_ends_sessions",
        says="Every change of a password came with the end of the user's sessions.",
        means="whoever had the old password is still signed in",
        mend=_RESET,
        by={"credentials": "id", "audit": told_of("credentials", "users")},
        broken=_lingering,
        sql="""
            select c.id::text as subject, 'its password was changed ' || a.changes
              || ' times, its sessions were ended ' || a.ends || ' times' as said
            from credentials c join (
              select subject_id, count(*) filter (where action = 'user.password_changed') as changes,
                count(*) filter (where action = 'user.sessions_ended') as ends
              from audit where subject_table in ('credentials', 'users') group by subject_id
            ) as a on a.subject_id = c.id
            where a.changes > a.ends
        """,
    ),
    Rule(
        code="A5",
        name="epochs_count_the_endings",
        says="A user's epoch counts how often all their sessions were ended.",
        means="sessions that were ended count again",
        mend=_RESET,
        by={"users": "id", "audit": told_of("users")},
        broken=_miscounted,
        sql="""
            select u.id::text as subject, 'it is in epoch ' || u.epoch || ', and everything was ended '
              || coalesce(a.ends, 0) || ' times' as said
            from users u left join (
              select subject_id, count(*) as ends from audit
              where subject_table = 'users' and action in ('user.sessions_ended', 'user.suspended')
              group by subject_id
            ) as a on a.subject_id = u.id
            where u.epoch <> 1 + coalesce(a.ends, 0)
        """,
    ),
    Rule(
        code="A5",
        name="no_session_is_ahead_of_its_user",
        says="A session is of its user's present epoch or an earlier one, which is over.",
        means="a session will outlive the next change of password",
        mend=_THIEF,
        by={"sessions": "user_id", "users": "id"},
        broken=_ahead_of_its_time,
        sql="""
            select s.id::text as subject,
              'it is of epoch ' || s.epoch || ', its user in ' || coalesce(u.epoch, 0) as said
            from sessions s left join users u on u.id = s.user_id where s.epoch > coalesce(u.epoch, 0)
        """,
    ),
    Rule(
        code="A6",
        name="refresh_tokens_are_hashes",
        says="Of a refresh token only its hash is stored.",
        means="whoever reads the database can be anybody",
        mend=_KEPT,
        by={"refresh_tokens": "id"},
        broken=each(
            "refresh_tokens",
            lambda row: None if _DIGEST.fullmatch(row["token_hash"]) else "what is stored is no SHA-256",
        ),
        sql="""
            select id::text as subject, 'what is stored is no SHA-256' as said
            from refresh_tokens where length(token_hash) <> 64 or token_hash ~ '[^0-9a-f]'
        """,
    ),
    Rule(
        code="A6",
        name="links_are_hashes",
        says="Of a mailed link only its hash is stored.",
        means="whoever reads the database can be anybody",
        mend=_KEPT,
        by={"one_time_tokens": "id"},
        broken=each(
            "one_time_tokens",
            lambda row: None if _DIGEST.fullmatch(row["token_hash"]) else "what is stored is no SHA-256",
        ),
        sql="""
            select id::text as subject, 'what is stored is no SHA-256' as said
            from one_time_tokens where length(token_hash) <> 64 or token_hash ~ '[^0-9a-f]'
        """,
    ),
    Rule(
        code="A6",
        name="passwords_are_hashes",
        says="Of a password only an argon2 or bcrypt hash is stored.",
        means="whoever reads the database knows passwords people use elsewhere",
        mend=_RESET,
        by={"credentials": "id"},
        broken=each(
            "credentials",
            lambda row: None if _PASSWORD.match(row["password_hash"]) else "what is stored is no hash of ours",
        ),
        sql=r"""
            select id::text as subject, 'what is stored is no hash of ours' as said
            from credentials where password_hash !~ '^\$(argon2|2[abxy]\$)'
        """,
    ),
    Rule(
        code="A6",
        name="no_receipt_keeps_tokens",
        says="No receipt keeps the answer of a route that hands out tokens.",
        means="a retried request hands out a session again",
        mend="delete these receipts; find the route that opened one",
        by={"receipts": "id"},
        broken=each(
            "receipts",
            lambda row: (
                f"it keeps {row['answer_table']}"
                if row["answer_table"] in ("credentials", "sessions", "refresh_tokens", "one_time_tokens")
                else None
            ),
        ),
        sql="""
            select id::text as subject, 'it keeps ' || answer_table as said from receipts
            where answer_table in ('credentials', 'sessions', 'refresh_tokens', 'one_time_tokens')
        """,
    ),
    Rule(
        code="A9",
        name="an_address_is_one_user",
        says="An e-mail address, in lower case, is one user.",
        means="mail for one user signs another in",
        mend="close one of the accounts with `guildhall user suspend`, and move what is theirs by hand",
        by={"users": lambda row: () if row["email"] is None else (row["email"].lower(),)},
        broken=alone("users", "another user has the same address"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another user has the same address' as said
            from users where email is not null group by lower(email) having count(*) > 1
        """,
    ),
    Rule(
        code="A9",
        name="a_newcomer_is_a_user_of_their_own",
        says="Whom another issuer vouches for, and who was new when first seen, is the user who came into being by it.",
        means="somebody is signed in as another, because their addresses are alike",
        mend=_MERGED,
        by={"users": "id", "external_identities": "user_id"},
        broken=_came_upon,
        sql="""
            select e.id::text as subject, 'it was new, and was given to a user who was there before' as said
            from external_identities e left join users u on u.id = e.user_id
            where e.origin = 'first_sight' and e.created_at is distinct from u.created_at
        """,
    ),
    Rule(
        code="A9",
        name="an_address_joins_only_when_confirmed",
        says="An identity is linked to its user once, and by an address only if its issuer had confirmed it.",
        means="whoever typed the address of a user elsewhere is signed in as that user",
        mend=_MERGED,
        by={"external_identities": "id", "audit": told_of("external_identities")},
        broken=_joined_wrongly,
        sql="""
            select e.id::text as subject, 'it was linked ' || coalesce(a.times, 0) || ' times'
              || case when a.unproven then ', by an address nobody had confirmed' else '' end as said
            from external_identities e left join (
              select subject_id, count(*) as times, bool_or(
                details ->> 'origin' = 'verified_email' and details ->> 'email_verified' is distinct from 'true'
              ) as unproven
              from audit where subject_table = 'external_identities' and action = 'identity.linked'
              group by subject_id
            ) as a on a.subject_id = e.id
            where coalesce(a.times, 0) <> 1 or a.unproven
        """,
    ),
)


def _once(change: Change, *columns: str) -> bool:
    """These columns, once filled, stay as they are."""
    filled = tuple(column for column in columns if change.before is not None and change.before[column] is not None)
    return change.after is None or change.keeps(*filled)


def _ends_others(change: Change) -> bool:
    if change.moved is None or change.keeps("changed_at"):
        return True
    user_id = change.moved[1]["id"]
    epoch = change.tables["users"][user_id]["epoch"]
    sessions = (row for row in change.tables["sessions"].values() if row["user_id"] == user_id)
    return len([row for row in sessions if row["revoked_at"] is None and row["epoch"] == epoch]) <= 1


STEPS = (
    Step(
        code="A9",
        name="an_identity_stays_its_users",
        says="An identity of another issuer stays what and whose it is, and ended once it is.",
        means="somebody is signed in as another",
        mend=_MERGED,
        table="external_identities",
        holds=lambda change: (
            change.after is None
            or (change.keeps("user_id", "issuer", "subject", "origin", "created_at") and _once(change, "ended_at"))
        ),
        instead="a_newcomer_is_a_user_of_their_own",
    ),
    Step(
        code="A2",
        name="an_ended_session_stays_ended",
        says="A session that was ended stays so, at that moment and for that reason; none is removed.",
        means="somebody who was signed out is signed in",
        mend=_THIEF,
        table="sessions",
        holds=lambda change: change.after is not None and _once(change, "revoked_at", "end_reason"),
        instead="an_end_is_told_once_and_stays",
    ),
    Step(
        code="A2",
        name="a_spent_token_stays_spent",
        says="A refresh token that was exchanged or ended stays so (two different facts), and stays with its session.",
        means="a token that is worth nothing works again",
        mend=_THIEF,
        table="refresh_tokens",
        holds=lambda change: (
            _once(change, "rotated_at", "revoked_at") and (change.after is None or change.keeps("session_id"))
        ),
        instead="one_current_refresh_token and an_ended_session_has_no_token_left",
    ),
    Step(
        code="A4",
        name="a_used_link_stays_used",
        says="A link that was used stays so.",
        means="a link that was used works again",
        mend=_RESET,
        table="one_time_tokens",
        holds=lambda change: _once(change, "used_at"),
        instead="a_link_works_once",
    ),
    Step(
        code="A5",
        name="a_new_password_leaves_one_session",
        says="When a password is changed, at most the session that asked goes on.",
        means="whoever had the old password is still signed in",
        mend=_RESET,
        table="credentials",
        holds=_ends_others,
        instead="a_password_change_ends_sessions",
    ),
)
