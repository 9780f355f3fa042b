"""How Cloudinary wants uploads and addresses signed: SHA-1 over what is asked, with the account's secret behind it."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

_UNSIGNED = frozenset({"file", "cloud_name", "resource_type", "api_key", "signature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account: its name, its key and its secret."""

    cloud_name: str
    api_key: str
    api_secret: str = field(repr=False)

    def signed(self, parameters: Mapping[str, object]) -> dict[str, str]:
        """These parameters with key and signature, ready to be sent; empty ones are left out."""
        told = {name: _spelled(value) for name, value in parameters.items()}
        told = {name: value for name, value in told.items() if value}
        # Version 2: a value with an ampersand in it cannot pass for another parameter.
        said = "&".join(
            f"{name}={value}".replace("&", "%26") for name, value in sorted(told.items()) if name not in _UNSIGNED
        )
        signature = hashlib.sha1((said + self.api_secret).encode()).hexdigest()  # noqa: S324 - what they verify
        return {**told, "api_key": self.api_key, "signature": signature}

    def address(self, public_id: str, *, extension: str, transformation: str = "", version: int = 1) -> str:
        """Where a picture is shown in that transformation; no other one can be asked for under this signature."""
        named = f"{quote(public_id, safe='/-_.')}.{extension}"
        said = f"{transformation}/{named}" if transformation else named
        drawn = hashlib.sha1((said + self.api_secret).encode()).digest()  # noqa: S324 - what they verify
        signature = urlsafe_b64encode(drawn).decode()[:8]
        parts = (f"s--{signature}--", transformation, f"v{version}", named)
        return f"https://res.cloudinary.com/{self.cloud_name}/image/upload/{'/'.join(each for each in parts if each)}"


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
