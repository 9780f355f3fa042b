"""Plans: the mirrored catalog, customers, and a business that comes of a purchase exactly once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from application.billing import (
    BecomeCustomer,
    GetEntitlements,
    GetPurchase,
    ListPrices,
    ListProducts,
    ListSubscriptions,
    MeetCustomer,
    NewPurchase,
    OpenCheckout,
    OpenPortal,
    PlanNotSold,
    PriceFilter,
    ProcessBilling,
    ProductFilter,
    RefreshCatalog,
    RequestPurchase,
)
from application.identity import SuspendUser, Suspension
from application.organizations import AddMember, GetOnboarding, NewMember
from application.payments import ReplayWebhook
from domain.billing import NoCustomerYet, PriceType, Purchase, PurchaseOver, PurchaseState, SubscriptionState
from domain.identity import BadEmail
from domain.organizations import MayNotManage
from domain.shared.actors import ANONYMOUS, SYSTEM, Actor, Role
from domain.shared.errors import Forbidden, Invalid, NotFound, Unauthenticated
from tests.application.front_door import OPERATOR
from tests.application.till import TillHouse, renamed, told_of
from tests.support.house import MONDAY

S = SubscriptionState


async def person(house: TillHouse, name: str, role: Role = Role.CUSTOMER) -> Actor:
    user = await house.user(f"{name}@example.com", role, name=name.title())
    return Actor(user_id=user.id, role=role)


# --- The catalog


async def test_the_catalog_is_mirrored_and_filtered() -> None:
    house = TillHouse()
    assert (await house.use(ListProducts)(ANONYMOUS)).items == []
    mirrored = await house.use(RefreshCatalog)(OPERATOR)
    assert (mirrored.products, mirrored.prices) == (3, 5)
    products = (await house.use(ListProducts)(ANONYMOUS, ProductFilter(active=True))).items
    assert {product.name: (product.features, product.limits) for product in products} == {
        "Solo": (("bookings", "payments"), {"members": 1}),
        "Team": (("bookings", "payments", "reports", "team"), {"members": 15}),
        "Help with the start": ((), {}),
    }

    async def refs(**wanted: Any) -> set[str]:
        found = await house.use(ListPrices)(ANONYMOUS, PriceFilter(**wanted))
        return {price.gateway_ref for price in found.items}

    assert await refs(product="team") == {"team_month_eur", "team_month_usd"}
    assert await refs(product="team", currency="usd") == {"team_month_usd"}
    assert await refs(type=PriceType.ONE_TIME) == {"setup_once_eur"}
    assert await refs(active=False) == set()
    page = await house.use(ListPrices)(ANONYMOUS, limit=2)
    rest = await house.use(ListPrices)(ANONYMOUS, after=page.next, limit=10)
    assert len({price.id for price in (*page.items, *rest.items)}) == 5


async def test_the_mirror_follows_messages_and_refreshing_changes_nothing_that_is_the_same() -> None:
    house = await TillHouse.open()
    versions = [row["version"] for row in house.rows("products")]
    await house.use(RefreshCatalog)(OPERATOR)
    assert [row["version"] for row in house.rows("products")] == versions
    await house.gateway.put_product("team", name="Crew", active=False, metadata={"entitlements": "Reports, ,x y"})
    await house.gateway.put_price("studio", product_ref="team", currency="EUR", amount_minor=9900, interval="month")
    await house.hear(*house.owed())
    (crew,) = (await house.use(ListProducts)(ANONYMOUS, ProductFilter(active=False))).items
    assert (crew.name, crew.features) == ("Crew", ("reports",)), "what nobody can read entitles to nothing"
    assert len((await house.use(ListPrices)(ANONYMOUS)).items) == 6
    house.books._connection.execute("delete from plans where ref = 'studio'")
    await house.use(RefreshCatalog)(OPERATOR)
    assert [p.gateway_ref for p in (await house.use(ListPrices)(ANONYMOUS, PriceFilter(active=False))).items] == [
        "studio"
    ]
    with pytest.raises(Forbidden):
        await house.use(RefreshCatalog)(await person(house, "bob"))


async def test_an_older_answer_never_takes_the_place_of_a_newer_one() -> None:
    house = await TillHouse.open()
    await house.gateway.put_product("team", name="Old")
    (first,) = house.owed()
    await house.gateway.put_product("team", name="New")
    (second,) = house.owed()
    product, slow = house.gateway.product, []

    async def slowly(ref: str) -> Any:
        """The answer of a moment ago, while somebody else asks and stores a newer one."""
        answer = await product(ref)
        if not slow:
            slow.append(answer)
            await house.gateway.put_product("team", name="Newest")
            house.owed()
            await house.hear(second)
        return answer

    house.gateway.product = slowly  # type: ignore[method-assign]
    await house.hear(first)
    assert {row["name"] for row in house.rows("products") if row["gateway_ref"] == "team"} == {"Newest"}
    assert slow[0].name == "New"


# --- Customers


async def test_a_user_is_one_customer_however_often_it_is_asked() -> None:
    house = await TillHouse.open()
    ann = await person(house, "ann")
    meant = await house.use(BecomeCustomer)(ann)
    assert meant.gateway_ref is None, "the gateway is asked once this is stored"
    with pytest.raises(NoCustomerYet):
        await house.use(OpenPortal)(ann)
    known = await house.use(MeetCustomer)(ann, meant.id)
    again = await house.use(MeetCustomer)(ann, (await house.use(BecomeCustomer)(ann)).id)
    assert known.gateway_ref == again.gateway_ref is not None
    assert len(house.books.read("select * from customers")) == len(house.rows("customers")) == 1
    assert (await house.use(OpenPortal)(ann)).startswith("http://house.example")
    with pytest.raises(Unauthenticated):
        await house.use(BecomeCustomer)(ANONYMOUS)


async def test_of_two_who_ask_at_once_both_get_the_one_customer() -> None:
    house = await TillHouse.open()
    ann = await person(house, "ann")
    house.meanwhile = lambda: house.use(BecomeCustomer)(ann)
    mine = await house.persistently(lambda: house.use(BecomeCustomer)(ann))
    assert [row["id"] for row in house.rows("customers")] == [mine.id]


async def test_a_crash_between_asking_and_storing_makes_no_second_customer() -> None:
    house = await TillHouse.open()
    ann = await person(house, "ann")
    meant = await house.use(BecomeCustomer)(ann)

    async def crash() -> None:
        raise ConnectionResetError

    begin, blocks = house.ports["begin"], []

    def counted(actor: Actor) -> Any:
        blocks.append(actor)
        if len(blocks) == 2:
            house.meanwhile = crash
        return begin(actor)

    house.use._built.clear()
    house.ports["begin"] = counted
    with pytest.raises(ConnectionResetError):
        await house.use(MeetCustomer)(ann, meant.id)
    assert house.rows("customers")[0]["gateway_ref"] is None
    known = await house.use(MeetCustomer)(ann, meant.id)
    assert [row["ref"] for row in house.books.read("select * from customers")] == [known.gateway_ref]


# --- From a purchase to a business


async def test_a_stranger_buys_a_plan_and_owns_a_business() -> None:
    house = await TillHouse.open()
    purchase = await house.buy(organization_name="Ann's Lessons", profession="tutor")
    assert purchase.url == f"http://house.example/till/{purchase.gateway_ref}"
    assert house.rows("organizations") == house.rows("users") == [], "nothing is there before it is paid"
    await house.gateway.show_card(str(purchase.gateway_ref), "ok")
    await house.hear(*house.owed())
    assert house.standing() == {
        "users": [("ann@example.com", "provider")],
        "organizations": [("Ann's Lessons", 1)],
        "memberships": ["owner"],
        "subscriptions": [("active", "team_month_eur")],
        "purchases": ["provisioned"],
        "customers": 1,
        "onboardings": 1,
        "letters": ["business_ready"],
        "links": 1,
        "provisioned": 1,
    }
    tokens = await house.follow_the_letter()
    ann = await house.come_in(tokens)
    organization_id = house.rows("organizations")[0]["id"]
    begun = await house.use(GetOnboarding)(ann, organization_id)
    assert begun.business is not None
    assert begun.profession is not None
    assert (begun.business.name, begun.profession.profession, begun.saved) == ("Ann's Lessons", "tutor", ())
    entitled = await house.use(GetEntitlements)(ann, organization_id)
    assert (entitled.features, entitled.limits) == (("bookings", "payments", "reports", "team"), {"members": 15})
    assert (await house.use(GetPurchase)(ANONYMOUS, purchase.id)).organization_id == organization_id


STORIES = {
    "paid at once": ("complete",),
    "paid later": ("complete_unpaid", "arrive"),
    "turned down": ("complete_unpaid", "bounce"),
    "never paid": ("lapse",),
    "paid, then late, then gone": ("complete", "past_due", "cancel"),
    "paid, paused and resumed": ("complete", "pause", "resume"),
}


async def play(house: TillHouse, steps: tuple[str, ...], purchase: Purchase | None = None) -> list[str]:
    """What happens at the gateway; the messages it owes for it."""
    purchase = purchase or await house.buy(organization_name="Potters")
    ref, gateway = str(purchase.gateway_ref), house.gateway
    for step in steps:
        house.clock.advance(timedelta(minutes=1))
        subscription = (await gateway.find(ref)).subscription_ref or ""
        happens: dict[str, Callable[[], Awaitable[object]]] = {
            "complete": lambda: gateway.complete(ref, paid=True),
            "complete_unpaid": lambda: gateway.complete(ref, paid=False),
            "arrive": lambda: gateway.arrive(ref, paid=True),
            "bounce": lambda: gateway.arrive(ref, paid=False),
            "lapse": lambda: gateway.lapse(ref),
            "past_due": lambda: gateway.move(subscription, S.PAST_DUE, kind="invoice.payment_failed"),  # noqa: B023
            "cancel": lambda: gateway.move(subscription, S.CANCELED, kind="subscription.deleted"),  # noqa: B023
            "pause": lambda: gateway.move(subscription, S.PAUSED, kind="subscription.paused"),  # noqa: B023
            "resume": lambda: gateway.move(subscription, S.ACTIVE, kind="subscription.resumed"),  # noqa: B023
        }
        await happens[step]()
    return house.owed()


@pytest.mark.parametrize("story", STORIES)
async def test_every_order_of_a_storys_messages_ends_alike(story: str) -> None:
    """All have happened by the time the first is heard; each is heard twice, the second time under another id."""
    house = await TillHouse.open()
    bodies = await play(house, STORIES[story])
    assert 1 <= len(bodies) <= 4, told_of(bodies)
    await house.hear(*bodies)
    expected = house.standing()
    assert expected["provisioned"] == (0 if story in ("turned down", "never paid") else 1)
    for order in permutations(range(len(bodies))):
        house = await TillHouse.open()
        bodies = await play(house, STORIES[story])
        for place in order:
            await house.hear(bodies[place], renamed(bodies[place], 1))
        assert house.standing() == expected, [told_of(bodies)[place] for place in order]


@pytest.mark.parametrize("story", STORIES)
async def test_messages_that_come_as_things_happen_end_alike_too(story: str) -> None:
    late = await TillHouse.open()
    await late.hear(*await play(late, STORIES[story]))
    prompt = await TillHouse.open()
    purchase = await prompt.buy(organization_name="Potters")
    for step in STORIES[story]:
        await prompt.hear(*await play(prompt, (step,), purchase))
    assert late.standing() == prompt.standing()


@pytest.mark.parametrize("last", [True, False])
async def test_a_crash_between_any_two_commits_loses_and_doubles_nothing(last: bool) -> None:
    """The worker dies before or after each commit in turn; the message is delivered again."""
    whole = await TillHouse.open()
    await whole.hear(*await play(whole, STORIES["paid at once"]))
    expected = whole.standing()
    for fatal in range(1, 12):
        house = await TillHouse.open()
        bodies = await play(house, STORIES["paid at once"])
        commits, good = [0], house.store.commit

        async def commit(changes: Any, *, good: Any = good, commits: list[int] = commits, fatal: int = fatal) -> Any:
            commits[0] += 1
            if commits[0] == fatal and not last:
                raise ConnectionResetError
            numbers = await good(changes)
            if commits[0] == fatal and last:
                raise ConnectionResetError
            return numbers

        house.store.commit = commit
        for _ in range(3):
            for body in bodies:
                try:
                    await house.hear(body)
                except ConnectionResetError:
                    house.clock.advance(timedelta(minutes=5))
        house.clock.advance(timedelta(hours=1))
        await house.worker.all()
        assert house.standing() == expected, fatal


async def test_of_two_workers_with_one_message_one_makes_the_business() -> None:
    """The other one has asked the gateway too, and comes to the commit second."""
    house = await TillHouse.open()
    bodies = await play(house, STORIES["paid at once"])
    event = await house.receive(bodies[1])
    process, find, twins = house.use(ProcessBilling), house.gateway.find, [1]

    async def found(ref: str) -> Any:
        answer = await find(ref)
        if twins:
            twins.clear()
            await process(SYSTEM, event)
        return answer

    house.gateway.find = found  # type: ignore[method-assign]
    await process(SYSTEM, event)
    standing = house.standing()
    assert (standing["provisioned"], standing["organizations"]) == (1, [("Potters", 1)])


async def test_without_the_purchases_own_mark_both_would() -> None:
    """The twin of that: a purchase that does not say it was provisioned."""
    house = await TillHouse.open()
    bodies = await play(house, STORIES["paid at once"])
    await house.hear(bodies[1])
    async with house.begin(SYSTEM) as work:
        purchase = await work.purchases.get(house.rows("purchases")[0]["id"])
        purchase.state, purchase.provisioned_at, purchase.organization_id = PurchaseState.OPEN, None, None
    await house.hear(renamed(bodies[1], 1))
    assert house.standing()["provisioned"] == 2


async def test_nothing_is_provisioned_by_halves() -> None:
    """The till says paid before the gateway shows the subscription; the message is acted on when it does."""
    house = await TillHouse.open()
    bodies = await play(house, STORIES["paid at once"])
    hidden = house.gateway.subscription

    async def not_yet(ref: str) -> Any:
        raise NotFound.of("subscription", ref)

    house.gateway.subscription = not_yet  # type: ignore[method-assign]
    await house.hear(*bodies)
    assert house.standing()["provisioned"] == 0
    house.gateway.subscription = hidden  # type: ignore[method-assign]
    house.clock.advance(timedelta(hours=1))
    await house.worker.all()
    assert house.standing()["provisioned"] == 1
    assert house.standing()["subscriptions"] == [("active", "team_month_eur")]


async def test_an_existing_user_becomes_the_owner() -> None:
    house = await TillHouse.open()
    ann = await person(house, "ann")
    await house.business(organization_name="Potters")
    assert house.standing()["users"] == [("ann@example.com", "provider")]
    assert [row["user_id"] for row in house.rows("memberships")] == [ann.user_id]
    assert (await house.follow_the_letter()).user_id == ann.user_id


async def test_who_is_signed_in_owns_what_they_buy_whatever_address_they_type() -> None:
    house = await TillHouse.open()
    bob = await person(house, "bob", Role.PROVIDER)
    before = len(house.rows("organizations"))
    await house.business(by=bob, email="somebody.else@example.com", organization_name="Bob & Co.")
    assert len(house.rows("organizations")) == before + 1
    assert {row["user_id"] for row in house.rows("memberships")} == {bob.user_id}


async def test_a_plan_for_an_organization_that_is_there_makes_no_other() -> None:
    house = await TillHouse.open()
    bob, eve = await person(house, "bob", Role.PROVIDER), await person(house, "eve")
    organization_id = house.rows("organizations")[0]["id"]
    await house.business(by=bob, organization_id=organization_id)
    assert len(house.rows("organizations")) == 1
    assert house.rows("mails") == []
    (subscription,) = (await house.use(ListSubscriptions)(bob, organization_id)).items
    assert (subscription.state, subscription.price_ref) == (S.ACTIVE, "team_month_eur")
    await house.use(AddMember)(bob, organization_id, NewMember(user_id=eve.user_id))
    assert (await house.use(GetEntitlements)(eve, organization_id)).features
    assert (await house.use(ListSubscriptions)(eve, organization_id)).items == [], "its bills are for who manages"
    with pytest.raises(MayNotManage):
        await house.buy(by=eve, organization_id=organization_id)
    with pytest.raises(NotFound):
        await house.buy(by=await person(house, "kim"), organization_id=organization_id)


async def test_a_buyer_whose_account_is_closed_is_for_a_person_to_look_at() -> None:
    house = await TillHouse.open()
    ann = await person(house, "ann")
    await house.use(SuspendUser)(OPERATOR, ann.signed_in(), Suspension(reason="fraud"))
    await house.business()
    assert house.rows("organizations") == []
    noted = {row["kind"]: row["outcome"] for row in house.rows("webhooks")}
    assert noted["checkout.completed"] == "attention"
    from application.identity import RestoreUser

    await house.use(RestoreUser)(OPERATOR, ann.signed_in())
    webhook = next(row for row in house.rows("webhooks") if row["kind"] == "checkout.completed")
    await house.use(ReplayWebhook)(OPERATOR, webhook["id"])
    await house.worker.all()
    assert house.standing()["provisioned"] == 1, "nothing that was paid is lost"


async def test_a_checkout_that_began_elsewhere_is_adopted() -> None:
    """A payment link on somebody's page: no purchase of ours, and the address is what the buyer typed."""
    house = await TillHouse.open()
    house.books._connection.execute(
        "insert into checkouts (ref, purchase_id, price_ref, state, email, success_url)"
        " values ('sk_link', '', 'team_month_eur', 'open', 'kim@example.com', '')"
    )
    await house.gateway.complete("sk_link", paid=True)
    bodies = house.owed()
    for order in (bodies, bodies[::-1]):
        await house.hear(*order)
    assert house.standing()["users"] == [("kim@example.com", "provider")]
    assert house.standing()["organizations"] == [("kim", 1)]
    assert house.standing()["subscriptions"] == [("active", "team_month_eur")]


async def test_what_cannot_be_bought_is_refused_before_the_till() -> None:
    house = await TillHouse.open()
    request = house.use(RequestPurchase)
    with pytest.raises(NotFound):
        await request(ANONYMOUS, NewPurchase(price="made up", email="ann@example.com"))
    with pytest.raises(PlanNotSold):
        await request(ANONYMOUS, NewPurchase(price="setup_once_eur", email="ann@example.com"))
    with pytest.raises(BadEmail):
        await request(ANONYMOUS, NewPurchase(price="team_month_eur", email="ann"))
    with pytest.raises(Invalid):
        await request(ANONYMOUS, NewPurchase(price="team_month_eur"))
    assert house.rows("purchases") == []
    purchase = await house.buy()
    same = await house.use(OpenCheckout)(ANONYMOUS, purchase.id)
    assert same.gateway_ref == purchase.gateway_ref
    lapsed = await request(ANONYMOUS, NewPurchase(price="team_month_eur", email="ann@example.com"))
    row = house.store.tables["purchases"].rows[lapsed.id]
    row["state"] = "expired"
    with pytest.raises(PurchaseOver):
        await house.use(OpenCheckout)(ANONYMOUS, lapsed.id)


# --- Subscriptions


async def test_owners_hear_of_what_they_would_not_expect_and_lose_what_is_not_paid() -> None:
    house = await TillHouse.open()
    await house.business()
    organization_id = house.rows("organizations")[0]["id"]
    ref = house.rows("subscriptions")[0]["gateway_ref"]

    async def moved(state: SubscriptionState, **also: Any) -> tuple[str, ...]:
        await house.gateway.move(ref, state, **also)
        await house.hear(*house.owed())
        return (await house.use(GetEntitlements)(OPERATOR, organization_id)).features

    assert await moved(S.PAST_DUE), "while a payment is late it is still asked for"
    assert await moved(S.UNPAID) == ()
    assert await moved(S.ACTIVE, price_ref="solo_month_eur") == ("bookings", "payments")
    ends = MONDAY + timedelta(days=3)
    for _ in range(2):
        await moved(S.TRIALING, kind="subscription.trial_will_end", trial_ends_at=ends)
    assert await moved(S.CANCELED, kind="subscription.deleted") == ()
    titles = [row["title"] for row in house.rows("notifications")]
    assert titles == ["A payment is late", "Your plan rests", "Your trial ends soon", "Your plan has ended"]


async def test_a_subscription_of_nobody_we_know_is_noted_and_left() -> None:
    house = await TillHouse.open()
    await house.business()
    subscription = house.rows("subscriptions")[0]["gateway_ref"]
    house.books._connection.execute("update subscriptions set ref = 'ss_other', purchase_id = ''")
    await house.gateway.move("ss_other", S.ACTIVE)
    await house.gateway.move(subscription, S.ACTIVE)
    await house.hear(*house.owed())
    assert [row["outcome"] for row in house.rows("webhooks")][-2:] == ["unmatched", "unmatched"]
    assert len(house.rows("subscriptions")) == 1
