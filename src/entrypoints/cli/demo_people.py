"""Who lives in the demo town, and what they offer. Everybody has the same password: it is no secret."""

from dataclasses import dataclass

from application.jobs import JobDraft
from application.scheduling import Hours
from domain.shared.money import Money
from domain.shared.terms import Acceptance, PaymentTerms, PolicyName

PASSWORD = "come-in-and-look"  # noqa: S105 - printed at every start of a demo


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the town."""

    email: str
    name: str
    zone: str
    about: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who offers work: when, and what."""

    person: Person
    hours: Hours
    jobs: tuple[JobDraft, ...]


def _weekdays(zone: str, *windows: str, saturday: tuple[str, ...] = ()) -> Hours:
    return Hours(
        zone=zone,
        monday=windows,
        tuesday=windows,
        wednesday=windows,
        thursday=windows,
        friday=windows,
        saturday=saturday,
    )


ADMIN = Person("ada@town.example", "Ada", "UTC", "looks after the house")

CUSTOMERS = (
    Person("ana@town.example", "Ana Faria", "Europe/Lisbon", "learns the piano"),
    Person("ben@town.example", "Ben Okafor", "Europe/London", "changes his mind"),
    Person("chloe@town.example", "Chloé Martin", "Europe/Paris", "gets up early"),
    Person("dev@town.example", "Dev Patel", "America/New_York", "has a dripping tap"),
    Person("emi@town.example", "Emi Sato", "Asia/Tokyo", "sits too much"),
)

PROVIDERS = (
    Provider(
        Person("rosa@town.example", "Rosa Almeida", "Europe/Lisbon", "teaches the piano"),
        _weekdays("Europe/Lisbon", "09:00-12:30", "14:00-19:00", saturday=("10:00-13:00",)),
        (
            JobDraft(
                title="Piano lesson",
                category="music",
                price=Money(4500, "EUR"),
                duration=60,
                buffer_after=15,
                place="Rua das Flores 12, Lisbon",
                description="One to one, from the first scale to the first recital. Bring your own music or play mine.",
                policy=PolicyName.MODERATE,
            ),
            JobDraft(
                title="Trial lesson",
                category="music",
                price=Money(0, "EUR"),
                duration=30,
                place="Rua das Flores 12, Lisbon",
                description="Half an hour to find out whether the piano, and I, suit you.",
                terms=PaymentTerms.FREE,
            ),
            JobDraft(
                title="Music theory online",
                category="music",
                price=Money(3000, "EUR"),
                duration=45,
                remote=True,
                description="Reading, intervals and harmony, with a shared blackboard.",
            ),
        ),
    ),
    Provider(
        Person("piet@town.example", "Piet Brandt", "Europe/Berlin", "mends pipes"),
        _weekdays("Europe/Berlin", "07:30-16:00"),
        (
            JobDraft(
                title="Emergency plumbing",
                category="plumbing",
                price=Money(12000, "EUR"),
                duration=90,
                buffer_before=30,
                buffer_after=30,
                place="Berlin, at your home",
                description="Leaks, blocked drains and silent boilers. I confirm as soon as I have seen your message.",
                terms=PaymentTerms.LATER,
                acceptance=Acceptance.REQUEST,
            ),
            JobDraft(
                title="Bathroom check",
                category="plumbing",
                price=Money(6900, "EUR"),
                duration=60,
                buffer_before=30,
                buffer_after=30,
                place="Berlin, at your home",
                description="Every joint and seal looked at, with a written list of what will need mending.",
                terms=PaymentTerms.LATER,
            ),
        ),
    ),
    Provider(
        Person("yara@town.example", "Yara Haddad", "Europe/London", "teaches yoga"),
        _weekdays("Europe/London", "07:00-10:00", "17:00-20:00", saturday=("09:00-11:00",)),
        (
            JobDraft(
                title="Morning yoga",
                category="yoga",
                price=Money(1400, "GBP"),
                duration=60,
                slot_interval=60,
                capacity=12,
                place="The Old Granary, London",
                description="A gentle class for twelve. Mats are here, bring something warm.",
                terms=PaymentTerms.LATER,
            ),
            JobDraft(
                title="Yoga one to one",
                category="yoga",
                price=Money(6000, "GBP"),
                duration=75,
                place="The Old Granary, London",
                description="Your own pace, your own questions.",
                policy=PolicyName.STRICT,
            ),
            JobDraft(
                title="Breathing at your desk",
                category="yoga",
                price=Money(0, "GBP"),
                duration=20,
                capacity=50,
                slot_interval=60,
                remote=True,
                description="Twenty minutes away from the screen, in front of it.",
                terms=PaymentTerms.FREE,
            ),
        ),
    ),
    Provider(
        Person("hugo@town.example", "Hugo Reyes", "America/New_York", "cuts hair"),
        _weekdays("America/New_York", "10:00-18:00", saturday=("09:00-15:00",)),
        (
            JobDraft(
                title="Cut and style",
                category="hair",
                price=Money(6500, "USD"),
                duration=45,
                buffer_after=15,
                place="Bleecker Street 7, New York",
                description="Wash, cut and style, for any hair.",
                terms=PaymentTerms.LATER,
            ),
            JobDraft(
                title="Colour",
                category="hair",
                price=Money(14000, "USD"),
                duration=150,
                buffer_after=15,
                place="Bleecker Street 7, New York",
                description="From a hint of it to all of it. Paid in advance because the dye is mixed for you.",
                policy=PolicyName.STRICT,
            ),
            JobDraft(
                title="Beard trim",
                category="hair",
                price=Money(2500, "USD"),
                duration=20,
                slot_interval=20,
                place="Bleecker Street 7, New York",
                description="Short, straight, done.",
                terms=PaymentTerms.LATER,
            ),
        ),
    ),
    Provider(
        Person("kenji@town.example", "Kenji Mori", "Asia/Tokyo", "is a physiotherapist"),
        _weekdays("Asia/Tokyo", "09:00-12:00", "13:00-18:00"),
        (
            JobDraft(
                title="Back and neck",
                category="health",
                price=Money(8800, "JPY"),
                duration=50,
                buffer_after=10,
                place="Nakameguro 3-1, Tokyo",
                description="For those who sit too much: examined, treated, and shown how to keep it that way.",
                terms=PaymentTerms.LATER,
            ),
            JobDraft(
                title="Running check",
                category="health",
                price=Money(12000, "JPY"),
                duration=60,
                buffer_after=10,
                place="Nakameguro 3-1, Tokyo",
                description="Your stride on video, and what your knees think of it.",
                policy=PolicyName.MODERATE,
            ),
        ),
    ),
    Provider(
        Person("lena@town.example", "Lena Vogel", "Europe/Zurich", "takes photographs"),
        _weekdays("Europe/Zurich", "10:00-17:00", saturday=("10:00-17:00",)),
        (
            JobDraft(
                title="Portrait session",
                category="photography",
                price=Money(18000, "CHF"),
                duration=90,
                buffer_before=30,
                place="Zurich, outdoors or in the studio",
                description="Ninety minutes, two looks, ten finished pictures. Held for you until it is paid.",
                policy=PolicyName.MODERATE,
            ),
            JobDraft(
                title="Passport pictures",
                category="photography",
                price=Money(2500, "CHF"),
                duration=15,
                slot_interval=15,
                place="Zurich, in the studio",
                description="Four prints that any office accepts, while you wait.",
                terms=PaymentTerms.LATER,
            ),
        ),
    ),
)
