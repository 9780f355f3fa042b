"""A marketplace small enough to say of every row who stands in which relation to it.

North & Co.: Olga owns it, Max manages it, Mia and Vera belong to it, and Vera performs its work for Ann. South Ltd. is
Zed's alone, who works for Bob. Kim has nothing to do with anybody, but invoices of North go to an address that is hers;
others of South go to one that Mia never confirmed. Root is an admin. East & Co. went wrong: its owner Sue, who works
there herself, and its customer Tom are suspended, and so is Sam, who was an admin.

Ann and Root come with tokens of several sessions, too: one that lasts, one that they ended, one from before they ended
all at once, and one that is somebody else's; Vera and some others come with tokens of another issuer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from adapters.persistence.schema.tables import Row
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.ids import UserId
from tests.support.house import MONDAY
from tests.visibility.rows import Rows

PEOPLE = ("ann", "bob", "vera", "mia", "max", "olga", "zed", "kim", "root", "sue", "tom", "sam")
SUSPENDED = ("sue", "tom", "sam")
NORTH, SOUTH, EAST = ("olga", "max", "mia", "vera"), ("zed",), ("sue",)

Relations = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A row in the world: its kind where that matters ("draft"), and who stands in which relation to it."""

    id: str
    kind: str
    relations: Relations


@dataclass(frozen=True, slots=True)
class Identity:
    """One who asks: a person, nobody in particular, the house, or the application's login that took no role."""

    name: str
    role: str
    user_id: UUID | None = None
    session_id: UUID | None = None
    says: tuple[tuple[str, str], ...] = ()
    """What else their token says, or says otherwise."""
    welcome: str = ""
    """The person the house takes them for; nobody, when they are suspended or the session of their token has ended."""

    @property
    def claims(self) -> dict[str, str]:
        """What their token says of them."""
        if self.user_id is None:
            return {"role": self.role, **dict(self.says)}
        session = {} if self.session_id is None else {"sid": str(self.session_id)}
        return {"iss": "guildhall", "sub": str(self.user_id), "role": self.role, **session, **dict(self.says)}

    @property
    def actor(self) -> Actor:
        """The same, as use cases know it."""
        if self.user_id is not None:
            return Actor(user_id=UserId(self.user_id), role=Role.CUSTOMER)
        return SYSTEM if self.role == "service_role" else ANONYMOUS


@dataclass(slots=True)
class World:
    """The rows, and what they are to whom."""

    rows: Rows = field(default_factory=Rows)
    people: dict[str, UUID] = field(default_factory=dict)
    sessions: dict[str, UUID] = field(default_factory=dict)
    """By whose it is, and what became of it."""
    placed: dict[str, list[Placed]] = field(default_factory=dict)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Everybody who may come and ask."""
        users = tuple(self.person(name) for name in self.people)
        others = Identity("anonymous", "anon"), Identity("service", "service_role"), Identity("login", "guildhall_app")
        return (*users, *self.devices, *self.foreigners, *others)

    @property
    def witnesses(self) -> tuple[Identity, ...]:
        """One of each who may see what others do not, and of those who may see nothing."""
        names = (
            "ann",
            "vera",
            "mia",
            "max",
            "zed",
            "kim",
            "root",
            "sue",
            "tom",
            "sam",
            "anonymous",
            "service",
            "login",
        )
        return tuple(self.named(name) for name in names)

    @property
    def devices(self) -> tuple[Identity, ...]:
        """Tokens that name their session, as those of Guildhall do."""
        return tuple(
            Identity(
                f"{name}, {became}",
                "authenticated",
                self.people[name],
                self.sessions[f"{'bob' if became == 'of somebody else' else name}, {became}"],
                welcome=name if became == "signed in" else "",
            )
            for name in ("ann", "root")
            for became in ("signed in", "signed out", "before the end of all", "of somebody else")
        )

    @property
    def foreigners(self) -> tuple[Identity, ...]:
        """Those who signed in elsewhere: one whom the house knows by that, one it suspended, and two it never saw."""
        known = {str(row["user_id"]): row for row in self.rows.of("external_identities")}
        sub = {name: str(known[str(id)]["subject"]) for name, id in self.people.items()}
        issuer, sid = ("iss", "https://issuer.example"), ("sid", "sess_29w9IptNja3mP8GDXkquBwN2qR9")

        def by(name: str, **otherwise: str) -> Identity:
            says = (issuer, ("sub", sub[name]), sid, *otherwise.items())
            return Identity(f"{name}, by another issuer", "authenticated", self.people[name], says=says)

        return (
            replace(by("vera"), welcome="vera"),
            by("sue"),
            replace(by("kim", sub=str(self.people["kim"])), name="kim, known to nobody there", user_id=None),
            replace(by("mia", iss="https://other.example"), name="mia, of some other issuer", user_id=None),
        )

    def named(self, name: str) -> Identity:
        """The one who goes by that name."""
        return next(identity for identity in self.identities if identity.name == name)

    def person(self, name: str) -> Identity:
        """Somebody, by a token that says no more than who they are."""
        welcome = "" if name in SUSPENDED else name
        return Identity(name, "authenticated", self.people[name], welcome=welcome)

    @property
    def clients(self) -> tuple[Identity, ...]:
        """Those who come through the readers: the API has looked at their sessions before."""
        return tuple(
            identity
            for identity in self.identities
            if identity.role in ("authenticated", "anon") and identity.session_id is None and not identity.says
        )

    def put(self, table: str, kind: str = "", /, *, to: Relations, **said: Any) -> UUID:
        """A row, and who is what to it."""
        id = self.rows.add(table, **said)
        self.placed.setdefault(table, []).append(Placed(str(id), kind, to))
        return id

    def row(self, table: str, id: str) -> Row:
        """The row of that id."""
        return next(row for row in self.rows.of(table) if str(row["id"]) == id)


def world() -> World:
    """The marketplace described above."""
    here = World()
    for name in PEOPLE:
        _person(here, name)
    _business(here, people=NORTH, managers=("olga", "max"), performer="vera", customer="ann", written_to="kim")
    _business(here, people=SOUTH, managers=("zed",), performer="zed", customer="bob", written_to="mia")
    _business(here, people=EAST, managers=("sue",), performer="sue", customer="tom", written_to="mia")
    for name in ("ann", "root"):
        _sessions(here, name)
    _sessions(here, "bob")
    _house(here)
    return here


def _sessions(here: World, name: str) -> None:
    to, id = {"self": (name,)}, here.people[name]
    ended = {"revoked_at": MONDAY, "end_reason": "signed_out"}
    for became, said in {
        "signed in": {},
        "signed out": ended,
        "before the end of all": {"epoch": 0},
        "of somebody else": {},
    }.items():
        here.sessions[f"{name}, {became}"] = here.put("sessions", to=to, user_id=id, **said)


def _person(here: World, name: str) -> None:
    role = "admin" if name in ("root", "sam") else "customer"
    suspended = MONDAY if name in SUSPENDED else None
    mine = {"self": (name,)}
    confirmed = MONDAY if name == "kim" else None
    told = {"role": role, "suspended_at": suspended, "email_verified_at": confirmed}
    id = here.people[name] = here.put("users", to=mine, **told)
    here.put("credentials", to=mine, id=id)
    here.put("external_identities", to=mine, user_id=id)
    session = here.sessions[name] = here.put("sessions", to=mine, user_id=id)
    here.put("refresh_tokens", to=mine, session_id=session)
    here.put("one_time_tokens", to=mine, user_id=id)
    here.put("oauth_flows", to=mine)
    here.put("profiles", to=mine, id=id)
    here.put("customers", to=mine, user_id=id)
    here.put("payment_methods", to=mine, user_id=id)
    here.put("purchases", to=mine, user_id=id)
    here.put("notifications", to=mine, user_id=id)
    here.put("mails", to=mine, recipient_id=id)
    stored = {"state": "stored", "size": 1, "sha256": "0" * 64, "found_type": "image/png", "stored_at": MONDAY}
    here.put("files", "public", to=mine, owner_id=id, audience="everybody", **stored)
    here.put("files", "uploading", to=mine, owner_id=id)


def _business(
    here: World, *, people: tuple[str, ...], managers: tuple[str, ...], performer: str, customer: str, written_to: str
) -> None:
    who = here.people
    all_of_it: dict[str, tuple[str, ...]] = {
        "colleague": people,
        "manager": managers,
        "performer": (performer,),
        "customer": (customer,),
        "addressee": ("kim",) if written_to == "kim" else (),
    }
    organization = here.put("organizations", to=all_of_it)
    for name in people:
        role = "member" if name not in managers else "manager" if name == "max" else "owner"
        to = {"self": (name,), "colleague": people}
        here.put("memberships", to=to, organization_id=organization, user_id=who[name], role=role)
    here.put("products", to=all_of_it)
    here.put("prices", to=all_of_it)
    here.put("subscriptions", to=all_of_it, organization_id=organization)
    here.put("external_organizations", to=all_of_it, organization_id=organization)
    here.put("invitations", to=all_of_it, organization_id=organization)
    here.put("onboardings", to=all_of_it, id=organization)
    here.put("balances", to=all_of_it, organization_id=organization)
    payee = here.put("payees", to=all_of_it, organization_id=organization)
    here.put("payouts", to=all_of_it, organization_id=organization, payee_id=payee)
    here.put("audit", to=all_of_it, organization_id=organization)
    here.put("availabilities", to=all_of_it, id=who[performer])
    address = here.row("users", str(who[written_to]))["email"]
    _asked(here, all_of_it, organization=organization, reader=who[customer], address=address)
    belongs = {"organization_id": organization, "provider_id": who[performer]}
    for state in ("draft", "published", "archived"):
        job = here.put("jobs", state, to=all_of_it, state=state, **belongs)
        here.put("ratings", to=all_of_it, id=job, provider_id=who[performer])
    for state in ("published", "hidden"):
        parties = {"customer_id": who[customer], "provider_id": who[performer]}
        booking = here.put("bookings", to=all_of_it, job_id=job, **belongs, customer_id=who[customer])
        for side, author in (("customer", customer), ("provider", performer)):
            about = parties["provider_id" if side == "customer" else "customer_id"]
            told = {"state": state, "side": side, "author_id": who[author], "reviewed_id": about}
            here.put("reviews", state, to=all_of_it, booking_id=booking, job_id=job, **parties, **told)
        money = {"booking": booking, "organization": organization}
        _money(here, all_of_it, **money, customer=who[customer], performer=who[performer])
        _talk(here, booking, customer, performer)


def _money(here: World, to: Relations, *, booking: UUID, organization: UUID, customer: UUID, performer: UUID) -> None:
    of = {"booking_id": booking, "organization_id": organization}
    payment = here.put("payments", to=to, customer_id=customer, **of)
    here.put("refunds", to=to, payment_id=payment, customer_id=customer, **of)
    here.put("disputes", to=to, payment_id=payment, provider_id=performer, **of)
    here.put("fraud_warnings", to=to, payment_id=payment, **of)
    here.put("ledger", to=to, payment_id=payment, **of)
    here.put("webhooks", to=to)
    here.put("reconciliations", to=to)
    here.put("discrepancies", to=to, payment_id=payment)


def _asked(here: World, to: Relations, *, organization: UUID, reader: UUID, address: str) -> None:
    """Quotes and invoices that nobody was shown, and others that left the house."""
    of: dict[str, Any] = {"organization_id": organization}
    here.put("letterheads", to=to, id=organization)
    here.put("quotes", "draft", to=to, **of)
    here.put("invoices", "draft", to=to, **of)
    shown = {**of, "reader_id": reader, "reader_email": address}
    here.put("quotes", "sent", to=to, **shown, state="sent", expires_at=MONDAY)
    paper = here.rows.new_id()
    dates = {"issued_on": MONDAY.date(), "due_on": MONDAY.date()}
    invoice = here.put("invoices", "issued", to=to, **shown, **dates, state="issued", paper_id=paper)
    here.put("papers", to=to, **shown, id=paper, invoice_id=invoice)
    here.put("settlements", to=to, **of, invoice_id=invoice)


def _talk(here: World, booking: UUID, *names: str) -> None:
    to = {"participant": names}
    about = {"kind": "booking", "booking_id": booking, "pair": None}
    conversation = here.put("conversations", to=to, created_by=here.people[names[0]], **about)
    for sequence, name in enumerate(names, 1):
        user_id = here.people[name]
        participant = here.put("participants", to=to, conversation_id=conversation, user_id=user_id)
        said = {"participant_id": participant, "sender_id": user_id, "sequence": sequence}
        here.put("messages", to=to, conversation_id=conversation, **said)
        stored = {"state": "stored", "size": 1, "sha256": "0" * 64, "found_type": "image/png", "stored_at": MONDAY}
        file = {"bucket": "attachments", "owner_id": user_id, "belongs_to": conversation, **stored}
        here.put("files", "attached", to={**to, "self": (name,)}, **file)


def _house(here: World) -> None:
    for name, id in list(here.people.items()):
        mine = {"self": (name,)}
        here.put("outbox", to=mine, actor=f"user:{id}", subject_id=id)
        here.put("receipts", to=mine, principal=f"user:{id}")
        here.put("audit", to=mine, actor=f"user:{id}", subject_id=id)
        here.put("security_events", to=mine, actor=f"user:{id}")
        here.put("moves", to=mine)
        here.put("move_changes", to=mine, source="users", key=str(id))
