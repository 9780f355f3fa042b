"""The choreography on one page: what follows from what. Each reaction has its effect once per event."""

from application.billing import ProcessBilling
from application.bookings import ExpireHold, SettleBooking
from application.files import ClearUpload, PublishPicture, RemoveObjects
from application.identity import FollowIssuer
from application.identity.abroad import BanAbroad, DeleteAbroad, RestoreAbroad
from application.invoicing import ExpireQuote, FallDue, InvoiceQuote, SettleInvoice, UnsettleInvoice
from application.jobs import RetireJobs
from application.messaging import OpenBookingConversation
from application.notifications import (
    AskForReview,
    MailInvitation,
    SendMail,
    SendTokenMail,
    TellOfAddressChange,
    TellOfBooking,
    TellOfInvitation,
    TellOfInvoice,
    TellOfMessage,
    TellOfPasswordChange,
    TellOfPayee,
    TellOfPayment,
    TellOfQuote,
    TellOfRepeatedSignUp,
    TellOfSubscription,
    WelcomeBuyer,
    WelcomeUser,
)
from application.organizations import ExpireInvitation
from application.payments import (
    AbandonPayment,
    AbandonRival,
    AskRefund,
    FollowShare,
    OpenPayment,
    ProcessPayees,
    ProcessWebhook,
    RefundCancelledBooking,
    RefundOverpaid,
    RefundUnplaceable,
    ResolveUnknown,
)
from application.reviews import MoveRating
from domain.billing import PurchaseProvisioned, SubscriptionMoved, TrialEnding
from domain.bookings import (
    BookingAccepted,
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
    BookingMissed,
    BookingRequested,
    BookingRescheduled,
    BookingUnplaceable,
    HoldDue,
    ReviewDue,
)
from domain.files import FileDeleted, FileStored
from domain.identity import (
    EmailChanged,
    OneTimeTokenIssued,
    PasswordChanged,
    SignUpRepeated,
    UserDeleted,
    UserRestored,
    UserSignedUp,
    UserSuspended,
)
from domain.invoicing import (
    CreditNoteIssued,
    InvoiceOverdue,
    InvoiceOverpaid,
    InvoiceReminderDue,
    InvoiceSent,
    InvoiceSettled,
    QuoteAccepted,
    QuoteDeclined,
    QuoteDue,
    QuoteExpired,
    QuoteReminderDue,
    QuoteSent,
)
from domain.messaging import MessageSent
from domain.notifications import MailQueued
from domain.organizations import InvitationAccepted, InvitationDeclined, InvitationDue, InvitationSent, MemberLeft
from domain.payments import (
    PayeeMoved,
    PaymentCaptured,
    PaymentDoubted,
    PaymentFailed,
    PaymentRequested,
    PaymentStrayed,
    PayoutFailed,
    PayoutPaid,
    RefundDoubted,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    WebhookReceived,
)
from domain.reviews import ReviewHidden, ReviewPosted, ReviewRestored
from domain.shared.aggregate import Event

REACTIONS: dict[type[Event], tuple[type, ...]] = {
    UserSignedUp: (WelcomeUser,),
    SignUpRepeated: (TellOfRepeatedSignUp,),
    OneTimeTokenIssued: (SendTokenMail,),
    PasswordChanged: (TellOfPasswordChange,),
    UserSuspended: (RetireJobs, BanAbroad),
    UserDeleted: (DeleteAbroad,),
    EmailChanged: (TellOfAddressChange,),
    UserRestored: (RestoreAbroad,),
    MemberLeft: (RetireJobs,),
    InvitationSent: (MailInvitation,),
    InvitationDue: (ExpireInvitation,),
    InvitationAccepted: (TellOfInvitation,),
    InvitationDeclined: (TellOfInvitation,),
    BookingRequested: (OpenBookingConversation, TellOfBooking),
    BookingAccepted: (TellOfBooking,),
    BookingDeclined: (TellOfBooking,),
    BookingHeld: (OpenBookingConversation, TellOfBooking),
    HoldDue: (ExpireHold,),
    BookingExpired: (AbandonPayment, TellOfBooking),
    BookingConfirmed: (OpenBookingConversation, TellOfBooking),
    BookingRescheduled: (TellOfBooking,),
    BookingCancelled: (RefundCancelledBooking, TellOfBooking),
    BookingCompleted: (TellOfBooking,),
    BookingMissed: (RefundCancelledBooking, TellOfBooking),
    BookingUnplaceable: (RefundUnplaceable, TellOfBooking),
    ReviewDue: (AskForReview,),
    PaymentRequested: (OpenPayment,),
    PaymentCaptured: (SettleBooking, SettleInvoice, TellOfPayment, FollowShare),
    PaymentFailed: (TellOfPayment,),
    PaymentStrayed: (AbandonPayment,),
    PaymentDoubted: (ResolveUnknown,),
    RefundRequested: (AskRefund,),
    RefundSucceeded: (UnsettleInvoice, TellOfPayment, FollowShare),
    RefundFailed: (UnsettleInvoice, TellOfPayment, TellOfInvoice, FollowShare),
    RefundDoubted: (ResolveUnknown,),
    PayeeMoved: (TellOfPayee,),
    PayoutPaid: (TellOfPayee,),
    PayoutFailed: (TellOfPayee,),
    QuoteSent: (TellOfQuote,),
    QuoteReminderDue: (TellOfQuote,),
    QuoteDue: (ExpireQuote,),
    QuoteAccepted: (InvoiceQuote, TellOfQuote),
    QuoteDeclined: (TellOfQuote,),
    QuoteExpired: (TellOfQuote,),
    InvoiceSent: (TellOfInvoice,),
    InvoiceReminderDue: (FallDue, TellOfInvoice),
    InvoiceOverdue: (TellOfInvoice,),
    InvoiceSettled: (AbandonRival, TellOfInvoice),
    InvoiceOverpaid: (RefundOverpaid,),
    CreditNoteIssued: (AbandonRival, TellOfInvoice),
    WebhookReceived: (ProcessWebhook, ProcessBilling, ProcessPayees, FollowIssuer),
    PurchaseProvisioned: (WelcomeBuyer,),
    SubscriptionMoved: (TellOfSubscription,),
    TrialEnding: (TellOfSubscription,),
    ReviewPosted: (MoveRating,),
    ReviewHidden: (MoveRating,),
    ReviewRestored: (MoveRating,),
    MessageSent: (TellOfMessage,),
    MailQueued: (SendMail,),
    FileStored: (ClearUpload, PublishPicture),
    FileDeleted: (RemoveObjects,),
}
"""Event to reactions, in the order they run."""
