"""Customers of the gateway: who a user is there, got or made, once."""

from dataclasses import dataclass
from typing import ClassVar

from application.ports.billing import Catalog, CustomerDesk, CustomerOrder
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.mail import Links
from application.ports.payments import Declined, GatewaySilent, GatewayUnavailable
from application.ports.unit_of_work import Begin
from domain.billing import Customer, NoCustomerYet
from domain.shared.actors import Actor
from domain.shared.errors import NotFound, Refusal, Unauthenticated
from domain.shared.ids import CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class BecomeCustomer:
    """Be a customer of the gateway: got if you are one, meant to be one if not. However often and at once it is asked,
    there is one."""

    begin: Begin
    clock: Clock
    ids: Ids
    catalog: Catalog
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(self, actor: Actor) -> Customer:
        user_id, gateway = actor.signed_in(), self.catalog.name
        async with self.begin(actor) as work:
            customer = await work.customers.first(user_id=user_id, gateway=gateway)
            if customer is None:
                # Of two at once one is refused by the store, runs again, and finds the other's.
                customer = Customer.intend(
                    id=CustomerId(self.ids.new()), user_id=user_id, gateway=gateway, now=self.clock.now()
                )
                work.customers.add(customer)
            return work.answer(customer)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetCustomer:
    """Let the gateway know a customer, under our own id, so that asking twice, today or after a crash, makes one."""

    begin: Begin
    customer_desk: CustomerDesk
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, Declined, GatewaySilent, GatewayUnavailable)

    async def __call__(self, actor: Actor, customer_id: CustomerId) -> Customer:
        async with self.begin(actor) as work:
            customer = await work.customers.get(customer_id)
            if customer.gateway_ref is not None:
                return customer
            user = await work.users.get(customer.user_id)
            profile = await work.profiles.first(id=customer.user_id)
        ref = await self.customer_desk.enrol(
            CustomerOrder(
                customer_id=customer.id,
                user_id=customer.user_id,
                email=user.email or "",
                name=profile.name if profile else "",
            )
        )
        async with self.begin(actor) as work:
            customer = await work.customers.get(customer_id)
            customer.known_as(ref)
            return work.answer(customer)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPortal:
    """An address, good for a short while, where you change your card and your plan at the gateway."""

    begin: Begin
    catalog: Catalog
    customer_desk: CustomerDesk
    links: Links
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, NoCustomerYet, NotFound, GatewayUnavailable)

    async def __call__(self, actor: Actor) -> str:
        async with self.begin(actor) as work:
            customer = await work.customers.first(user_id=actor.signed_in(), gateway=self.catalog.name)
        if customer is None or customer.gateway_ref is None:
            raise NoCustomerYet
        return await self.customer_desk.portal(customer.gateway_ref, return_url=self.links.home)
