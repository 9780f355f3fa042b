"""Sharing, as every context that asks for money decides on it: does a payment go to the organization's own account?"""

from dataclasses import dataclass

from application.ports.criteria import AnyOf
from application.ports.unit_of_work import Work
from domain.payments import WHOLE, FeeRule, Share
from domain.shared.ids import OrganizationId
from domain.shared.money import Money

FEE_LIMIT = "fee_basis_points"
"""The limit of a plan (`limit_fee_basis_points` in its product's metadata) that stands in for the house's own fee."""


NO_FEE = FeeRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """With whom payments are shared: payees of this gateway (nobody, without one), by this rule unless the
    organization's plan has a better one."""

    gateway: str = ""
    rule: FeeRule = NO_FEE

    async def share(self, work: Work, organization_id: OrganizationId, amount: Money) -> Share | None:
        """The agreement on a payment to that organization; none where it has no account that takes charges, so that the
        platform takes the payment itself."""
        if not self.gateway:
            return None
        payee = await work.payees.first(organization_id=organization_id, gateway=self.gateway)
        if payee is None or payee.gateway_ref is None or not payee.takes_charges:
            return None
        return (await self._rule(work, organization_id)).share(amount, payee.gateway_ref)

    async def _rule(self, work: Work, organization_id: OrganizationId) -> FeeRule:
        """The house's rule, or the lowest fee among the organization's live plans."""
        subscriptions = await work.subscriptions.find(organization_id=organization_id)
        refs = {each.product_ref for each in subscriptions if each.entitles}
        if not refs:
            return self.rule
        products = await work.products.find(gateway_ref=AnyOf(tuple(sorted(refs))), gateway=self.gateway)
        fees = [fee for each in products if (fee := each.limits.get(FEE_LIMIT, WHOLE + 1)) <= WHOLE]
        return FeeRule(basis_points=min(fees), back=self.rule.back) if fees else self.rule


NOTHING_SHARED = Sharing()
"""The platform takes every payment itself."""
