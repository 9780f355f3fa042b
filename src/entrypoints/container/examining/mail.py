"""Whether the mail server lets us in."""

import smtplib
import ssl
from functools import partial

from entrypoints.container.examining.findings import Finding, fail, ok
from entrypoints.settings import Settings, Tls


def mail_server(settings: Settings) -> Finding:
    """Greeted, secured as set, and signed in to."""
    host, port = settings.smtp_host or "", settings.smtp_port
    secure = partial(smtplib.SMTP_SSL, context=ssl.create_default_context())
    try:
        with (secure if settings.smtp_tls is Tls.TLS else smtplib.SMTP)(host, port, timeout=10) as client:
            if settings.smtp_tls is Tls.STARTTLS:
                client.starttls(context=ssl.create_default_context())
            if settings.smtp_user and settings.smtp_password:
                client.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            client.noop()
    except (OSError, smtplib.SMTPException) as error:
        return fail("mail", f"{host}:{port}: {error}", "see GUILDHALL_SMTP_HOST, _PORT, _TLS, _USER and _PASSWORD")
    return ok("mail", f"{host}:{port} lets us in")
