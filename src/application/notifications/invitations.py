"""News about invitations: the letter itself, and what whoever wrote it hears of the answer."""

from dataclasses import dataclass

from application.notifications.writing import Desk, name_of, zone_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import Begin
from domain.notifications import Template
from domain.organizations import InvitationAccepted, InvitationDeclined, InvitationSent, InvitationState
from domain.shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MailInvitation:
    """An invitation goes to its address. The mail keeps the invitation's id; the link itself is made on sending."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: InvitationSent) -> None:
        async with self.begin(actor) as work:
            invitation = await work.invitations.get(event.invitation_id)
            if invitation.state is not InvitationState.PENDING:
                return
            organization = await work.organizations.get(invitation.organization_id)
            known = await work.users.first(email=invitation.email)
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            await desk.letter(
                invitation.email,
                Template.INVITATION,
                recipient_id=known.id if known else None,
                transition=f"invitation:{invitation.id}:sent",
                context={
                    "token_id": str(invitation.id),
                    "organization": organization.name,
                    "role": invitation.role.value,
                    "expires_at": invitation.expires_at.isoformat(),
                    "zone": await zone_of(work, known.id) if known else "UTC",
                },
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfInvitation:
    """Whoever invited somebody hears whether they joined."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, actor: Actor, event: InvitationAccepted | InvitationDeclined) -> None:
        if event.invited_by is None:
            return
        async with self.begin(actor) as work:
            invitation = await work.invitations.get(event.invitation_id)
            organization = await work.organizations.get(event.organization_id)
            if isinstance(event, InvitationAccepted):
                title, body = "Invitation accepted", f"{await name_of(work, event.user_id)} joined {organization.name}."
            else:
                title, body = "Invitation declined", f"{invitation.email} does not join {organization.name}."
            desk = Desk(work=work, ids=self.ids, now=self.clock.now())
            desk.notify(event.invited_by, kind=event.name, title=title, body=body, about=event.organization_id)
