"""Real data for a request: ids, versions, cursors, keys and secrets of the town, and who they belong to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.proof.fuzz.town import Town
from tests.rest.world import PASSWORD, World, at

TABLES = {
    "user_id": "users",
    "provider_id": "users",
    "recipient_id": "users",
    "organization_id": "organizations",
    "job_id": "jobs",
    "booking_id": "bookings",
    "payment_id": "payments",
    "review_id": "reviews",
    "conversation_id": "conversations",
    "message_id": "messages",
    "notification_id": "notifications",
    "file_id": "files",
    "session_id": "sessions",
    "webhook_id": "webhooks",
    "discrepancy_id": "discrepancies",
    "mail_id": "mails",
    "subject_id": "bookings",
    "actor": "users",
}
"""Which table the value of a field of that name is an id of."""

SENSIBLE: dict[str, tuple[Any, ...]] = {
    "email": tuple(f"{name}@example.net" for name in ("lia", "max", "ida", "bo", "kim")),
    "password": (PASSWORD,),
    "current_password": (PASSWORD,),
    "new_password": ("seven strings to tune",),
    "name": ("Somebody", "José", "Çelik & Söhne", "photo.png"),
    "bucket": ("avatars", "attachments"),
    "content_type": ("image/png",),
    "size": (100, 5000),
    "rendering": ("original", "thumbnail"),
    "avatar_id": ("",),
    "pictures": ([],),
    "attachments": ([],),
    "title": ("Guitar lesson", "Ελληνικά for 大人"),
    "category": ("music", "tutoring"),
    "price": ({"amount_minor": 4500, "currency": "EUR"}, {"amount_minor": 900, "currency": "JPY"}),
    "amount_minor": (100, 4500, None),
    "currency": ("EUR",),
    "duration": (30, 60, 90),
    "capacity": (1, 3),
    "buffer_before": (0, 10),
    "buffer_after": (0, 15),
    "slot_interval": (15, 30),
    "notice": (0, 60),
    "window_days": (30, 60),
    "custom_policy": (None, {"tiers": [{"hours_before": 24, "refund_percent": 100}], "no_show_percent": 10}),
    "zone": ("Europe/Lisbon", "Pacific/Apia"),
    "locale": ("en", "pt-PT"),
    "phone": ("+351912345678", None),
    "avatar_url": ("https://example.org/face.png", None),
    "starts_at": (at(9, day=4), at(10, day=6), at(15, day=8), at(13, day=9), at(11, day=10)),
    "ends_at": (at(16, day=12), at(18, day=14)),
    "first": ("2026-03-05", "2026-03-10"),
    "last": ("2026-03-12", "2026-03-14"),
    "day": ("2026-03-20", "2026-03-29"),
    "windows": (["09:00-12:00"], ["22:00-02:00", "10:00-11:00"], []),
    "seats": (1, 2),
    "stars": (1, 5),
    "sequence": (1, 2, 3),
    "text": ("Well done.", "¡Olé! \U0001f3b8"),
    "reason": ("So it goes.",),
    "limit": (1, 2, 100),
    "sender": ("simulated",),
    "bio": ("I play.",),
    "place": ("Lisboa",),
}
"""Values a person would send, by the field's name; days of the week have windows too."""
for _day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"):
    SENSIBLE[_day] = SENSIBLE["windows"]


@dataclass(slots=True)
class Pools:
    """What exists, by the name of the field it would be sent in."""

    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    friends: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Value to the roles it has to do with, for whom a request with it may succeed."""
    versions: dict[str, int] = field(default_factory=dict)
    cursors: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """By the listing's address, and the role it was given to."""

    def of(self, name: str) -> list[Any]:
        """Values for a field of that name; none when nothing is known of it."""
        return self.values.get(name) or list(SENSIBLE.get(name, ()))


async def harvested(world: World, town: Town) -> Pools:
    """What the town holds now."""
    pools = Pools()
    store = world.house.container.store()
    roles = {person.user_id: role for role, person in town.people.items() if person.user_id}
    houses = defaultdict(list)
    for row in await store.load("memberships", {}):
        houses[str(row["organization_id"])].append(roles.get(str(row["user_id"]), "admin"))
    for name, table in TABLES.items():
        for row in _evenly(await store.load(table, {})):
            ids = [str(value) for value in row.values() if isinstance(value, UUID)]
            near = {roles[each] for each in ids if each in roles}
            near |= {role for each in ids for role in houses.get(each, ())}
            pools.values[name].append(str(row["id"]))
            pools.friends[str(row["id"])] = [*sorted(near), "admin"]
            pools.versions[str(row["id"])] = row["version"]
    for row in await store.load("participants", {}):
        pools.friends[str(row["conversation_id"])].append(roles.get(str(row["user_id"]), "admin"))
    for row in await store.load("availabilities", {}):
        pools.values["time_off_id"] += [str(away["id"]) for away in row["time_off"]]
    for name in ("provider_id", "user_id"):
        pools.values[name].sort(key=lambda each: roles.get(each) != "provider")
    pools.values |= {name: list(some) for name, some in town.secrets.items()}
    pools.values["email"] = [*SENSIBLE["email"], *(each.email for each in town.people.values() if each.email)]
    await _turn_pages(pools, town)
    return pools


async def _turn_pages(pools: Pools, town: Town) -> None:
    """Cursors, from first pages of one thing each."""
    for address in ("/v1/jobs", "/v1/bookings", "/v1/conversations", "/v1/notifications", "/v1/admin/audit"):
        for role in ("customer", "provider", "admin"):
            page = (await town.people[role].get(address, params={"limit": 1})).json()
            if page.get("next_cursor"):
                pools.cursors[address, role].append(page["next_cursor"])


def _evenly(rows: Sequence[Any]) -> list[Any]:
    """The rows, those of rare states as often as those of common ones."""
    states = defaultdict(list)
    for row in rows:
        states[row.get("state", row.get("suspended_at"))].append(row)
    most = max(map(len, states.values()), default=0)
    return [row for some in states.values() for row in (some * most)[:most]]


def filled(schema: Mapping[str, Any], pools: Pools, document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """A body of sense: what is required always, the rest at times, ids and secrets from the town."""
    fields = _fields(schema, document)
    needed: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, told in fields.get("properties", {}).items():
        value = _value(name, told, pools, document)
        if value is not None:
            (needed if name in fields.get("required", ()) else optional)[name] = value
    return st.fixed_dictionaries(needed, optional=optional)


def _value(
    name: str, told: Mapping[str, Any], pools: Pools, document: Mapping[str, Any]
) -> st.SearchStrategy[Any] | None:
    if known := pools.of(name):
        return st.sampled_from(known)
    named = _fields(told, document)
    if "enum" in named:
        return st.sampled_from(named["enum"])
    if named.get("type") == "boolean":
        return st.booleans()
    if named.get("type") == "string" and "format" not in named:
        return st.sampled_from(["", "Something said.", "ß\u0301\u200d"])
    return None


def _fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    for each in (schema, *schema.get("anyOf", ()), *schema.get("allOf", ())):
        if reference := each.get("$ref"):
            found: Mapping[str, Any] = document["components"]["schemas"][reference.split("/")[-1]]
            return found
    return next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
