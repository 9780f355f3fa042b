"""The text of `.env.example`, made from the settings, so that it cannot lag behind them."""

from enum import StrEnum

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from entrypoints.settings.names import env_name, spelled

_HEADINGS = {
    "env": "The house",
    "host": "The server",
    "storage": "The database",
    "token_issuer": "Identity",
    "hold_minutes": "Bookings",
    "gateway": "Payments",
    "mail": "Mail",
    "files": "Files",
    "supabase_url": "Supabase",
    "identity": "The front door",
    "accept_tokens_of": "Other issuers",
    "log_level": "Logs",
}


def env_example(settings: type[BaseSettings]) -> str:
    """The text of `.env.example`: every setting with its meaning, its choices and its default, commented out."""
    lines = [
        "# Guildhall's settings. Copy this file to .env and uncomment what you change; the environment beats .env.",
        "# A secret may come from a file instead: set its name with _FILE at the end to the file's path.",
    ]
    # What everybody has comes first, then what the settings of a vendor add.
    for field, info in sorted(settings.model_fields.items(), key=lambda one: one[0] not in settings.__annotations__):
        if field in _HEADINGS:
            lines += ["", f"# --- {_HEADINGS[field]} ".ljust(100, "-")]
        lines += ["", *(f"# {line}" for line in (info.description or "").splitlines())]
        if choices := _choices(info):
            lines.append(f"# One of: {choices}.")
        lines.append(f"# {env_name(field)}={spelled(info.get_default(call_default_factory=True, validated_data={}))}")
    return "\n".join(lines) + "\n"


def _choices(info: FieldInfo) -> str:
    if info.annotation is bool:
        return "true, false"
    if isinstance(info.annotation, type) and issubclass(info.annotation, StrEnum):
        return ", ".join(info.annotation)
    return ""
