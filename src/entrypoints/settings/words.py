"""The words a setting chooses among."""

from enum import StrEnum


class Env(StrEnum):
    """What this instance is for; only `production` may face customers, and it refuses unsafe settings."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Storage(StrEnum):
    """Where rows live."""

    MEMORY = "memory"
    POSTGRES = "postgres"
    SUPABASE = "supabase"


class IdentityName(StrEnum):
    """Who keeps accounts, passwords and sessions."""

    LOCAL = "local"
    SUPABASE = "supabase"


class GatewayName(StrEnum):
    """Who moves money."""

    TEST = "test"
    STRIPE = "stripe"


class FeeOnRefund(StrEnum):
    """What becomes of the platform's fee when a customer is paid back."""

    IN_PROPORTION = "in_proportion"
    KEPT = "kept"


class MailCarrier(StrEnum):
    """Where mail goes."""

    FOLDER = "folder"
    SMTP = "smtp"
    MEMORY = "memory"


class FileStore(StrEnum):
    """Where the bytes of files lie."""

    DISK = "disk"
    SUPABASE = "supabase"
    S3 = "s3"
    MEMORY = "memory"


class PictureHost(StrEnum):
    """Who hands out public pictures."""

    HERE = "here"
    CLOUDINARY = "cloudinary"


class ClockName(StrEnum):
    """Whose present it is."""

    SYSTEM = "system"
    MOVABLE = "movable"


class Tls(StrEnum):
    """How an SMTP connection is encrypted: upgraded, from the first byte on, or not."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class LogLevel(StrEnum):
    """The least severe line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Lines for people, JSON for programs, or whichever suits the output."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"
