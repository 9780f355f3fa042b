"""The choreography on one page: what follows from what. Each reaction has its effect once per event."""

from application.bookings import ExpireHold, SettleBooking
from application.files import ClearUpload, PublishPicture, RemoveObjects
from application.identity import FollowIssuer
from application.identity.abroad import BanAbroad, RestoreAbroad
from application.jobs import RetireJobs
from application.messaging import OpenBookingConversation
from application.notifications import (
    AskForReview,
    SendMail,
    SendTokenMail,
    TellOfBooking,
    TellOfMessage,
    TellOfPasswordChange,
    TellOfPayment,
    TellOfRepeatedSignUp,
    WelcomeUser,
)
from application.payments import (
    AbandonPayment,
    AskRefund,
    OpenPayment,
    ProcessWebhook,
    RefundCancelledBooking,
    RefundUnplaceable,
    ResolveUnknown,
)
from application.reviews import MoveRating
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
    OneTimeTokenIssued,
    PasswordChanged,
    SignUpRepeated,
    UserRestored,
    UserSignedUp,
    UserSuspended,
)
from domain.messaging import MessageSent
from domain.notifications import MailQueued
from domain.organizations import MemberLeft
from domain.payments import (
    PaymentCaptured,
    PaymentDoubted,
    PaymentFailed,
    PaymentRequested,
    PaymentStrayed,
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
    UserRestored: (RestoreAbroad,),
    MemberLeft: (RetireJobs,),
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
    PaymentCaptured: (SettleBooking, TellOfPayment),
    PaymentFailed: (TellOfPayment,),
    PaymentStrayed: (AbandonPayment,),
    PaymentDoubted: (ResolveUnknown,),
    RefundRequested: (AskRefund,),
    RefundSucceeded: (TellOfPayment,),
    RefundFailed: (TellOfPayment,),
    RefundDoubted: (ResolveUnknown,),
    WebhookReceived: (ProcessWebhook, FollowIssuer),
    ReviewPosted: (MoveRating,),
    ReviewHidden: (MoveRating,),
    ReviewRestored: (MoveRating,),
    MessageSent: (TellOfMessage,),
    MailQueued: (SendMail,),
    FileStored: (ClearUpload, PublishPicture),
    FileDeleted: (RemoveObjects,),
}
"""Event to reactions, in the order they run."""
