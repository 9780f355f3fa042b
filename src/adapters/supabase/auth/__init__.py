"""Supabase Auth (GoTrue): a project's accounts and sessions, asked over HTTP by a client that remembers none."""

from adapters.supabase.auth.accounts import SupabaseAccounts
from adapters.supabase.auth.api import AuthApi
from adapters.supabase.auth.hooks import SupabaseLetterHook
from adapters.supabase.auth.sessions import SupabaseSessions
from adapters.supabase.auth.users import SupabaseUsers

__all__ = ["AuthApi", "SupabaseAccounts", "SupabaseLetterHook", "SupabaseSessions", "SupabaseUsers"]
