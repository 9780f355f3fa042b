"""Everything that can be set, from the environment or `.env`, checked as a whole before anything starts.

Any secret can also be handed over as a file: `STRIPE_SECRET_KEY_FILE=/run/secrets/stripe` for `STRIPE_SECRET_KEY`.
`python -m entrypoints.settings` prints `.env.example`.
"""

from entrypoints.settings.example import env_example
from entrypoints.settings.issuers import FurtherIssuer, IssuerName
from entrypoints.settings.model import Settings
from entrypoints.settings.names import env_name
from entrypoints.settings.rules import Problem, SettingsProblems
from entrypoints.settings.values import DatabaseUrl
from entrypoints.settings.words import (
    ClockName,
    Env,
    FileStore,
    GatewayName,
    IdentityName,
    LogFormat,
    LogLevel,
    MailCarrier,
    PictureHost,
    Storage,
    Tls,
)

__all__ = [
    "ClockName",
    "DatabaseUrl",
    "Env",
    "FileStore",
    "FurtherIssuer",
    "GatewayName",
    "IdentityName",
    "IssuerName",
    "LogFormat",
    "LogLevel",
    "MailCarrier",
    "PictureHost",
    "Problem",
    "Settings",
    "SettingsProblems",
    "Storage",
    "Tls",
    "env_example",
    "env_name",
]
