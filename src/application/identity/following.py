"""Following: what an issuer writes of its people is done here too, in whatever order and however often it is told."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from application.identity.belonging import Belonging
from application.identity.foreigners import enter, keep_in_step
from application.ports.clock import Clock
from application.ports.identity import IdentityNews, NewsReader
from application.ports.ids import Ids
from application.ports.payments import MalformedWebhook
from application.ports.unit_of_work import Begin, Work
from domain.identity import EmailTaken, IdentityRules, IdentityTaken
from domain.organizations import AlreadyMember
from domain.payments import Outcome, Topic, Webhook, WebhookReceived
from domain.shared.actors import Actor

Verdict = tuple[Outcome, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowIssuer:
    """Keep people and organizations as their issuer says they are: who is new becomes a user, who has gone has no
    access any more, and who belongs together there does so here. The effect and the mark that the message was
    processed are one commit."""

    begin: Begin
    clock: Clock
    ids: Ids
    identity_rules: IdentityRules
    news_readers: Mapping[str, NewsReader]

    async def __call__(self, actor: Actor, event: WebhookReceived) -> None:
        # A first token, a sign-up or an invitation of theirs at the same moment: the second run finds what that made.
        with suppress(IdentityTaken, EmailTaken, AlreadyMember):
            await self._follow(actor, event)
            return
        await self._follow(actor, event)

    async def _follow(self, actor: Actor, event: WebhookReceived) -> None:
        async with self.begin(actor) as work:
            webhook = await work.webhooks.get(event.webhook_id)
            if webhook.is_processed or webhook.topic is not Topic.PEOPLE:
                return
            outcome, note = await self._act(work, webhook)
            webhook.process(outcome, note=note, now=self.clock.now())

    async def _act(self, work: Work, webhook: Webhook) -> Verdict:
        reader = self.news_readers.get(webhook.sender)
        if reader is None:
            return Outcome.IGNORED, f"{webhook.sender} is no issuer we accept any more"
        try:
            news = reader.read(webhook.kind, webhook.payload)
        except MalformedWebhook as odd:
            return Outcome.ATTENTION, odd.message
        if news is None:
            return Outcome.IGNORED, "not about a person or an organization"
        if not isinstance(news, IdentityNews):
            belonging = Belonging(work, rules=self.identity_rules, ids=self.ids, now=self.clock.now())
            return Outcome.SETTLED, await belonging.follow(news)
        return await self._act_on(work, news)

    async def _act_on(self, work: Work, news: IdentityNews) -> Verdict:
        now = self.clock.now()
        identity = await work.external_identities.first(issuer=news.issuer, subject=news.subject)
        if identity is None:
            # Also for who has gone: what was said of them before may arrive later, and must find that they have.
            identity = await enter(work, news, rules=self.identity_rules, ids=self.ids, now=now)
        if news.gone:
            identity.end(now=now)
            return Outcome.SETTLED, "access ended"
        if identity.ended:
            return Outcome.SETTLED, "access has ended before"
        await keep_in_step(work, identity, news, now=now, at=news.told_at)
        return Outcome.SETTLED, ""
