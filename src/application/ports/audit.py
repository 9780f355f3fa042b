"""The audit trail below its readers."""

from typing import Protocol

from application.ports.chains import Chain
from domain.audit import AuditEntry


class AuditTrail(Chain[AuditEntry], Protocol):
    """The chain of all that was done."""
