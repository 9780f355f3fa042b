"""The people who play, and the town they find: made once by use cases, kept as rows, and filled into every world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who do not exist
FOUNDED = "2024-11-04T09:00:00+00:00"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

CUSTOMER_ACTS: Mapping[str, float] = {
    "book": 14,
    "race": 1.5,
    "pay": 2,
    "cancel": 11,
    "reschedule": 4,
    "look_around": 0.5,
    "review": 6,
    "write": 3,
    "read": 4,
    "refresh": 1,
    "take_what_is_not_offered": 0.5,
    "change_password": 0.5,
    "settle": 3.5,
}
PROVIDER_ACTS: Mapping[str, float] = {
    "answer": 9,
    "finish": 16,
    "call_off": 5,
    "move": 2,
    "refund": 6,
    "take": 9,
    "defend": 4,
    "revise": 4,
    "open_job": 0.7,
    "close_job": 0.4,
    "hours": 1.5,
    "shut": 1.5,
    "review": 5,
    "respond": 2,
    "write": 3,
    "look_around": 0.4,
    "bill": 5,
    "keep_books": 2,
    "open_account": 8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Somebody of the cast: what they are, where, and how often they do what."""

    name: str
    role: str
    zone: str = "Europe/Lisbon"
    acts: Mapping[str, float] = field(default_factory=dict)
    jobs: tuple[Mapping[str, Any], ...] = ()
    hours: tuple[str, ...] = ("08:00-12:00", "13:00-24:00")

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.name.lower()}@town.example"


def _job(title: str, minor: int, currency: str = "EUR", **said: Any) -> Mapping[str, Any]:
    return {
        "title": title,
        "category": "trade",
        "price": {"amount_minor": minor, "currency": currency},
        "duration": 60,
        "place": "in town",
        "slot_interval": 60,
        "window_days": 4,
        **said,
    }


def _week_ahead(policy: str) -> dict[str, Any]:
    return {"policy": policy, "window_days": 7}


def _tiers(*tiers: tuple[int, int], no_show: int = 0) -> dict[str, Any]:
    named = [{"hours_before": hours, "refund_percent": percent} for hours, percent in tiers]
    return {"custom_policy": {"tiers": named, "no_show_percent": no_show}}


PROVIDERS = (
    Part(
        name="Rosa",
        role="provider",
        zone="Europe/Lisbon",
        acts=PROVIDER_ACTS,
        jobs=(
            _job("Piano lesson", 4500, buffer_after=15, **_tiers((24, 100), (6, 45))),
            _job("Recording", 8000, terms="authorised", window_days=3, **_tiers((24, 100))),
            _job("Choir", 1205, capacity=3, duration=90, slot_interval=120, **_tiers((36, 90), (3, 50), no_show=20)),
        ),
    ),
    Part(
        name="Joe",
        role="provider",
        zone="America/New_York",
        acts=PROVIDER_ACTS,
        jobs=(
            _job("Haircut", 3000, "USD", duration=30, slot_interval=30, policy="strict", window_days=18),
            _job("Advice", 0, "USD", terms="free", acceptance="request"),
        ),
        hours=("00:00-24:00",),
    ),
    Part(
        name="Howe",
        role="provider",
        zone="Australia/Lord_Howe",
        acts=PROVIDER_ACTS,
        jobs=(
            _job("Boat trip", 9900, "AUD", capacity=4, duration=180, slot_interval=180, **_week_ahead("moderate")),
            _job("Net mending", 2500, "AUD", terms="later"),
        ),
        hours=("20:00-04:00", "06:00-14:00"),
    ),
    Part(
        name="Astrid",
        role="provider",
        zone="Antarctica/Troll",
        acts=PROVIDER_ACTS,
        jobs=(
            _job("Ice walk", 7000, "NOK", buffer_before=30, buffer_after=30, acceptance="request"),
            _job("Radio hour", 500, "NOK", capacity=2, **_tiers((12, 75), (1, 10))),
        ),
        hours=("00:00-24:00",),
    ),
    Part(
        name="Yuki",
        role="provider",
        zone="Asia/Tokyo",
        acts=PROVIDER_ACTS,
        jobs=(
            _job("Tea ceremony", 4000, "JPY", **_tiers((1, 33))),
            _job("Calligraphy", 1, "JPY", duration=45, slot_interval=45),
        ),
    ),
)
CUSTOMERS = tuple(
    Part(name=name, role="customer", acts=CUSTOMER_ACTS) for name in ("Ana", "Ben", "Chloe", "Dev", "Emi", "Femi")
)
OTHERS = (
    Part(
        name="Impatience",
        role="impatient",
        acts={"book_twice": 5, "write_thrice": 2, "refund_twice": 5, "reuse_a_key": 1, "read": 0.5, "pay": 2},
    ),
    Part(
        name="Ada",
        role="admin",
        acts={
            "suspend": 0.8,
            "restore": 1.6,
            "promote": 0.7,
            "refund": 3,
            "heed": 2,
            "moderate": 1.5,
            "replay": 2.5,
            "inspect": 0.5,
        },
    ),
    Part(
        name="Fingers",
        role="thief",
        acts={"use_old_token": 2.5, "forge": 0.7, "use_link_twice": 2.5, "pry": 1.5, "intrude": 1.5},
    ),
    Part(name="Bank", role="bank", acts={"dispute": 3, "decide": 4, "warn": 1.5}),
    Part(name="Dashboard", role="dashboard", acts={"refund_by_hand": 5}),
    Part(name="Underwriter", role="underwriter", acts={"restrict": 2.5, "lift": 3, "pay_out": 18, "arrive": 8}),
    Part(name="Newcomer", role="newcomer", acts={"sign_up": 2.5, "lose_password": 2.5, "leave": 2}),
    Part(name="Buyer", role="buyer", acts={"buy": 3, "fall_behind": 3, "end_it": 2.5}),
    Part(name="Mona", role="member", acts={"join": 1.2, "part": 1, "regrade": 1, "rename": 0.7}),
)
CAST = (*PROVIDERS, *CUSTOMERS, *OTHERS)
SETTLED = tuple(one for one in CAST if one.role in ("provider", "customer", "impatient", "admin", "member"))
"""Those who have an account from the beginning."""
