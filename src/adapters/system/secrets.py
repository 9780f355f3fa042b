"""Secrets the machine makes up, and one it keeps in a file."""

import os
import secrets
from pathlib import Path


def fresh_secret() -> str:
    """A new secret of 256 random bits, in URL-safe base64."""
    return secrets.token_urlsafe(32)


def kept_secret(file: Path) -> str:
    """The secret in that file, made on first use, readable by its owner only; two that come at once agree on one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        drawn = file.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(fresh_secret())
        try:
            # A link refuses to replace what another process has put there first.
            os.link(drawn, file)
        except FileExistsError:
            pass
        finally:
            drawn.unlink()
    return file.read_text().strip()
