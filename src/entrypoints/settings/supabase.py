"""The settings of a Supabase project, read by whatever part of it is used."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from entrypoints.settings.values import WebAddress


class SupabaseSettings(BaseModel):
    """Where the project is, and its keys."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    supabase_url: WebAddress | None = Field(default=None, validation_alias="SUPABASE_URL")
    """The address of a Supabase project, `https://<ref>.supabase.co`."""
    supabase_publishable_key: str | None = Field(
        default=None, validation_alias=AliasChoices("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY")
    )
    """Its publishable key, `sb_publishable_...`, or the older `anon` key (also as SUPABASE_ANON_KEY)."""
    supabase_secret_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SERVICE_ROLE"),
    )
    """Its secret key, `sb_secret_...`, or the older `service_role` key (also as SUPABASE_SERVICE_ROLE_KEY)."""
    supabase_jwt_secret: SecretStr | None = Field(default=None, validation_alias="SUPABASE_JWT_SECRET")
    """The secret its tokens were signed with before it had signing keys, if it still has one."""
    supabase_signing_key: SecretStr | None = Field(default=None, validation_alias="SUPABASE_SIGNING_KEY")
    """A private signing key that was imported into it, as a JWK (ES256 or RS256): instead of the secret."""
