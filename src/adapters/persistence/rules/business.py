"""Rules of organizations and what they buy: an owner at least (O1), invitations answered once (O2), one subscription
per gateway object (O3), and what was paid provisioned once (O4)."""

import re

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, alone, each, together, told_of

_OWNERS = "make somebody an owner with `guildhall organization role`, and set the count to the owners there are"
_ANSWERED = "remove the membership that is one too many with `guildhall organization remove-member`"
_TWICE = "merge what belongs to the two by hand; find what was committed under the second"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _uncounted(group: Group) -> Found:
    owners = sum(row["role"] == "owner" for row in group["memberships"])
    for row in group["organizations"]:
        if row["owners"] != owners or owners < 1:
            yield row["id"], f"it counts {row['owners']} owners, and has {owners}"


def _told_once(table: str, state: str, action: str) -> Rule:
    """A row in that state got there once, and one that is not never did."""
    said = f"its {action} was told another number of times than its state says"

    def broken(group: Group) -> Found:
        told = sum(row["action"] == action for row in group["audit"])
        return ((row["id"], said) for row in group[table] if told != (row["state"] == state))

    return Rule(
        code="O2" if table == "invitations" else "O4",
        name=f"{state}_{table}_were_so_once",
        says=f"Of {table}, those that are {state} became so once, and the others never.",
        means="somebody joined, or was given what they bought, twice or not at all",
        mend=_ANSWERED if table == "invitations" else _TWICE,
        by={table: "id", "audit": told_of(table)},
        broken=broken,
        # Names of ours only, none given by anybody.
        sql=f"""
            select t.id::text as subject, '{said}' as said from {table} t left join (
              select subject_id, count(*) as told from audit
              where subject_table = '{table}' and action = '{action}' group by subject_id
            ) as a on a.subject_id = t.id
            where coalesce(a.told, 0) <> case when t.state = '{state}' then 1 else 0 end
        """,  # noqa: S608
    )


RULES = (
    Rule(
        code="O1",
        name="an_organization_counts_its_owners",
        says="An organization has an owner at least, and counts them as they are.",
        means="nobody can decide for it, or its last owner can leave",
        mend=_OWNERS,
        by={"organizations": "id", "memberships": "organization_id"},
        broken=_uncounted,
        sql="""
            select o.id::text as subject,
              'it counts ' || o.owners || ' owners, and has ' || coalesce(m.owners, 0) as said
            from organizations o left join (
              select organization_id, count(*) as owners from memberships where role = 'owner' group by organization_id
            ) as m on m.organization_id = o.id
            where o.owners <> coalesce(m.owners, 0) or coalesce(m.owners, 0) < 1
        """,
    ),
    _told_once("invitations", "accepted", "invitation.accepted"),
    Rule(
        code="A6",
        name="invitations_are_hashes",
        says="Of an invitation's link only its hash is stored.",
        means="whoever reads the database can join any organization",
        mend="revoke these invitations with `guildhall organization revoke`; find the code that stores what was sent",
        by={"invitations": "id"},
        broken=each(
            "invitations",
            lambda row: None if _DIGEST.fullmatch(row["token_hash"]) else "what is stored is no SHA-256",
        ),
        sql="""
            select id::text as subject, 'what is stored is no SHA-256' as said
            from invitations where length(token_hash) <> 64 or token_hash ~ '[^0-9a-f]'
        """,
    ),
    Rule(
        code="O3",
        name="one_subscription_per_gateway_object",
        says="A subscription of the gateway is one of ours.",
        means="two organizations have what one pays for",
        mend=_TWICE,
        by={"subscriptions": together("gateway", "gateway_ref")},
        broken=alone("subscriptions", "another subscription has the same reference"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'another subscription has the same reference' as said
            from subscriptions group by gateway, gateway_ref having count(*) > 1
        """,
    ),
    _told_once("purchases", "provisioned", "purchase.provisioned"),
)


def _stays_answered(change: Change) -> bool:
    if change.moved is None:
        return change.before is None
    was, _ = change.moved
    return was["state"] == "pending" or change.keeps("state", "accepted_by", "answered_at")


def _stays_provisioned(change: Change) -> bool:
    if change.moved is None:
        return change.before is None
    was, _ = change.moved
    return was["state"] != "provisioned" or change.keeps("state", "organization_id", "user_id", "provisioned_at")


STEPS = (
    Step(
        code="O2",
        name="an_answered_invitation_stays_so",
        says="An invitation that was answered, revoked or ran out stays so, and none is removed.",
        means="a letter works again",
        mend=_ANSWERED,
        table="invitations",
        holds=_stays_answered,
        instead="accepted_invitations_were_so_once",
    ),
    Step(
        code="O4",
        name="what_was_provisioned_stays",
        says="A purchase that was provisioned stays so, for that organization and owner.",
        means="what was paid for once is given twice",
        mend=_TWICE,
        table="purchases",
        holds=_stays_provisioned,
        instead="provisioned_purchases_were_so_once",
    ),
)
