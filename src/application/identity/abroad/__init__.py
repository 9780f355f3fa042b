"""The front door of a house whose accounts are kept by somebody else.

Each use case here stands in for one of the house's own: called alike, answering alike, refusing alike. Which one a
route gets is decided once, where the house is wired; everything not named here is the same either way.
"""

from collections.abc import Mapping

from application.identity.abroad.accounts import (
    CreateAdminAbroad,
    CreateUserAbroad,
    ListUsersAbroad,
    SignUpAbroad,
    VerifyEmailAbroad,
)
from application.identity.abroad.addresses import RequestAddressChangeAbroad
from application.identity.abroad.banning import BanAbroad, DeleteAbroad, RestoreAbroad
from application.identity.abroad.letters import (
    ForgotPasswordAbroad,
    RequestMagicLinkAbroad,
    ResendVerificationAbroad,
)
from application.identity.abroad.oauth import (
    FinishSignInAbroad,
    LinkProviderAbroad,
    ReturnFromProviderAbroad,
    StartSignInAbroad,
)
from application.identity.abroad.opening import ConsumeMagicLinkAbroad, RefreshSessionAbroad, SignInAbroad
from application.identity.abroad.passwords import ChangePasswordAbroad, ResetPasswordAbroad
from application.identity.abroad.sessions import (
    EndSessionAbroad,
    ListSessionsAbroad,
    SignOutAbroad,
    SignOutEverywhereAbroad,
)
from application.identity.accounts import ResendVerification, SignUp, VerifyEmail
from application.identity.addresses import RequestAddressChange
from application.identity.administration import CreateAdmin, CreateUser, ListUsers
from application.identity.oauth import FinishSignIn, ReturnFromProvider, StartSignIn
from application.identity.opening import ConsumeMagicLink, RefreshSession, RequestMagicLink, SignIn
from application.identity.passwords import ChangePassword, ForgotPassword, ResetPassword
from application.identity.sessions import EndSession, ListSessions, SignOut, SignOutEverywhere
from application.identity.ways_in import LinkProvider

ABROAD: Mapping[type, type] = {
    SignUp: SignUpAbroad,
    VerifyEmail: VerifyEmailAbroad,
    ResendVerification: ResendVerificationAbroad,
    SignIn: SignInAbroad,
    RefreshSession: RefreshSessionAbroad,
    RequestMagicLink: RequestMagicLinkAbroad,
    ConsumeMagicLink: ConsumeMagicLinkAbroad,
    StartSignIn: StartSignInAbroad,
    ReturnFromProvider: ReturnFromProviderAbroad,
    FinishSignIn: FinishSignInAbroad,
    LinkProvider: LinkProviderAbroad,
    ForgotPassword: ForgotPasswordAbroad,
    ResetPassword: ResetPasswordAbroad,
    ChangePassword: ChangePasswordAbroad,
    RequestAddressChange: RequestAddressChangeAbroad,
    SignOut: SignOutAbroad,
    SignOutEverywhere: SignOutEverywhereAbroad,
    ListSessions: ListSessionsAbroad,
    EndSession: EndSessionAbroad,
    CreateUser: CreateUserAbroad,
    CreateAdmin: CreateAdminAbroad,
    ListUsers: ListUsersAbroad,
}
"""The house's own use case, and who does its work when accounts are kept elsewhere."""

__all__ = ["ABROAD", "BanAbroad", "DeleteAbroad", "RestoreAbroad"]
