"""What people do, one file for each kind of them: an act is a few requests that belong together."""

from collections.abc import Mapping

from entrypoints.simulation.actors import (
    admins,
    banks,
    buyers,
    customers,
    dashboards,
    impatient,
    members,
    newcomers,
    papers,
    providers,
    thieves,
    underwriters,
)
from entrypoints.simulation.people import Act

ACTS: Mapping[str, Mapping[str, Act]] = {
    "customer": {**customers.ACTS, **papers.CUSTOMERS},
    "provider": {**providers.ACTS, **papers.PROVIDERS, "open_account": underwriters.open_account},
    "impatient": {**customers.ACTS, **impatient.ACTS},
    "admin": admins.ACTS,
    "thief": thieves.ACTS,
    "dashboard": dashboards.ACTS,
    "bank": banks.ACTS,
    "newcomer": newcomers.ACTS,
    "member": members.ACTS,
    "buyer": buyers.ACTS,
    "underwriter": underwriters.ACTS,
}
"""Kind of part to act by name."""
