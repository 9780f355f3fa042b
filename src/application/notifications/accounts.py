"""News about somebody's account. These letters may reach people who never asked for anything, so they say nothing that
whoever filled in the form could have chosen: no name, no words of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

from application.notifications.writing import Desk, zone_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.identity import EmailChanged, OneTimeTokenIssued, PasswordChanged, Purpose, SignUpRepeated, UserSignedUp
from domain.notifications import Template
from domain.shared.actors import Actor

LETTERS: Mapping[Purpose, Template] = {
    Purpose.VERIFY_EMAIL: Template.VERIFY,
    Purpose.MAGIC_LINK: Template.MAGIC_LINK,
    Purpose.RESET_PASSWORD: Template.RESET_PASSWORD,
    Purpose.CHANGE_EMAIL: Template.ADDRESS_CHANGE,
}
"""The letter that carries each kind of link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeUser:
    """A new user is made welcome, by mail and on the first screen."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: UserSignedUp) -> None:
        async with self.begin(actor) as work:
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            desk.notify(
                event.user_id, kind=event.name, title="Welcome", body="Your account is ready.", about=event.user_id
            )
            transition = f"user:{event.user_id}:signed_up"
            await desk.mail(event.user_id, Template.WELCOME, transition=transition, context={"role": event.role.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTokenMail:
    """A link that works once goes to its user, one that changes their address to the new one. The mail keeps the
    token's id; the link itself is made on sending."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: OneTimeTokenIssued) -> None:
        async with self.begin(actor) as work:
            token = await work.one_time_tokens.get(event.token_id)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            user = await work.users.get(event.user_id)
            if (to := token.address or user.email) is None:
                return
            await desk.letter(
                to,
                LETTERS[event.purpose],
                recipient_id=event.user_id,
                transition=f"one_time_token:{event.token_id}:issued",
                context={
                    "token_id": str(event.token_id),
                    "expires_at": token.expires_at.isoformat(),
                    "zone": await zone_of(work, event.user_id),
                },
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfRepeatedSignUp:
    """The owner of an address hears that somebody tried to sign up with it; once a day, however often it is tried."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: SignUpRepeated) -> None:
        async with self.begin(actor) as work:
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            transition = f"user:{event.user_id}:sign_up_repeated:{desk.now:%Y-%m-%d}"
            await desk.mail(event.user_id, Template.ACCOUNT_EXISTS, transition=transition, context={})


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfPasswordChange:
    """Whoever's password was changed hears of it, so that they can take the account back if it was not them."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: PasswordChanged) -> None:
        async with self.begin(actor) as work:
            changed_at = (await work.credentials.get(event.user_id)).changed_at.isoformat()
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            title, body = "Your password was changed", "Was it not you? Choose a new one at once."
            desk.notify(event.user_id, kind=event.name, title=title, body=body, about=event.user_id)
            context = {"changed_at": changed_at, "zone": await zone_of(work, event.user_id)}
            transition = f"user:{event.user_id}:password_changed:{changed_at}"
            await desk.mail(event.user_id, Template.PASSWORD_CHANGED, transition=transition, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfAddressChange:
    """The address somebody was reached at before hears that it no longer is: whoever reads it may not have asked."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: EmailChanged) -> None:
        async with self.begin(actor) as work:
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            title, body = "Your address was changed", "Was it not you? Tell whoever looks after this house."
            desk.notify(event.user_id, kind=event.name, title=title, body=body, about=event.user_id)
            await desk.letter(
                event.before,
                Template.ADDRESS_CHANGED,
                recipient_id=event.user_id,
                transition=f"user:{event.user_id}:email_changed:{event.email}",
                context={"zone": await zone_of(work, event.user_id), "changed_at": desk.now.isoformat()},
            )
