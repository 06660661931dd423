"""Random messages for comparisons: what canonicalisation, selection of fields and parsers stumble over.

A message is (fields, body): fields from the top as (name, value) in octets, the value with its leading white space and
its folding, without the final CRLF. Line ends are CRLF but where `bare_line_ends` is asked for."""

import re

WORDS = [b"alpha", b"Beta", b"gamma;", b"delta=x", b"a:b", b"=?utf-8?q?caf=C3=A9?=", b"caf\xc3\xa9", b"\xff\xfe", b"<1@example.com>",
         b"(comment)", b'"quoted \\" part"', b"x" * 70, b"b=", b"v=1;", b"From:", b"DKIM-Signature", b"."]
NAMES = [b"Subject", b"To", b"Cc", b"Date", b"Message-ID", b"Reply-To", b"Received", b"MIME-Version", b"Content-Type",
         b"List-Id", b"X-Test", b"X-Other", b"Comments", b"Sender", b"References", b"x"]
SPACES = [b" ", b" ", b" ", b"  ", b"\t", b" \t ", b"    "]
FOLDS = [b"\r\n ", b"\r\n\t", b" \r\n ", b"\t\r\n  \t", b"\r\n    "]


def in_some_case(rng, name):
    return rng.choice([name, name, name, name.lower(), name.upper(), name.swapcase()])


def value(rng):
    """Of a field: white space, folding, 8-bit, nothing at all, long lines."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice([b"", b" ", b"\t ", b"  "])
    text = rng.choice([b" ", b" ", b" ", b"", b"  ", b"\t", b"\r\n ", b" \r\n\t"])
    count = rng.randrange(1, 8) if kind < 0.95 else rng.randrange(100, 300)
    for i in range(count):
        if i > 0:
            text += rng.choice(SPACES if rng.random() < 0.8 else FOLDS)
        text += rng.choice(WORDS)
    return text + rng.choice([b"", b"", b"", b" ", b"\t", b" \t "])


def fields(rng, author=b"a@example.com"):
    """One From and others in any order, some of them several times."""
    chosen = [(in_some_case(rng, rng.choice(NAMES)), value(rng)) for _ in range(rng.randrange(1, 9))]
    if rng.random() < 0.5:
        again = rng.choice(chosen)[0]
        chosen += [(in_some_case(rng, again), value(rng)) for _ in range(rng.randrange(1, 3))]
    spaces = rng.choice([b" ", b" ", b"", b"  ", b"\r\n "])
    chosen.append((in_some_case(rng, b"From"), spaces + rng.choice([b"", b"A B ", b'"A, B"\r\n ']) + b"<" + author + b">"))
    rng.shuffle(chosen)
    return chosen


def line(rng):
    kind = rng.random()
    if kind < 0.15:
        return b""
    if kind < 0.25:
        return rng.choice([b" ", b"\t", b"  \t ", b"          "])
    text = rng.choice([b"", b"", b"", b" ", b"\t ", b".", b".."])
    for i in range(rng.randrange(1, 7) if kind < 0.97 else rng.randrange(150, 900)):
        text += (rng.choice(SPACES) if i > 0 else b"") + rng.choice(WORDS)
    return text + rng.choice([b"", b"", b"", b" ", b" \t", b"   "])


def body(rng, bare_line_ends=False):
    kind = rng.random()
    if kind < 0.06:
        return b""
    if kind < 0.12:
        return rng.choice([b" ", b"\r\n", b"\r\n\r\n\r\n", b" \r\n", b"\t\r\n \r\n", b"x", b" x"])
    text = b"".join(line(rng) + b"\r\n" for _ in range(rng.randrange(1, 9)))
    text += rng.choice([b"", b"", b"\r\n", b"\r\n\r\n\r\n", b" \r\n", b" \r\n\t\r\n\r\n", b"no line end", b" ", b"white space \t"])
    if bare_line_ends:
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice([b"\r", b"\n"]) + text[at:]
    return text


def join(some_fields, some_body):
    return b"".join(name + b":" + text + b"\r\n" for name, text in some_fields) + b"\r\n" + some_body


def with_crlf(message):
    """A bare LF as CRLF, a line end at the end: as an MTA sends it on, and as files are read. A bare CR is an octet."""
    text = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    return text if not text or text.endswith(b"\r\n") else text + b"\r\n"
