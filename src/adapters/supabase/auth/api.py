"""One call of Auth's API: the right key, one shape of refusal, and no answer that is not understood."""

from typing import Any

import httpx

from adapters.supabase.auth.refusals import body_of, refusal, unavailable
from adapters.supabase.project import Project

VERSION = {"X-Supabase-Api-Version": "2024-01-01"}
"""The version in which a refusal's `code` is a word."""


class AuthApi:
    """Keeps nobody's session: whose behalf a call is on is said with each."""

    def __init__(self, project: Project, client: httpx.AsyncClient) -> None:
        self.project, self._http = project, client

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        as_house: bool = False,
        **query: str | int,
    ) -> dict[str, Any]:
        """The answer, or the refusal it is called here. `token`: on behalf of whoever's access token it is; `as_house`:
        with the key that may do everything, which never leaves this server for anywhere else."""
        headers = self.project.as_house() if as_house else self.project.as_client(token)
        try:
            response = await self._http.request(
                method, self.project.auth + path, json=body, params=query or None, headers=headers | VERSION
            )
        except httpx.HTTPError:
            raise unavailable() from None
        if not response.is_success:
            raise refusal(response)
        if response.status_code == 204 or not response.content:
            return {}
        if "json" not in response.headers.get("content-type", ""):
            raise unavailable()
        return body_of(response)
