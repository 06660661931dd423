"""What SES does to a message that it takes."""

import base64
import hashlib
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


class Emission(NamedTuple):
    message_id: str
    sender: str
    message: bytes


def emit(account, fields, body, source):
    """The message as it leaves SES for a receiver, and the envelope sender it leaves with."""
    identity = account.covering(author(fields))
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
    message = b"".join(kept) + "".join(line + "\r\n" for line in added).encode() + body
    signatures = [sign(message, account.amazon_selector, "amazonses.com", account.amazon_key, SIGNED + ["Feedback-ID"])]
    if identity.signs:
        signatures.insert(0, sign(message, identity.active_token, identity.domain, identity.private_key, SIGNED))
    domain = identity.mail_from if identity.mail_from and identity.mail_from_ready else account.default_mail_from
    return Emission(message_id, f"{message_id}@{domain}", b"".join(signatures) + message)


def is_dropped(name):
    name = name.lower()
    return name in REPLACED or name in REMOVED or name.startswith("x-ses-")


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
