"""A gateway with bad days: it does not answer, or does not act, or lets something else happen first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from application.ports.payments import (
    CaptureOrder,
    GatewaySilent,
    GatewayUnavailable,
    OpenOrder,
    PaymentGateway,
    RefundOrder,
)
from domain.payments import GatewayPayment, GatewayRefund, RefundState

T = TypeVar("T")

DOWN, SILENT, LOST, PENDING = "down", "silent", "lost", "pending"
"""Unreachable; acted but did not answer; neither acted nor answered; says that a refund takes days."""


@dataclass(slots=True)
class MoodyGateway(PaymentGateway):
    """`moods` are used up one per request; `first` runs once, while the next request is under way."""

    good: PaymentGateway
    moods: list[str] = field(default_factory=list)
    first: Callable[[], Awaitable[Any]] | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.good.name

    async def open(self, order: OpenOrder) -> GatewayPayment:
        return await self._ask("open", lambda: self.good.open(order))

    async def find(self, ref: str) -> GatewayPayment:
        return await self._ask("find", lambda: self.good.find(ref))

    async def capture(self, order: CaptureOrder) -> GatewayPayment:
        return await self._ask("capture", lambda: self.good.capture(order))

    async def cancel(self, ref: str) -> GatewayPayment:
        return await self._ask("cancel", lambda: self.good.cancel(ref))

    async def refund(self, order: RefundOrder) -> GatewayRefund:
        return await self._ask("refund", lambda: self.good.refund(order))

    async def find_refund(self, ref: str) -> GatewayRefund:
        return await self._ask("find_refund", lambda: self.good.find_refund(ref))

    async def _ask(self, what: str, ask: Callable[[], Awaitable[T]]) -> T:
        self.asked.append(what)
        if first := self.first:
            self.first = None
            await first()
        match self.moods.pop(0) if self.moods else "":
            case "down":
                raise GatewayUnavailable("the gateway is down")
            case "lost":
                raise GatewaySilent("no answer")
            case "silent":
                await ask()
                raise GatewaySilent("no answer")
            case "pending":
                answer: Any = await ask()
                return replace(answer, state=RefundState.PENDING)  # type: ignore[no-any-return]
        return await ask()
