"""`guildhall audit`: who did what, and whether the trail is whole."""

from typing import TYPE_CHECKING

import typer

from application.audit import AuditReport, ListAudit, VerifyAudit
from domain.shared.actors import Actor
from entrypoints.cli.commands import Group, said_by
from entrypoints.cli.desk import As, Json, desk_of

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

group = Group("Audit: who did what, and whether the trail is whole.")
app = group.app

group.lists(
    "list",
    ListAudit,
    "at",
    "actor",
    "action",
    ("subject", lambda entry: f"{entry.subject_table} {entry.subject_id}"),
    "position",
    helps={
        "subject_table": "Only about rows of this table.",
        "subject_id": "Only about the thing of this id.",
        "since": "Only what was done then or later.",
        "actor": 'Only by this one, such as "user:<id>", "system" or "operator:<name>".',
        "action": 'Only this, such as "booking.confirmed".',
        "until": "Only what was done earlier than that.",
    },
    examples=("guildhall audit list --action booking.confirmed", "guildhall audit list --subject-id ID"),
)


@app.command("verify", help=f"{said_by(VerifyAudit)} Exits with 1 when it does not hold.")
def verify(ctx: typer.Context, as_: As = None, json_: Json = False) -> None:
    desk = desk_of(ctx, json=json_, acting_as=as_)

    async def verified(house: "OpenHouse", actor: Actor) -> AuditReport:
        return await house.use(VerifyAudit)(actor)

    with desk.busy("Walking the chain"):
        report = desk.ask(verified)
    broken = report.first_break
    desk.show(
        {
            "holds": report.holds,
            "verified": report.verified.position,
            "head": report.verified.hash,
            "first_break": broken and {"position": broken.position, "fault": broken.fault},
            "waiting_since": report.waiting_since,
        }
    )
    if not report.holds:
        raise typer.Exit(1)
