"""Clerk's messages: who signed them, and what they say of its people."""

from adapters.clerk.news import ClerkNews
from adapters.clerk.webhooks import ClerkVerifier

__all__ = ["ClerkNews", "ClerkVerifier"]
