"""What can be told without network or database."""

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from entrypoints.container.examining.doors import providers
from entrypoints.container.examining.findings import Finding, fail, ok, warn
from entrypoints.container.injection import Container
from entrypoints.settings import ClockName, GatewayName, MailCarrier, Settings

LOCK = Path(__file__).parents[4] / "requirements.lock"
_LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def at_home(settings: Settings) -> Iterator[Finding]:
    """What can be told without network or database."""
    yield _python()
    yield _packages()
    yield ok("settings", f"{settings.env.value}, {len(settings.model_fields_set)} of {len(settings.shown())} set")
    yield _folder(settings)
    yield _keys(settings)
    yield _gateway(settings)
    yield from providers(settings)
    if settings.mail is MailCarrier.FOLDER:
        yield _writable("mail", settings.data_dir / "mail", "mails are laid into")
    if settings.clock is ClockName.MOVABLE:
        yield warn("clock", "it can be moved", "only demos and tests want that: GUILDHALL_CLOCK=system")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have any
        return fail("python", found, "Guildhall needs Python 3.11 or newer")
    return ok("python", found)


def _packages() -> Finding:
    if not LOCK.exists():
        return warn("packages", "there is no requirements.lock to compare with", "run Guildhall from its checkout")
    locked = _LOCKED.findall(LOCK.read_text())
    other = [f"{name} {found}" for name, wanted in locked if (found := _installed(name)) and found != wanted]
    if other:
        fix = "pip install -r requirements.lock gives the versions this was tested with"
        return warn("packages", f"other than locked: {', '.join(other)}", fix)
    return ok("packages", f"guildhall {version('guildhall')}, everything else as locked")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None  # locked for another platform, or for tests


def _folder(settings: Settings) -> Finding:
    return _writable("data folder", settings.data_dir, "data, keys and mails lie in")


def _writable(part: str, folder: Path, what: str) -> Finding:
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return fail(part, f"{what} {folder}, which cannot be written", "make it writable, or set GUILDHALL_DATA_DIR")
    return ok(part, f"{folder}" if nearest == folder else f"{folder}, made when it is needed")


def _keys(settings: Settings) -> Finding:
    file = settings.data_dir / "keys.json"
    if not file.exists():
        return ok("signing keys", "none yet: made when the first is needed")
    fix = f"put {file} back from a backup; without it every session ends, and `guildhall keys rotate` starts anew"
    try:
        mode = file.stat().st_mode & 0o777
        keys = Container(settings=settings).access_tokens().jwks()["keys"]
    except (OSError, ValueError) as error:
        return fail("signing keys", f"{file} cannot be read: {error}", fix)
    if mode & 0o077:
        return fail(
            "signing keys", f"{file} can be read by others ({mode:o})", f"chmod 600 {file}, then rotate the keys"
        )
    return ok("signing keys", f"{len(keys)}, the first signs")


def _gateway(settings: Settings) -> Finding:
    if settings.gateway is GatewayName.TEST:
        seen = "the test gateway: no money moves"
        if settings.is_production:
            return warn("payments", seen, "set GUILDHALL_GATEWAY=stripe and its keys")
        return ok("payments", seen)
    key = settings.stripe_secret_key.get_secret_value() if settings.stripe_secret_key else ""
    mode = "live" if "_live_" in key[:8] else "test"
    hooks = len(settings.stripe_webhook_secret)
    return ok("payments", f"stripe in {mode} mode, {hooks} webhook secret{'s' if hooks != 1 else ''}")
