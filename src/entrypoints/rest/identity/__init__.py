"""Who somebody is and how they prove it: accounts, sessions, passwords, mailed links, and the keys of tokens."""

from entrypoints.rest.identity.accounts import users
from entrypoints.rest.identity.identities import identities
from entrypoints.rest.identity.keys import keys
from entrypoints.rest.identity.links import addresses, magic_links, passwords
from entrypoints.rest.identity.sessions import sessions
from entrypoints.rest.identity.sign_ins import sign_ins

__all__ = ["addresses", "identities", "keys", "magic_links", "passwords", "sessions", "sign_ins", "users"]
