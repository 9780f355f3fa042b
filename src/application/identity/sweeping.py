"""Forgetting what can no longer be used."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.ports.clock import Clock
from application.ports.criteria import Between, Order
from application.ports.unit_of_work import Begin
from domain.shared.actors import Actor
from domain.shared.errors import Forbidden, Refusal, Unauthenticated

_KEPT = timedelta(days=7)
"""Long enough to look into what happened; a refresh token reused later than that is merely unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetExpiredTokens:
    """Delete links, refresh tokens and sign-ins under way that expired a week ago, some at a time; returns how many."""

    begin: Begin
    clock: Clock
    batch: int = 200
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated, Forbidden)

    async def __call__(self, actor: Actor) -> int:
        actor.must_be_admin()
        long_gone, oldest = Between(None, self.clock.now() - _KEPT), Order("expires_at")
        async with self.begin(actor) as work:
            links = await work.one_time_tokens.find(expires_at=long_gone, order=oldest, limit=self.batch)
            tokens = await work.refresh_tokens.find(expires_at=long_gone, order=oldest, limit=self.batch)
            flows = await work.oauth_flows.find(expires_at=long_gone, order=oldest, limit=self.batch)
            for flow in flows:
                work.oauth_flows.remove(flow)
            for link in links:
                work.one_time_tokens.remove(link)
            for token in tokens:
                work.refresh_tokens.remove(token)
        return len(links) + len(tokens) + len(flows)
