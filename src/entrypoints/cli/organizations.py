"""`guildhall organization`: who offers work together."""

from application.organizations import (
    AddMember,
    ChangeMemberRole,
    CompleteOnboarding,
    CreateOrganization,
    EquipOrganization,
    GetOnboarding,
    GetOrganization,
    InvitationView,
    InviteMember,
    ListActivity,
    ListInvitations,
    ListMembers,
    ListProfessions,
    MyOrganizations,
    OrganizationView,
    RemoveMember,
    RenameOrganization,
    RevokeInvitation,
    SaveOnboarding,
)
from entrypoints.cli.commands import Group

group = Group("Organizations: who offers work together.")
app = group.app

group.lists(
    "list",
    MyOrganizations,
    "organization_id",
    "organization_name",
    "role",
    "solo",
    examples=("guildhall organization list --as rosa@town.example",),
)
group.asks("show", GetOrganization)
group.does(
    "create",
    CreateOrganization,
    OrganizationView,
    examples=('guildhall organization create --as rosa@town.example --name "Potters & Sons"',),
)
group.does("rename", RenameOrganization, OrganizationView)
group.lists("members", ListMembers, "user_id", "name", "role", "created_at")
group.does("add-member", AddMember)
group.does("role", ChangeMemberRole)
group.does("remove-member", RemoveMember)
group.does(
    "invite",
    InviteMember,
    InvitationView,
    examples=("guildhall organization invite ID --email mia@town.example --role manager",),
)
group.lists("invitations", ListInvitations, "id", "email", "role", "state", "expires_at")
group.does("revoke", RevokeInvitation, InvitationView)
group.asks("professions", ListProfessions)
group.does(
    "equip",
    EquipOrganization,
    OrganizationView,
    examples=("guildhall organization equip ID --profession tutor --as rosa@town.example",),
)
group.asks("onboarding", GetOnboarding)
group.does(
    "answer",
    SaveOnboarding,
    examples=("""guildhall organization answer ID --profession '{"profession": "tutor", "currency": "EUR"}'""",),
)
group.does("set-up", CompleteOnboarding)
group.lists(
    "activity",
    ListActivity,
    "at",
    "actor",
    "action",
    "subject_table",
    "subject_id",
    helps={"since": "From then on.", "until": "Until then."},
)
