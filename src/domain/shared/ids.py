"""The ids of every aggregate. Contexts meet through these and through events, never by importing one another."""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
ExternalIdentityId = NewType("ExternalIdentityId", UUID)
SessionId = NewType("SessionId", UUID)
RefreshTokenId = NewType("RefreshTokenId", UUID)
OneTimeTokenId = NewType("OneTimeTokenId", UUID)
OAuthFlowId = NewType("OAuthFlowId", UUID)
OrganizationId = NewType("OrganizationId", UUID)
MembershipId = NewType("MembershipId", UUID)
JobId = NewType("JobId", UUID)
BookingId = NewType("BookingId", UUID)
PaymentId = NewType("PaymentId", UUID)
RefundId = NewType("RefundId", UUID)
LedgerEntryId = NewType("LedgerEntryId", UUID)
ReviewId = NewType("ReviewId", UUID)
ConversationId = NewType("ConversationId", UUID)
ParticipantId = NewType("ParticipantId", UUID)
MessageId = NewType("MessageId", UUID)
NotificationId = NewType("NotificationId", UUID)
MailId = NewType("MailId", UUID)
WebhookId = NewType("WebhookId", UUID)
EventId = NewType("EventId", UUID)
FileId = NewType("FileId", UUID)
