"""Identity of the house's own making: argon2id passwords, ES256 access tokens, derived secrets."""

from adapters.local_identity.elsewhere import NoAccounts, NobodyAsks, NoSessions, NoUsers
from adapters.local_identity.keyring import FixedKeyring, KeptKeyring, Keyring, KeyringUnusable, SigningKey
from adapters.local_identity.passwords import HashCost, LocalPasswords
from adapters.local_identity.sealing import HouseSeal
from adapters.local_identity.secrets import DerivedFlowSecrets, DerivedOneTimeSecrets, DerivedRefreshSecrets
from adapters.local_identity.tokens import LocalAccessTokens

__all__ = [
    "DerivedFlowSecrets",
    "DerivedOneTimeSecrets",
    "DerivedRefreshSecrets",
    "FixedKeyring",
    "HashCost",
    "HouseSeal",
    "KeptKeyring",
    "Keyring",
    "KeyringUnusable",
    "LocalAccessTokens",
    "LocalPasswords",
    "NoAccounts",
    "NoSessions",
    "NoUsers",
    "NobodyAsks",
    "SigningKey",
]
