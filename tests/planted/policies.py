"""Carelessness with policies and grants, committed where PostgREST can see it; each can be mended again."""

from dataclasses import dataclass

from adapters.persistence.schema import TABLES

_SHOWN_OF_PAYMENTS = ", ".join(column.name for column in TABLES["payments"].columns if not column.private)


@dataclass(frozen=True, slots=True, kw_only=True)
class Careless:
    """A statement that does harm, the one that mends it, and where whom to ask."""

    name: str
    harm: str
    mended: str
    where: str
    who: str


_OF_PARTIES = """(customer_id = (select welcome_user_id()) or provider_id = (select welcome_user_id())
  or organization_id = any ((select my_managed_organizations())::uuid[]) or (select is_admin()))"""

IN_THE_OPEN = (
    Careless(
        name="a policy that lets everything pass",
        harm="alter policy bookings_authenticated on bookings using (true)",
        mended=f"alter policy bookings_authenticated on bookings using {_OF_PARTIES}",
        where="bookings",
        who="ann",
    ),
    Careless(
        name="a policy that does not see a suspension",
        harm=f"alter policy bookings_authenticated on bookings using {_OF_PARTIES.replace('welcome', 'current')}",
        mended=f"alter policy bookings_authenticated on bookings using {_OF_PARTIES}",
        where="bookings",
        who="sue",
    ),
    Careless(
        name="row level security switched off",
        harm="alter table messages disable row level security",
        mended="alter table messages enable row level security",
        where="messages",
        who="ann",
    ),
    Careless(
        name="a whole table granted",
        harm="grant select on payments to authenticated",
        mended="revoke select (client_secret), select on payments from authenticated; "
        f"grant select ({_SHOWN_OF_PAYMENTS}) on payments to authenticated",
        where="payments",
        who="ann",
    ),
    Careless(
        name="a right to write",
        harm="grant update on reviews to authenticated",
        mended="revoke update on reviews from authenticated",
        where="reviews",
        who="ann",
    ),
    Careless(
        name="a view that looks with its owner's eyes",
        harm="alter view inbox set (security_invoker = false)",
        mended="alter view inbox set (security_invoker = true)",
        where="inbox",
        who="ann",
    ),
    Careless(
        name="a table for the house shown to everybody",
        harm="grant select on outbox to anon; create policy outbox_anon on outbox for select to anon using (true)",
        mended="drop policy outbox_anon on outbox; revoke select on outbox from anon",
        where="outbox",
        who="anonymous",
    ),
)
