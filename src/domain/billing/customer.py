"""Who a user is to the gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.shared.aggregate import Aggregate, Event
from domain.shared.errors import Conflict
from domain.shared.ids import CustomerId, UserId


class NoCustomerYet(Conflict):
    """This user is nobody to the gateway yet."""

    code = "billing.no_customer"

    def __init__(self) -> None:
        super().__init__("you are no customer of ours yet; buy something first")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerKnown(Event):
    """The gateway knows a user under this reference."""

    name: ClassVar[str] = "customer.known"
    customer_id: CustomerId
    user_id: UserId
    gateway: str
    gateway_ref: str


@dataclass(eq=False, slots=True, kw_only=True)
class Customer(Aggregate):
    """That a user is a customer of a gateway: one per user and gateway, under one reference. Without a reference it is
    only meant to be: the gateway is asked under our own id, so that asking twice makes one."""

    id: CustomerId
    user_id: UserId
    gateway: str
    gateway_ref: str | None = None
    created_at: datetime

    @classmethod
    def intend(cls, *, id: CustomerId, user_id: UserId, gateway: str, now: datetime) -> "Customer":
        """Meant to be a customer there; the gateway hears of it once this is stored."""
        return cls(id=id, user_id=user_id, gateway=gateway, created_at=now)

    def known_as(self, ref: str) -> None:
        """The gateway's reference; the first one stays."""
        if self.gateway_ref is None:
            self.gateway_ref = ref
            self._record(
                CustomerKnown(customer_id=self.id, user_id=self.user_id, gateway=self.gateway, gateway_ref=ref)
            )
