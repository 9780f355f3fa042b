"""The public keys access tokens verify with, for whoever verifies them elsewhere (RFC 7517)."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from application.ports.identity import AccessTokens
from entrypoints.rest.routing import operation_id
from entrypoints.use_cases import UseCases


class KeySet(BaseModel):
    """A JSON Web Key Set."""

    keys: list[dict[str, str]]


def keys(_: UseCases, facts: dict[str, Any]) -> APIRouter:
    """`/.well-known/jwks.json`; a key shows up here before it signs and stays while its tokens last."""
    router = APIRouter(tags=["sessions"], generate_unique_id_function=operation_id)
    tokens: AccessTokens = facts["keys"]

    @router.get("/.well-known/jwks.json", name="keys", summary="The public keys access tokens verify with")
    async def key_set(response: Response) -> KeySet:
        response.headers["Cache-Control"] = "public, max-age=300"
        return KeySet.model_validate(tokens.jwks())

    return router
