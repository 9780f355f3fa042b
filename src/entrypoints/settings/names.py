"""How settings are called outside, and how their values are spelled there."""

PREFIX = "GUILDHALL_"
WELL_KNOWN = frozenset(
    "DATABASE_URL DATABASE_APP_URL "
    "STRIPE_SECRET_KEY STRIPE_PUBLISHABLE_KEY STRIPE_WEBHOOK_SECRET STRIPE_API_BASE "
    "SUPABASE_URL SUPABASE_PUBLISHABLE_KEY SUPABASE_SECRET_KEY SUPABASE_JWT_SECRET SUPABASE_SIGNING_KEY "
    "SUPABASE_AUTH_HOOK_SECRET CLERK_ISSUER CLERK_PUBLISHABLE_KEY CLERK_AUTHORIZED_PARTIES CLERK_WEBHOOK_SECRET "
    "CLOUDINARY_CLOUD_NAME CLOUDINARY_API_KEY CLOUDINARY_API_SECRET "
    "GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET GITHUB_CLIENT_ID GITHUB_CLIENT_SECRET".split()
)
"""Names that platforms and vendors already use; every other one carries our prefix."""
SECRET = frozenset(
    "secret smtp_password database_url database_app_url stripe_secret_key stripe_webhook_secret "
    "supabase_secret_key supabase_jwt_secret supabase_signing_key supabase_auth_hook_secret clerk_webhook_secret "
    "further_issuers s3_secret_access_key cloudinary_api_secret google_client_secret github_client_secret".split()
)
"""Fields that are never shown, and may lie in a file."""


def env_name(field: str) -> str:
    """The name of a setting in the environment."""
    name = field.upper()
    return name if name in WELL_KNOWN else f"{PREFIX}{name}"


def spelled(value: object) -> str:
    """A value as one would write it in the environment."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(map(spelled, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
