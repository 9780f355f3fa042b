"""What a profession pack is made of: words, categories, hours of an ordinary week, and templates of jobs."""

from dataclasses import dataclass

from domain.jobs import Offer
from domain.scheduling import Weekly
from domain.shared.money import EXPONENTS, Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, PolicyName

WORTH = {
    **dict.fromkeys("CNY CZK DKK EGP HKD MXN NOK PLN SEK THB TRY TWD UAH UYU ZAR BDT INR PHP".split(), 10),
    **dict.fromkeys("ARS CLP CRC HUF ISK JPY KES LKR NGN PKR RSD XAF XOF XPF KZT".split(), 100),
    **dict.fromkeys("COP IDR KRW MMK PYG TZS UGX RWF MGA".split(), 1000),
    "VND": 10_000,
}
"""Roughly how many units buy what a euro buys, to the power of ten; one where nothing is said. Good enough for the
price of a draft, which its owner looks at before anybody else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a profession calls things; front ends show these instead of our own words."""

    customer: str = "customer"
    customers: str = "customers"
    provider: str = "provider"
    job: str = "service"
    jobs: str = "services"
    booking: str = "appointment"
    bookings: str = "appointments"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTemplate:
    """A job as a profession usually offers it. `euros` is a suggestion in whole units; times are minutes."""

    title: str
    description: str
    category: str
    euros: int
    duration: int
    buffer_before: int = 0
    buffer_after: int = 0
    capacity: int = 1
    slot_interval: int = 30
    notice: int = 120
    window_days: int = 60
    terms: PaymentTerms = PaymentTerms.PREPAID
    acceptance: Acceptance = Acceptance.INSTANT
    policy: PolicyName = PolicyName.FLEXIBLE

    def price(self, currency: str) -> Money:
        """The suggested price, in that currency."""
        return Money(self.euros * WORTH.get(currency, 1) * 10 ** EXPONENTS.get(currency, 0), currency)

    def offer(self, *, currency: str, place: str, remote: bool) -> Offer:
        """The job as it can be drafted."""
        return Offer(
            title=self.title,
            description=self.description,
            category=self.category,
            price=self.price(currency),
            duration=self.duration,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            capacity=self.capacity,
            place=place,
            remote=remote,
            slot_interval=self.slot_interval,
            notice=self.notice,
            window_days=self.window_days,
            terms=self.terms,
            acceptance=self.acceptance,
            policy=CancellationPolicy.named(self.policy),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profession:
    """A pack: what a business of that kind starts with. `place` is where its work happens when nobody says."""

    word: str
    name: str
    wording: Wording
    place: str
    categories: tuple[str, ...]
    hours: Weekly
    jobs: tuple[JobTemplate, ...]
