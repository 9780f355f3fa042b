"""Letters about accounts that somebody else keeps: they ask, we write in the house's own words and send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.ports.clock import Clock
from application.ports.hooks import AskedLetter, LetterHook, SealedSecrets
from application.ports.ids import Ids
from application.ports.payments import BadSignature, MalformedWebhook, StaleSignature
from application.ports.unit_of_work import Begin, Work
from domain.notifications import Mail, MailAlreadyQueued
from domain.shared.actors import Actor
from domain.shared.errors import Refusal
from domain.shared.ids import MailId


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAskedLetters:
    """Queue the letters that whoever keeps the accounts asks for. The same call again queues nothing more; what makes
    their links work is sealed while it waits."""

    begin: Begin
    clock: Clock
    ids: Ids
    letter_hook: LetterHook
    sealed_secrets: SealedSecrets
    refuses: ClassVar[tuple[type[Refusal], ...]] = (BadSignature, StaleSignature, MalformedWebhook)

    async def __call__(self, actor: Actor, raw: bytes, headers: Mapping[str, str]) -> int:
        asked = self.letter_hook.read(raw, headers)
        try:
            async with self.begin(actor) as work:
                return sum([await self._queue(work, asked.id, letter) for letter in asked.letters])
        except MailAlreadyQueued:
            return 0  # the same call, at the same moment

    async def _queue(self, work: Work, call: str, letter: AskedLetter) -> int:
        transition = f"hook:{call}"
        if await work.mails.first(template=letter.template, transition=transition, to=letter.to):
            return 0
        mail = Mail.queue(
            id=MailId(self.ids.new()),
            template=letter.template,
            transition=transition,
            recipient_id=None,
            to=letter.to,
            context={"sealed": self.sealed_secrets.seal(letter.secret), "expires_at": None, "zone": "UTC"},
            now=self.clock.now(),
        )
        work.mails.add(mail)
        return 1
