"""Access tokens of other issuers, verified here: with keys that are fetched rarely and kept whatever happens."""

from adapters.jwt_issuers.accepted import AcceptedTokens
from adapters.jwt_issuers.clerk import ALGORITHMS as OF_CLERK
from adapters.jwt_issuers.clerk import clerk
from adapters.jwt_issuers.fetched import FetchedKeys
from adapters.jwt_issuers.issuer import Issuer
from adapters.jwt_issuers.keys import AnyOfKeys, BadKeySet, Keys, SharedSecret, VerifyingKey
from adapters.jwt_issuers.shape import taken_apart
from adapters.jwt_issuers.supabase import ALGORITHMS as OF_SUPABASE
from adapters.jwt_issuers.supabase import supabase

ALGORITHMS = {"clerk": OF_CLERK, "supabase": OF_SUPABASE}
"""What keys of each kind of issuer sign with."""

__all__ = [
    "ALGORITHMS",
    "AcceptedTokens",
    "AnyOfKeys",
    "BadKeySet",
    "FetchedKeys",
    "Issuer",
    "Keys",
    "SharedSecret",
    "VerifyingKey",
    "clerk",
    "supabase",
    "taken_apart",
]
