"""What can be done with payments: pay, be told, give back, look things up."""

from application.payments.hearing import (
    ListWebhooks,
    ProcessWebhook,
    ReceiveWebhook,
    ReplayWebhook,
    UnknownSender,
    WebhookView,
)
from application.payments.linking import GetPayLink, OpenPayLink, ToPay
from application.payments.paying import (
    AbandonPayment,
    AbandonRival,
    Checkout,
    GetCheckout,
    OpenPayment,
    RefreshPayment,
    StartPayment,
)
from application.payments.reading import (
    GetPayment,
    LedgerEntryView,
    ListLedger,
    ListPayments,
    ListRefunds,
    PaymentFilter,
    PaymentView,
    RefundFilter,
    RefundView,
)
from application.payments.refunding import (
    AskRefund,
    NotYoursToRefund,
    RefundCancelledBooking,
    RefundOverpaid,
    RefundPayment,
    RefundUnplaceable,
    Repayment,
)
from application.payments.resolving import ResolveUnknown

__all__ = [
    "AbandonPayment",
    "AbandonRival",
    "AskRefund",
    "Checkout",
    "GetCheckout",
    "GetPayLink",
    "GetPayment",
    "LedgerEntryView",
    "ListLedger",
    "ListPayments",
    "ListRefunds",
    "ListWebhooks",
    "NotYoursToRefund",
    "OpenPayLink",
    "OpenPayment",
    "PaymentFilter",
    "PaymentView",
    "ProcessWebhook",
    "ReceiveWebhook",
    "RefreshPayment",
    "RefundCancelledBooking",
    "RefundFilter",
    "RefundOverpaid",
    "RefundPayment",
    "RefundUnplaceable",
    "RefundView",
    "Repayment",
    "ReplayWebhook",
    "ResolveUnknown",
    "StartPayment",
    "ToPay",
    "UnknownSender",
    "WebhookView",
]
