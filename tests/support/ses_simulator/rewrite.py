"""What SES does to a message that it takes."""

import base64
import hashlib
import re
import uuid
from datetime import datetime, timezone
from email.utils import format_datetime, getaddresses
from typing import NamedTuple

import dkim

REPLACED = {"date", "message-id"}
REMOVED = {"return-path", "bounces-to"}
SIGNED = ["From", "To", "Subject", "MIME-Version", "Content-Type", "Message-ID", "Date"]


class Field(NamedTuple):
    name: str
    raw: bytes  # the whole field, with its folds and the last CRLF

    @property
    def value(self):
        return self.raw.split(b":", 1)[1].decode("utf-8", "replace").replace("\r\n", "").strip()


def split_message(message):
    """The fields in order, and the body with the empty line before it."""
    end = message.find(b"\r\n\r\n")
    header, body = (message, b"\r\n") if end < 0 else (message[: end + 2], message[end + 2 :])
    if message.startswith(b"\r\n"):
        header, body = b"", message
    fields = []
    for line in header.splitlines(keepends=True):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] = Field(fields[-1].name, fields[-1].raw + line)
        elif b":" in line:
            fields.append(Field(line.split(b":", 1)[0].decode("latin-1").strip(), line))
    return fields, body


def author(fields):
    values = [field.value for field in fields if field.name.lower() == "from"]
    return next(address for _, address in getaddresses(values) if address)


def first(fields, name):
    """The value of the first field of this name; None if there is none."""
    return next((field.value for field in fields if field.name.lower() == name), None)


def identity_for(account, fields, address, arn_fields):
    """The identity whose settings hold for an address: another account's where a field names its ARN."""
    for name in arn_fields:
        arn = first(fields, name)
        if arn in account.delegated:
            return account.delegated[arn]
    return account.covering(address)


def author_identity(account, fields):
    return identity_for(account, fields, author(fields), ("x-ses-from-arn", "x-ses-source-arn"))


class Emission(NamedTuple):
    message_id: str
    sender: str
    message: bytes


def emit(account, fields, body, source):
    """The message as it leaves SES for a receiver, and the envelope sender it leaves with."""
    identity = author_identity(account, fields)
    now = datetime.now(timezone.utc)
    message_id = f"0100{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"
    account_hash = base64.b64encode(hashlib.sha256(account.region.encode()).digest()).decode()
    kept = [field.raw for field in fields if not is_dropped(field.name)]
    added = [
        f"Message-ID: <{message_id}@{account.message_id_domain}>",
        f"Date: {format_datetime(now)}",
        f"Feedback-ID: ::1.{account.region}.{account_hash}:AmazonSES",
        f"X-SES-Outgoing: {now:%Y.%m.%d}-{source}",
    ]
    if configuration_set(account, identity, fields) in account.tracking:
        body = tracked(fields, body)
    message = b"".join(kept) + "".join(line + "\r\n" for line in added).encode() + body
    signatures = [sign(message, account.amazon_selector, "amazonses.com", account.amazon_key, SIGNED + ["Feedback-ID"])]
    if identity.signs:
        keys = account.signing_identity(identity)
        signatures.insert(0, sign(message, keys.active_token, identity.domain, keys.private_key, SIGNED))
    domain = identity.mail_from if identity.mail_from and identity.mail_from_ready else account.default_mail_from
    return Emission(message_id, f"{message_id}@{domain}", b"".join(signatures) + message)


def is_dropped(name):
    name = name.lower()
    return name in REPLACED or name in REMOVED or name.startswith("x-ses-")


def configuration_set(account, identity, fields):
    """What the message names comes first, then what the credentials or the relay choose, then the identity's own."""
    return first(fields, "x-ses-configuration-set") or account.configuration_set or identity.configuration_set


def tracked(fields, body):
    """The body with its links led over Amazon and a picture of one pixel, where there is HTML."""
    content_type = (first(fields, "content-type") or "").lower()
    if not content_type.startswith("text/html") and b"content-type: text/html" not in body.lower():
        return body
    body = re.sub(rb'href="(https?://[^"]*)"', rb'href="https://r.awstrack.example/L0/\1"', body)
    return body.replace(b"</body>", b'<img alt="" src="https://r.awstrack.example/I0/1"></body>')


def sign(message, selector, domain, key, names):
    # A name in h= for which there is no field would sign its absence, which SES does not do.
    present = {field.name.lower() for field in split_message(message)[0]}
    return dkim.sign(
        message,
        selector.encode(),
        domain.encode(),
        key.encode(),
        canonicalize=(b"relaxed", b"simple"),
        include_headers=[name.encode() for name in names if name.lower() in present],
        linesep=b"\r\n",
    )
