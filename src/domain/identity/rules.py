"""The numbers of signing in, in one value, so that a house can choose its own."""

from dataclasses import dataclass, field
from datetime import timedelta

from domain.identity.credentials import PasswordPolicy
from domain.identity.links import Purpose
from domain.identity.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRules:
    """How long things last and how often they may be asked for. `verified_to_sign_in` says whether an address must be
    confirmed before its owner can sign in: with False, signing up and then in tells whether the address was taken.
    `joins_by_address` says whether somebody whom a provider vouches for finds the account that confirmed the same
    address; with False they sign in to it first, and link.
    `tokens_join_by_address` says whether somebody new, by a token of another issuer, joins the account that has the
    same address, where both sides have confirmed it."""

    passwords: PasswordPolicy = field(default_factory=PasswordPolicy)
    refresh_lifetime: timedelta = timedelta(days=30)
    reuse_grace: timedelta = timedelta(seconds=10)
    verification_lifetime: timedelta = timedelta(days=3)
    magic_link_lifetime: timedelta = timedelta(minutes=15)
    reset_lifetime: timedelta = timedelta(hours=1)
    letters_an_hour: int = 5
    verified_to_sign_in: bool = True
    joins_by_address: bool = True
    tokens_join_by_address: bool = False

    def lifetime(self, purpose: Purpose) -> timedelta:
        """How long a link of that purpose works."""
        match purpose:
            case Purpose.VERIFY_EMAIL | Purpose.CHANGE_EMAIL:
                return self.verification_lifetime
            case Purpose.MAGIC_LINK:
                return self.magic_link_lifetime
            case Purpose.RESET_PASSWORD:
                return self.reset_lifetime

    def admits(self, user: User) -> bool:
        """Whether this user's password is enough to sign in."""
        return user.verified or not self.verified_to_sign_in

    def sends(self, user: User, purpose: Purpose, *, lately: int) -> bool:
        """Whether this user is sent such a link, having been sent `lately` of them within the hour."""
        wanted = purpose is not Purpose.VERIFY_EMAIL or not user.verified
        return wanted and not user.suspended and lately < self.letters_an_hour
