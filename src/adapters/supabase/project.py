"""A Supabase project: where its parts are, and which key opens what."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project. Its keys are of the old kind (`anon` and `service_role`, which are JWTs) or of the new one
    (`sb_publishable_...` and `sb_secret_...`, which are not)."""

    url: str
    publishable_key: str
    secret_key: str = field(repr=False)

    @property
    def rest(self) -> str:
        """Where PostgREST answers."""
        return f"{self.url}/rest/v1"

    @property
    def auth(self) -> str:
        """Where Auth (GoTrue) answers; also the issuer of its tokens."""
        return f"{self.url}/auth/v1"

    @property
    def storage(self) -> str:
        """Where Storage answers."""
        return f"{self.url}/storage/v1"

    def as_house(self) -> dict[str, str]:
        """The headers of requests that may do everything."""
        return _headers(self.secret_key)

    def as_client(self, token: str | None = None) -> dict[str, str]:
        """The headers of requests on behalf of whoever holds this token; without one, of anybody."""
        return _headers(self.publishable_key, token)


def _headers(key: str, token: str | None = None) -> dict[str, str]:
    # A key of the new kind is no JWT: the gateway turns it into a role, and takes it for a forged token as a bearer.
    bearer = token or (None if key.startswith("sb_") else key)
    return {"apikey": key} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
