"""A world's message, its envelope, and what is odd about them."""

import dkim

from keys import ED25519_PUBLIC, ED25519_SEED

OWNER_ARN = "arn:aws:ses:us-east-1:444455556666:identity/"
HTML = '<html><body><a href="https://www.example.com/">Read on</a></body></html>'
BODIES = {
    "text": ("text/plain", "Body.\r\n"),
    "html": ("text/html; charset=us-ascii", HTML + "\r\n"),
    "both": ('multipart/alternative; boundary="b"', "--b\r\nContent-Type: text/plain\r\n\r\nBody.\r\n"
             "--b\r\nContent-Type: text/html\r\n\r\n" + HTML + "\r\n--b--\r\n"),
    "mixed": ('multipart/mixed; boundary="b"', "--b\r\nContent-Type: text/plain\r\n\r\nBody.\r\n--b--\r\n"),
}
QUIRKS = {
    "": 110, "duplicate": 2, "same twice": 3, "alike twice": 1, "mime twice": 1, "comments": 1, "foreign sender": 2,
    "own sender": 2, "return path": 2, "foreign return path": 1, "foreign author": 2, "two from": 1, "same from": 0.5,
    "two authors": 1, "authors of two domains": 1, "no from": 1, "crowd": 1, "full house": 1, "upstream": 16,
    "two upstream": 4, "source arn": 1, "from arn": 1, "return path arn": 1, "set": 4, "8-bit": 2, "8-bit name": 1,
    "long line": 2, "utf8 author": 1, "utf8 sender": 0.5, "utf8 recipient": 0.5, "capitals": 2, "large": 0.3,
    "own fields": 1,
}


def compose(world):
    _address(world)
    quirk = world.quirk = world.pick(QUIRKS)
    _finish_address(world)
    content_type, body = BODIES[world.pick({"text": 6, "html": 3 if world.tracking else 1, "both": 1, "mixed": 1})]
    author = {"foreign author": "x@other.example", "utf8 author": "n\u00e9ws@" + world.author_domain,
              "capitals": world.author.replace("example", "EXAMPLE")}.get(quirk, world.author)
    name = "N\u00e9ws" if quirk == "8-bit name" else "News"
    lines = [f"From: {name} <{author}>", "To: a@receiver.example", "Subject: hello", "MIME-Version: 1.0",
             f"Content-Type: {content_type}", "Message-ID: <1@example.com>", "Date: Mon, 02 Nov 2026 09:00:00 +0000"]
    if quirk == "no from":
        del lines[0]
    if quirk in ("two authors", "authors of two domains"):
        other = "example.net" if quirk == "authors of two domains" else world.author_domain
        lines[0] += f", other@{other}"
    lines += {"duplicate": ["subject: again"], "same twice": ["Subject: hello"], "alike twice": ["SUBJECT:  hello "],
              "mime twice": ["MIME-Version: 1.0"], "comments": ["Comments: a", "Comments: b"],
              "foreign sender": ["Sender: x@other.example"], "own sender": ["Sender: x@example.com"],
              "return path": ["Return-Path: <x@example.com>"], "foreign return path": ["Return-Path: <x@other.example>"],
              "two from": ["From: x@example.com"], "same from": [lines[0]],
              "source arn": [f"X-SES-SOURCE-ARN: {OWNER_ARN}{world.author_domain}"],
              "from arn": [f"X-SES-FROM-ARN: {OWNER_ARN}{world.author_domain}"],
              "return path arn": [f"X-SES-RETURN-PATH-ARN: {OWNER_ARN}host.example"],
              "set": ["X-SES-CONFIGURATION-SET: " + world.pick({"tracked": 2, "plain": 1})],
              "own fields": ["Sesame-Prediction: pass", "Authentication-Results: sesame.test; dkim=pass"],
              "upstream": ["X-SES-Tag: a", "Bounces-To: x@example.com"][:world.pick({0: 2, 1: 1, 2: 1})],
              }.get(quirk, [])
    body += {"8-bit": "Gr\u00fc\u00dfe\r\n", "long line": "x" * 1200 + "\r\n", "large": ("y" * 76 + "\r\n") * 537000
             }.get(quirk, "")
    world.message = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
    if quirk in ("upstream", "two upstream", "set", "same twice", "8-bit") and (quirk == "upstream" or world.chance(0.7)):
        _sign(world, "up")
    if quirk == "two upstream":
        _sign(world, "down")


def _address(world):
    """Who it goes to and comes from."""
    other = "bounces@example.net" if any(each.name == "example.net" for each in world.identities) else world.author
    world.sender = world.pick({world.author: 60, "bounces@" + world.author_domain: 15, other: 10, "b@example.com": 12,
                               "": 1, "root@host.example": 1})
    in_sandbox = any(not each.production for each in world.standings.values())
    recipient = world.pick({"friend@example.com": 3, "success@simulator.amazonses.com": 1, "a@receiver.example": 2}
                           if in_sandbox else {"a@receiver.example": 1})
    world.recipients = [recipient]


def _finish_address(world):
    if world.quirk in ("crowd", "full house"):
        count = 51 if world.quirk == "crowd" else 50
        world.recipients = [f"a{number}@{world.recipients[0].partition('@')[2]}" for number in range(count)]
    if world.quirk == "utf8 sender":
        world.sender = "bo\u00fcnces@" + world.author_domain
    if world.quirk == "utf8 recipient":
        world.recipients.append("empf\u00e4nger@receiver.example")
    if world.quirk == "capitals":
        world.sender = world.sender.replace("example", "Example")


def _sign(world, selector):
    """A DKIM signature made before SES."""
    domain = world.pick({"example.com": 1, world.author_domain: 1, "example.net": 1})
    names = world.pick({"from to subject": 5, "from to date": 1, "from message-id": 1, "from x-ses-tag": 1,
                        "from bounces-to": 0.5, "from feedback-id": 0.5, "from subject subject": 1,
                        "from mime-version content-type": 1})
    if "bounces-to" in names and b"\r\nBounces-To" not in world.message:
        names = "from to"
    if "x-ses-tag" in names and b"\r\nX-SES-Tag" not in world.message:
        names = "from subject"
    kind = world.pick({"right": 8, "fault": 1, "missing": 1, "testing": 1, "ed25519": 1, "part of the body": 1,
                       "broken": 1})
    is_ed25519 = kind == "ed25519"
    public = ED25519_PUBLIC if is_ed25519 else world.keys.upstream.public
    name = f"{selector}._domainkey.{domain}"
    if kind != "missing":
        world.put(name, "TXT", ("t=y; " if kind == "testing" else "") + public)
    if kind == "testing":
        world.open_facts.add("receivers differ")
    if kind == "fault":
        world.fault(name, "TXT")
    if kind == "part of the body":
        world.open_facts.add("a signature of part of the body")
    canon = world.pick({(b"relaxed", b"relaxed"): 3, (b"simple", b"simple"): 1, (b"relaxed", b"simple"): 1})
    key = ED25519_SEED if is_ed25519 else world.keys.upstream.private
    field = dkim.sign(world.message, selector.encode(), domain.encode(), key.encode(),
                      include_headers=names.encode().split(), canonicalize=canon, linesep=b"\r\n",
                      length=kind == "part of the body",
                      signature_algorithm=b"ed25519-sha256" if is_ed25519 else b"rsa-sha256")
    if kind == "part of the body":
        world.message += b"And more.\r\n"
    if kind == "broken":
        world.message = world.message.replace(b"To: a@", b"To: b@")
    world.message = field + world.message
