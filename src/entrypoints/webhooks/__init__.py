"""Messages other systems post to us: verified, kept, answered at once, acted on by the worker."""

from fastapi import APIRouter

from entrypoints.use_cases import UseCases
from entrypoints.webhooks.payments import payments


def webhooks(use: UseCases) -> APIRouter:
    """Everything under /webhooks."""
    return payments(use)


__all__ = ["webhooks"]
