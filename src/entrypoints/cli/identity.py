"""`guildhall user`: people, and what they are to the marketplace."""

from application.identity import (
    ChangeRole,
    CreateAdmin,
    CreateUser,
    DeleteUser,
    GetUser,
    ListUsers,
    RestoreUser,
    SuspendUser,
    UserView,
)
from entrypoints.cli.commands import Group

group = Group("Users: people, and what they are to the marketplace.")
app = group.app

group.lists(
    "list",
    ListUsers,
    "id",
    "email",
    "role",
    ("verified", lambda user: user.email_verified_at is not None),
    ("suspended", lambda user: user.suspended_at is not None),
    "created_at",
    examples=("guildhall user list --role provider", "guildhall user list --email ana@town.example --json"),
)
group.asks("show", GetUser, examples=("guildhall user show ana@town.example",))
group.does(
    "create-admin",
    CreateAdmin,
    UserView,
    secret="password",  # noqa: S106 - the name of a field
    examples=("guildhall user create-admin --email ada@town.example --name Ada",),
)
group.does(
    "create",
    CreateUser,
    UserView,
    secret="password",  # noqa: S106
    examples=("guildhall user create --email rosa@town.example --name Rosa --role provider --zone Europe/Lisbon",),
)
group.does(
    "suspend",
    SuspendUser,
    UserView,
    examples=('guildhall user suspend ana@town.example --reason "charged back twice"',),
)
group.does("restore", RestoreUser, UserView)
group.does("delete", DeleteUser, examples=("guildhall user delete ana@town.example",))
group.does("role", ChangeRole, UserView, examples=("guildhall user role ana@town.example --role provider",))
