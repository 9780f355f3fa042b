"""Messages other systems post to us: verified, kept, answered at once, acted on by the worker."""

from fastapi import APIRouter

from entrypoints.use_cases import UseCases
from entrypoints.webhooks.letters import letters
from entrypoints.webhooks.payments import payments


def webhooks(use: UseCases) -> tuple[APIRouter, ...]:
    """Everything under /webhooks."""
    return letters(use), payments(use)


__all__ = ["webhooks"]
