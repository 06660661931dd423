"""What SES refuses, in its own words."""

from email.utils import getaddresses

MAX_RECIPIENTS = 50

# https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
UNIQUE_FIELDS = """
Accept-Language acceptLanguage Archived-At Auto-Submitted Bounces-to Comments Content-Alternative Content-Base
Content-Class Content-Description Content-Disposition Content-Duration Content-ID Content-Language Content-Length
Content-Location Content-MD5 Content-Transfer-Encoding Content-Type Date Delivered-To
Disposition-Notification-Options Disposition-Notification-To DKIM-Signature DomainKey-Signature Errors-To From
Importance In-Reply-To Keywords List-Archive List-Help List-Id List-Owner List-Post List-Subscribe List-Unsubscribe
Message-Context Message-ID MIME-Version Organization Original-From Original-Message-ID Original-Recipient
Original-Subject Precedence Priority References Reply-To Return-Path Return-Receipt-To Sender Sensitivity
Solicitation Subject Thread-Index Thread-Topic User-Agent VBR-Info
""".split()

INVALID_SENDER = "501 Invalid MAIL FROM address provided"
TOO_MANY_RECIPIENTS = "554 Transaction failed: Recipient count exceeds 50."


def duplicate(fields):
    """The first name, as SES spells it, that occurs twice though it must be unique."""
    spelling = {name.lower(): name for name in UNIQUE_FIELDS}
    seen = set()
    for field in fields:
        name = field.name.lower()
        if name in seen and name in spelling:
            return spelling[name]
        seen.add(name)
    return None


def unverified(account, envelope_sender, fields):
    """The addresses in From, Sender, Return-Path and the envelope that no verified identity covers."""
    values = [field.value for field in fields if field.name.lower() in ("from", "sender", "return-path")]
    addresses = [address for _, address in getaddresses(values) if address] + [envelope_sender]
    failed = [address for address in addresses if account.covering(address) is None]
    return list(dict.fromkeys(failed))


def refusal(account, envelope_sender, recipients, fields):
    """The reply with which SES refuses the message, or None when it takes it."""
    if not envelope_sender:
        return INVALID_SENDER
    if len(recipients) > MAX_RECIPIENTS:
        return TOO_MANY_RECIPIENTS
    name = duplicate(fields)
    if name:
        return f"554 Transaction failed: Duplicate header '{name}'."
    failed = unverified(account, envelope_sender, fields)
    if failed:
        return (
            "554 Message rejected: Email address is not verified. The following identities failed the check in "
            f"region {account.region.upper()}: {', '.join(failed)}"
        )
    authors = [address for _, address in getaddresses([f.value for f in fields if f.name.lower() == "from"]) if address]
    if not authors:
        return "554 Transaction failed: Missing 'From' header."
    identity = account.covering(authors[0])
    if identity.mail_from and not identity.mail_from_ready and identity.rejects_on_mx_failure:
        return f"554 MailFromDomainNotVerified: MAIL FROM domain {identity.mail_from} is not verified."
    return None
