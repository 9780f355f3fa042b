"""A house that sells plans: the simulated gateway's till, its messages held back until a test lets them come."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from adapters.simulated_gateway import Books, SimulatedBilling, SimulatedVerifier, signed
from application.billing import NewPurchase, OpenCheckout, RefreshCatalog, RequestPurchase
from application.identity import ConsumeMagicLink, Link, Tokens
from application.payments import ReceiveWebhook
from application.ports.mail import Links
from application.reactions import REACTIONS
from domain.billing import Purchase
from domain.payments import WebhookReceived
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor
from domain.shared.ids import OneTimeTokenId
from entrypoints.worker.delivery import Deliver
from tests.application.front_door import FrontDoor

SECRET = "whsec_simulated"


class Quiet:
    """Messages wait until somebody asks for them."""

    def wake(self) -> None:
        """Nothing."""


class TillHouse(FrontDoor):
    """What is bought here comes into being only when the gateway's messages come in, in the order a test chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books(":memory:")
        self.gateway = SimulatedBilling(self.books, Quiet(), clock=self.clock, ids=self.ids, url="http://house.example")
        self.ports |= dict.fromkeys(("catalog", "customer_desk", "till", "subscriptions"), self.gateway)
        self.ports["links"] = Links("http://house.example")
        self.ports["verifiers"] = {"simulated": SimulatedVerifier([SECRET], self.clock)}
        self.ports |= dict.fromkeys(("gateway", "payee_desk", "shares"))

    @classmethod
    async def open(cls) -> "TillHouse":
        """One whose catalog is mirrored."""
        house = cls()
        await house.use(RefreshCatalog)(SYSTEM)
        return house

    @property
    def worker(self) -> Deliver:
        """What billing and its letters do by themselves."""
        ours = ("application.billing", "application.notifications.billing")
        reactions = {
            event: tuple(self.use(each) for each in some if each.__module__.startswith(ours))
            for event, some in REACTIONS.items()
        }
        return Deliver(outbox=self.outbox, reactions=reactions, perform=self.perform, clock=self.clock)

    def owed(self) -> list[str]:
        """The messages the gateway has not sent yet, oldest first; they are taken."""
        rows = self.books.read("select rowid, body from deliveries where delivered_at is null order by rowid")
        self.books._connection.execute("update deliveries set delivered_at = 1")
        return [row["body"] for row in rows]

    async def receive(self, body: str) -> WebhookReceived:
        """This message comes in; nobody has acted on it yet."""
        raw = body.encode()
        headers = {"simulated-signature": signed(raw, SECRET, self.clock.now())}
        webhook = await self.use(ReceiveWebhook)(SYSTEM, "simulated", raw, headers)
        return WebhookReceived(webhook_id=webhook.id)

    async def hear(self, *bodies: str) -> None:
        """These messages come in, and are acted on, one after the other."""
        for body in bodies:
            await self.receive(body)
            await self.worker.all()

    async def buy(self, *, by: Actor = ANONYMOUS, price: str = "team_month_eur", **said: Any) -> Purchase:
        """Somebody goes to the till with a plan."""
        if by is ANONYMOUS:
            said.setdefault("email", "ann@example.com")
        purchase = await self.use(RequestPurchase)(by, NewPurchase(price=price, **said))
        return await self.use(OpenCheckout)(by, purchase.id)

    async def business(self, **said: Any) -> Purchase:
        """A plan that was bought and paid, and its business."""
        purchase = await self.buy(**said)
        await self.gateway.complete(str(purchase.gateway_ref), paid=True)
        await self.hear(*self.owed())
        return purchase

    async def follow_the_letter(self) -> Tokens:
        """The owner opens the letter of welcome and follows its link."""
        (mail,) = [row for row in self.rows("mails") if row["template"] == "business_ready"]
        secret = self.links.secret(OneTimeTokenId(UUID(mail["context"]["token_id"])))
        return await self.use(ConsumeMagicLink)(ANONYMOUS, Link(token=secret))

    def standing(self) -> dict[str, Any]:
        """All that a purchase makes, without what no two runs share."""
        return {
            "users": sorted((row["email"], row["role"]) for row in self.rows("users")),
            "organizations": sorted((row["name"], row["owners"]) for row in self.rows("organizations")),
            "memberships": [row["role"] for row in self.rows("memberships")],
            "subscriptions": sorted((row["state"], row["price_ref"]) for row in self.rows("subscriptions")),
            "purchases": sorted(row["state"] for row in self.rows("purchases")),
            "customers": len(self.rows("customers")),
            "onboardings": len(self.rows("onboardings")),
            "letters": [row["template"] for row in self.rows("mails")],
            "links": len(self.rows("one_time_tokens")),
            "provisioned": self.events().count("purchase.provisioned"),
        }


def renamed(body: str, number: int) -> str:
    """The same message under another id."""
    told = json.loads(body)
    return json.dumps({**told, "id": f"{told['id']}_{number}"})


def told_of(bodies: Sequence[str]) -> list[str]:
    """What the messages are about."""
    return [json.loads(body)["kind"] for body in bodies]
