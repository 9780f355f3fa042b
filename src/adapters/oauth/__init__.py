"""Google and GitHub vouch for people: OAuth 2 with PKCE, and nothing believed that is not verified."""

from adapters.oauth.github import GitHub
from adapters.oauth.google import Google
from adapters.oauth.keys import ProviderKeys

__all__ = ["GitHub", "Google", "ProviderKeys"]
