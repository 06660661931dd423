"""What SES refuses, in its own words."""

from email.utils import getaddresses

from rewrite import author_identity, first, identity_for

MAX_RECIPIENTS = 50
MAX_SIZE = 40 * 1024 * 1024

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

# Which fields name another account's identity for which address.
# https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-delegate-sender-tasks-email.html
ARN_FIELDS = {
    "from": ("x-ses-from-arn", "x-ses-source-arn"),
    "sender": ("x-ses-source-arn",),
    "return-path": ("x-ses-return-path-arn", "x-ses-source-arn"),
}

INVALID_SENDER = "501 Invalid MAIL FROM address provided"
TOO_MANY_RECIPIENTS = "554 Transaction failed: Recipient count exceeds 50."
TOO_LARGE = "552 Message is too long."
NOT_ASCII = "554 Transaction failed: Local address contains control or whitespace or non-ASCII characters."


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


def addresses(fields, *names):
    values = [field.value for field in fields if field.name.lower() in names]
    return [address for _, address in getaddresses(values) if address]


def unverified(account, envelope_sender, recipients, fields):
    """The addresses in From, Sender, Return-Path and the envelope that no verified identity covers; in the sandbox also
    the recipients, but Amazon's mailbox simulator."""
    wanted = [(address, ARN_FIELDS[name]) for name in ("from", "sender", "return-path")
              for address in addresses(fields, name)]
    wanted.append((envelope_sender, ARN_FIELDS["return-path"]))
    if account.in_sandbox:
        wanted += [(each, ()) for each in recipients if not each.lower().endswith("@simulator.amazonses.com")]
    failed = [address for address, arns in wanted if identity_for(account, fields, address, arns) is None]
    return list(dict.fromkeys(failed))


def needs_smtputf8(envelope_sender, recipients, fields):
    """Whether an address is not ASCII: SES does not offer SMTPUTF8."""
    written = [envelope_sender, *recipients, *addresses(fields, "from", "sender", "return-path", "to", "cc", "reply-to")]
    return any(not address.isascii() for address in written)


def size_of(fields, body):
    return sum(len(field.raw) for field in fields) + len(body)


def refusal(account, envelope_sender, recipients, fields, body=b""):
    """The reply with which SES refuses the message, or None when it takes it."""
    if not account.may_send:
        return "554 Message rejected: Sending paused for this account."
    if not envelope_sender:
        return INVALID_SENDER
    if len(recipients) > MAX_RECIPIENTS:
        return TOO_MANY_RECIPIENTS
    if size_of(fields, body) > MAX_SIZE:
        return TOO_LARGE
    if needs_smtputf8(envelope_sender, recipients, fields):
        return NOT_ASCII
    name = duplicate(fields)
    if name:
        return f"554 Transaction failed: Duplicate header '{name}'."
    failed = unverified(account, envelope_sender, recipients, fields)
    if failed:
        return (
            "554 Message rejected: Email address is not verified. The following identities failed the check in "
            f"region {account.region.upper()}: {', '.join(failed)}"
        )
    if not addresses(fields, "from"):
        return "554 Transaction failed: Missing 'From' header."
    identity = author_identity(account, fields)
    if identity.mail_from and not identity.mail_from_ready and identity.rejects_on_mx_failure:
        return f"554 MailFromDomainNotVerified: MAIL FROM domain {identity.mail_from} is not verified."
    return None
