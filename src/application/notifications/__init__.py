"""Telling people: news inside the house and mails that leave it, all of it in answer to events."""

from application.notifications.accounts import (
    SendTokenMail,
    TellOfAddressChange,
    TellOfPasswordChange,
    TellOfRepeatedSignUp,
    WelcomeUser,
)
from application.notifications.billing import TellOfSubscription, WelcomeBuyer
from application.notifications.bookings import AskForReview, BookingNews, TellOfBooking
from application.notifications.disputes import TellOfAuthorisation, TellOfDispute, TellOfWarning
from application.notifications.hooked import QueueAskedLetters
from application.notifications.invitations import MailInvitation, TellOfInvitation
from application.notifications.invoicing import TellOfInvoice, TellOfQuote
from application.notifications.messages import TellOfMessage
from application.notifications.payees import TellOfPayee
from application.notifications.payments import TellOfPayment
from application.notifications.reading import (
    CountUnread,
    ListNotifications,
    NotificationView,
    ReadAllNotifications,
    ReadNotification,
    UnreadCount,
)
from application.notifications.sending import ListMails, MailView, ResendMail, SendMail

__all__ = [
    "AskForReview",
    "BookingNews",
    "CountUnread",
    "ListMails",
    "ListNotifications",
    "MailInvitation",
    "MailView",
    "NotificationView",
    "QueueAskedLetters",
    "ReadAllNotifications",
    "ReadNotification",
    "ResendMail",
    "SendMail",
    "SendTokenMail",
    "TellOfAddressChange",
    "TellOfAuthorisation",
    "TellOfBooking",
    "TellOfDispute",
    "TellOfInvitation",
    "TellOfInvoice",
    "TellOfMessage",
    "TellOfPasswordChange",
    "TellOfPayee",
    "TellOfPayment",
    "TellOfQuote",
    "TellOfRepeatedSignUp",
    "TellOfSubscription",
    "TellOfWarning",
    "UnreadCount",
    "WelcomeBuyer",
    "WelcomeUser",
]
