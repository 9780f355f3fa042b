"""Who somebody is, and how they prove it: accounts, sessions, passwords, links by mail, and who looks after users."""

from application.identity.accounts import Account, ResendVerification, SignUp, SignUpForm, VerifyEmail, WhoAmI
from application.identity.administration import (
    ChangeRole,
    CreateAdmin,
    CreateUser,
    GetUser,
    ListUsers,
    NewAdmin,
    NewRole,
    NewUser,
    OperatorsOnly,
    RestoreUser,
    SuspendUser,
    Suspension,
    UserFilter,
    UserView,
)
from application.identity.following import FollowIssuer
from application.identity.letters import Address, Link
from application.identity.linking import ForeignToken, LinkIdentity
from application.identity.opening import (
    ConsumeMagicLink,
    PasswordSignIn,
    RefreshSession,
    Renewal,
    RequestMagicLink,
    SignIn,
    Tokens,
)
from application.identity.passwords import ChangePassword, ForgotPassword, NewPassword, PasswordChange, ResetPassword
from application.identity.sessions import (
    Authenticate,
    EndSession,
    ListSessions,
    SessionView,
    SignOut,
    SignOutEverywhere,
)
from application.identity.sweeping import ForgetExpiredTokens

__all__ = [
    "Account",
    "Address",
    "Authenticate",
    "ChangePassword",
    "ChangeRole",
    "ConsumeMagicLink",
    "CreateAdmin",
    "CreateUser",
    "EndSession",
    "FollowIssuer",
    "ForeignToken",
    "ForgetExpiredTokens",
    "ForgotPassword",
    "GetUser",
    "Link",
    "LinkIdentity",
    "ListSessions",
    "ListUsers",
    "NewAdmin",
    "NewPassword",
    "NewRole",
    "NewUser",
    "OperatorsOnly",
    "PasswordChange",
    "PasswordSignIn",
    "RefreshSession",
    "Renewal",
    "RequestMagicLink",
    "ResendVerification",
    "ResetPassword",
    "RestoreUser",
    "SessionView",
    "SignIn",
    "SignOut",
    "SignOutEverywhere",
    "SignUp",
    "SignUpForm",
    "SuspendUser",
    "Suspension",
    "Tokens",
    "UserFilter",
    "UserView",
    "VerifyEmail",
    "WhoAmI",
]
