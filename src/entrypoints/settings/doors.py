"""The settings of the front door: who keeps it, and who vouches for people at it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from entrypoints.settings.values import Lowered, Origins, RolledSecrets
from entrypoints.settings.words import IdentityName


class DoorSettings(BaseModel):
    """Whose accounts people sign in to, by way of whom, and where they are sent afterwards."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    identity: Annotated[IdentityName, Lowered] = IdentityName.LOCAL
    """Who keeps accounts, passwords and sessions. `supabase` is the Auth of the project at SUPABASE_URL."""
    return_origins: Origins = ()
    """Origins of your front ends, separated by commas: where people who sign in by way of others may be sent back."""
    join_by_address: bool = True
    """Whether somebody whom a provider vouches for finds the account that confirmed the same e-mail address; otherwise
    they sign in to it first, and link."""
    google_client_id: str | None = Field(default=None, validation_alias="GOOGLE_CLIENT_ID")
    """The client id of an OAuth client at Google, for signing in with Google."""
    google_client_secret: SecretStr | None = Field(default=None, validation_alias="GOOGLE_CLIENT_SECRET")
    """Its client secret."""
    github_client_id: str | None = Field(default=None, validation_alias="GITHUB_CLIENT_ID")
    """The client id of an OAuth app at GitHub, for signing in with GitHub."""
    github_client_secret: SecretStr | None = Field(default=None, validation_alias="GITHUB_CLIENT_SECRET")
    """Its client secret."""
    supabase_auth_hook_secret: RolledSecrets = Field(default=(), validation_alias="SUPABASE_AUTH_HOOK_SECRET")
    """The secrets of the project's send-email hook, `v1,whsec_...`, several separated by `|` while one is rolled."""
