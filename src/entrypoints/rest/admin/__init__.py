"""Looking after the house: its users, its trail, its books, and what came and went."""

from entrypoints.rest.admin.reconciling import reconciling
from entrypoints.rest.admin.traffic import traffic
from entrypoints.rest.admin.trail import trail
from entrypoints.rest.admin.users import users

__all__ = ["reconciling", "traffic", "trail", "users"]
