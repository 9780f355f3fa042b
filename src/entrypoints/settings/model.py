"""The settings themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ModelWrapValidatorHandler, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from entrypoints.settings.doors import DoorSettings
from entrypoints.settings.files import SecretFiles
from entrypoints.settings.issuers import IssuerSettings
from entrypoints.settings.names import PREFIX, SECRET, env_name, spelled
from entrypoints.settings.objects import FileSettings
from entrypoints.settings.rules import Problem, SettingsProblems, contradictions
from entrypoints.settings.supabase import SupabaseSettings
from entrypoints.settings.values import (
    LOCAL,
    Database,
    Lowered,
    Networks,
    Origins,
    Secrets,
    Text,
    WebAddress,
    own_address,
)
from entrypoints.settings.words import (
    ClockName,
    Env,
    FeeOnRefund,
    GatewayName,
    LogFormat,
    LogLevel,
    MailCarrier,
    Storage,
    Tls,
)


class Settings(FileSettings, SupabaseSettings, IssuerSettings, DoorSettings, BaseSettings):
    """Everything that can be set. Making one reads the environment and `.env`, and raises `SettingsProblems`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    env: Annotated[Env, Lowered] = Env.DEVELOPMENT
    """What this instance is for. `production` refuses every unsafe setting."""
    demo: bool = False
    """Fill an empty store with a demo town, and print the logins of its people."""
    data_dir: Path = Path(".guildhall")
    """The folder of the embedded database, files, mail and keys."""
    clock: Annotated[ClockName, Lowered] = ClockName.SYSTEM
    """Whose present it is. `movable` lets an operator of a demo or test move time."""
    secret: SecretStr = SecretStr("")
    """What sessions, mailed links and cursors are signed with: 32 characters or more, the same for every process.
    In development one is made up and kept in the data folder."""

    host: Text = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for every interface."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port to listen on."""
    public_url: WebAddress = Field(default_factory=own_address)
    """The address people reach this instance at: the beginning of every link in mails and pages."""
    trusted_proxies: Networks = ("127.0.0.1/32", "::1/128")
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas."""
    cors_origins: Origins = ()
    """Origins whose pages may call the API, separated by commas; `*` for all of them, not in production."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 1_048_576
    """The largest request body that is read."""
    rate_limits: bool = True
    """Whether callers that ask too fast are told to wait."""
    drain_seconds: Annotated[int, Field(ge=0, le=600)] = 20
    """How long work in flight may take to finish when the process is told to stop."""

    storage: Annotated[Storage, Lowered] = Storage.POSTGRES
    """Where rows live: in a PostgreSQL, in a Supabase project over HTTP, or in `memory`, which forgets everything on
    exit."""
    database_url: Database | None = Field(default=None, validation_alias="DATABASE_URL")
    """The owner's address of a PostgreSQL 15 or newer, for migrations; without it an embedded one is run. With the
    supabase storage it is optional, and only migrates."""
    database_app_url: Database | None = Field(default=None, validation_alias="DATABASE_APP_URL")
    """The address of the login everything but migrations uses; without it the owner's is used, which `doctor` minds."""
    pool_commits: Annotated[int, Field(ge=1, le=100)] = 4
    """Database connections for commands, per process."""
    pool_public: Annotated[int, Field(ge=1, le=100)] = 4
    """Database connections for reads of anybody, per process."""
    pool_users: Annotated[int, Field(ge=1, le=100)] = 4
    """Database connections for reads on behalf of a user, per process."""

    token_issuer: Text = "guildhall"  # noqa: S105 - a name, not a token
    """The `iss` of the access tokens."""
    access_token_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    """How long an access token is good for."""
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long a session lasts without being used."""
    argon2_time_cost: Annotated[int, Field(ge=1, le=20)] = 2
    """Passes over memory when a password is hashed."""
    argon2_memory_kib: Annotated[int, Field(ge=8, le=2**21)] = 19_456
    """Memory a password hash takes, in KiB."""
    argon2_lanes: Annotated[int, Field(ge=1, le=16)] = 1
    """Parallel lanes of a password hash."""
    argon2_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """How many passwords one process hashes at the same time; others wait."""

    hold_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """How long a slot is held for a customer who has yet to pay."""

    gateway: Annotated[GatewayName, Lowered] = GatewayName.TEST
    """Who moves money. `test` moves none, and takes test cards."""
    stripe_secret_key: SecretStr | None = Field(default=None, validation_alias="STRIPE_SECRET_KEY")
    """Stripe's secret key, `sk_test_...`; `sk_live_...` in production, and only there."""
    stripe_publishable_key: str | None = Field(default=None, validation_alias="STRIPE_PUBLISHABLE_KEY")
    """Stripe's publishable key for the payment page, `pk_test_...` or `pk_live_...`."""
    stripe_webhook_secret: Secrets = Field(default=(), validation_alias="STRIPE_WEBHOOK_SECRET")
    """The signing secrets of the webhook endpoint, `whsec_...`, separated by commas while one is being rolled."""
    stripe_api_base: WebAddress | None = Field(default=None, validation_alias="STRIPE_API_BASE")
    """Where Stripe's API is reached, if not at Stripe: a stand-in for tests."""
    webhook_tolerance_seconds: Annotated[int, Field(ge=1, le=3600)] = 300
    """How old a webhook's signature may be."""
    reconcile_daily: bool = True
    """Whether the worker holds each day's payments against the gateway's books once it has ended."""

    connect: bool = False
    """Whether organizations may have accounts of their own at the gateway (Stripe Connect) that payments go to."""
    fee_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 0
    """What the platform keeps of such a payment, in hundredths of a percent, unless the organization's plan says
    otherwise (`limit_fee_basis_points` in its product's metadata)."""
    fee_on_refund: Annotated[FeeOnRefund, Lowered] = FeeOnRefund.IN_PROPORTION
    """What becomes of that when the customer is paid back: it goes back `in_proportion`, or is `kept`."""

    mail: Annotated[MailCarrier, Lowered] = MailCarrier.FOLDER
    """Where mail goes. `folder` writes .eml files into the data folder."""
    mail_from: Text = LOCAL
    """The sender of every mail."""
    smtp_host: Text | None = None
    """The mail server."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    """The mail server's port."""
    smtp_user: Text | None = None
    """The login at the mail server, if it wants one."""
    smtp_password: SecretStr | None = None
    """The password at the mail server."""
    smtp_tls: Annotated[Tls, Lowered] = Tls.STARTTLS
    """How the connection is encrypted: `starttls` (port 587), `tls` (port 465), or `none` (same machine only)."""

    log_level: Annotated[LogLevel, Lowered] = LogLevel.INFO
    """The least severe line that is logged."""
    log_format: Annotated[LogFormat, Lowered] = LogFormat.AUTO
    """How lines are logged; `auto` is for people on a terminal, JSON elsewhere."""

    @property
    def is_production(self) -> bool:
        """Whether customers depend on this instance."""
        return self.env is Env.PRODUCTION

    def shown(self) -> dict[str, str]:
        """Every setting by its name in the environment, secrets masked."""
        return {env_name(field): spelled(getattr(self, field)) for field in type(self).model_fields}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a folder of secrets is not offered
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in beats the environment, the environment beats `.env`, both beat a secret's file."""
        return init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls, dotenv_settings, env_settings)

    @model_validator(mode="wrap")
    @classmethod
    def _all_problems_at_once(cls, data: dict[str, Any], handler: ModelWrapValidatorHandler[Self]) -> Self:
        problems = list(data.pop(SecretFiles.PROBLEMS, ()))
        wrong: set[str] = set()
        try:
            settings = handler(data)
        except ValidationError as error:
            # A default that waits for a wrong field is not wrong itself.
            told = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
            wrong = {_field(str(one["loc"][0])) for one in told}
            problems += [_problem(one["loc"], one["msg"], data) for one in told]
            # Once more without them, so that what the other settings say to one another is judged too.
            settings = handler({key: value for key, value in data.items() if _field(key) not in wrong})
        problems += (one for field, one in contradictions(settings) if field not in wrong)
        if problems:
            raise SettingsProblems(problems)
        return settings


def _field(key: str) -> str:
    return key if key in Settings.model_fields else key.removeprefix(PREFIX).lower()


def _problem(loc: tuple[int | str, ...], message: str, data: Mapping[str, Any]) -> Problem:
    field = _field(str(loc[0]))
    given = data.get(field, data.get(env_name(field)))
    said = message.removeprefix("Value error, ")
    wrong = said[:1].lower() + said[1:]
    if field not in SECRET and isinstance(given, str):
        wrong = f"{wrong}, not {given!r}"
    return Problem(env_name(field), wrong, " ".join((Settings.model_fields[field].description or "").split()))
