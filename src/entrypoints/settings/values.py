"""What settings hold besides words and numbers: addresses, networks and secrets, each checked where it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr
from pydantic_settings import NoDecode

LOCAL = "Guildhall <hello@guildhall.localhost>"
"""A sender nobody can answer; good enough for mail that goes to a folder."""


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseUrl:
    """The address of a PostgreSQL, in the spellings of those who connect to it. Its password never shows."""

    asyncpg: str
    """As asyncpg takes it: `postgresql://user:password@host:port/name?sslmode=...`."""

    @property
    def sqlalchemy(self) -> str:
        """As SQLAlchemy takes it; its asyncpg dialect knows `sslmode` as `ssl`."""
        parts = urlsplit(self.asyncpg)
        return _written("postgresql+asyncpg", parts, _renamed(parts.query, "sslmode", "ssl"))

    def __str__(self) -> str:
        parts = urlsplit(self.asyncpg)
        if parts.password is None:
            return self.asyncpg
        user, at, host = parts.netloc.rpartition("@")
        masked = f"{user.partition(':')[0]}:**********{at}{host}"
        return _written(parts.scheme, parts._replace(netloc=masked), parts.query)

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"

    @classmethod
    def parse(cls, value: object) -> object:
        """The address of any spelling people are handed (`postgres://`, `postgresql+asyncpg://` ...)."""
        if not isinstance(value, str):
            return value
        scheme, separator, rest = value.strip().partition("://")
        if scheme.partition("+")[0] not in {"postgres", "postgresql"} or not separator:
            raise ValueError("a PostgreSQL address begins with postgresql://")
        parts = urlsplit(f"postgresql://{rest}")
        if not parts.hostname and "host=" not in parts.query:
            raise ValueError("the address names no host")
        if not parts.path.strip("/"):
            raise ValueError("the address names no database")
        if parts.port == 0:
            raise ValueError("there is no port 0")
        return cls(_written("postgresql", parts, _renamed(parts.query, "ssl", "sslmode")))


def _written(scheme: str, parts: SplitResult, query: str) -> str:
    # urlunsplit would drop the slashes of an address without a host (a Unix socket's).
    return f"{scheme}://{parts.netloc}{parts.path}{'?' if query else ''}{query}"


def _renamed(query: str, old: str, new: str) -> str:
    return urlencode([(new if key == old else key, value) for key, value in parse_qsl(query)])


def _listed(value: object) -> object:
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


def _rolled(value: object) -> object:
    return tuple(one.strip() for one in value.split("|") if one.strip()) if isinstance(value, str) else value


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def web_address(value: str) -> str:
    """The address of something on the web, without a slash at its end; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a web address begins with http:// or https:// and names a host")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if value != "*" and urlsplit(web_address(value)).path:
        raise ValueError(f"{value} is more than an origin: give scheme, host and port only")
    return value.rstrip("/")


def _network(value: str) -> str:
    return str(ip_network(value, strict=False))


def own_address(others: Mapping[str, Any]) -> str:
    """Where this instance is reached from its own machine, by the host and port among the other settings."""
    host = str(others.get("host", "127.0.0.1"))
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{others.get('port', 8000)}"


Text = Annotated[str, Field(min_length=1)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Database = Annotated[DatabaseUrl, BeforeValidator(DatabaseUrl.parse), PlainSerializer(str)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_listed)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]
Listed = BeforeValidator(_listed)
RolledSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_rolled)]
"""Secrets that hold commas themselves, separated by `|` as Supabase does."""
Lowered = BeforeValidator(_lowered)
