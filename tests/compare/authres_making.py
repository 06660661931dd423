"""Random headers to write and random fields to read, for authres_fields.py."""

NAME = "Authentication-Results"
OWN = ("mx.example.com", "bücher.example")
OTHERS = ("other.example", "mx.example.net", "mx.example.com.other.example", "xmx.example.com", "mail", "a_b.example",
          "example.com", "mx-example.com")
METHODS = ("spf", "dkim", "dmarc", "arc", "auth", "iprev", "x-new", "DKIM", "nonesuch", "none", "dkim-adsp")
RESULTS = ("pass", "fail", "none", "temperror", "permerror", "neutral", "Policy", "softfail", "x-maybe")
PROPERTIES = (("smtp", "mailfrom"), ("smtp", "helo"), ("smtp", "auth"), ("smtp", "remote-ip"), ("header", "d"),
              ("header", "i"), ("header", "s"), ("header", "a"), ("header", "b"), ("header", "from"),
              ("header", "oldest-pass"), ("policy", "dmarc"), ("policy", "iprev"), ("body", "x"), ("Header", "From"),
              ("x-tool", "y"), ("reasons", "x"))
PLAIN = ("example.com", "user@example.com", "@example.com", "192.0.2.1", "rsa-sha256", "1", "sel._x", "reject", "none",
         "first.last+tag@mail.example.com")
HOSTILE = ("2001:db8::1", "ab/d+f==", "", " ", "a b", "u@localhost", "a@b@c", "\"", "\\", "\\\"", "(", ")", ";",
           "; dmarc=pass",
           "\"; dmarc=pass header.from=example.org", "\\\"; dmarc=pass header.from=example.org", "x\r\nX-Injected: y",
           "x\r\n\tdmarc=pass", "\0", "\x7f", "\x80\xff", "bücher.example", "any@example.org'@attack.example",
           "(c)",
           "any@example.org(.attack.example", "reason=x", "header.d=example.org", "=?utf-8?Q?x?=", "a.", ".a",
           "a..b@example.com",
           "\t", "a=b", "%s%n", "'", "user@example.com.", "[192.0.2.1]")
ALPHABET = "ab1.@-_+=/?:;,()<>[]\"'\\ \t\r\n\0\x01\x7f\x80\xa0\xffü§"
LONG = 2000
KEYWORDS = "abcdefghij-_"
SPACES = (" ", "\t", "  ", "\r\n ", "\r\n\t", " \r\n\t ", "(c)", " (a (b) c) ", "(\\))", "(\\()", "( x )\r\n (y)",
          "(mx.example.com)", "(;=)", "()", " (\")")
BROKEN_SPACES = ("(", ")", "(\\", "\r", "\n")
BLANKS = ("\x85", "\xa0", "\u00a0", "\u2009", "\u3000", "\u200b", "\ufeff", "\u00ad", "\x0b", "\x0c", "\0")
PIECES = ("; none", ";;", "(", ")", "\"", "\\", "mx.example.com", "reason=", "smtp.", " 1", "=?")


def octets_of(text):
    """Each character below 256 is one octet, others are UTF-8."""
    return b"".join(bytes([ord(c)]) if ord(c) < 0xc0 else c.encode() for c in text)


def random_text(random):
    kind = random.random()
    if kind < 0.45:
        return random.choice(PLAIN)
    if kind < 0.75:
        return random.choice(HOSTILE)
    if kind < 0.8:
        return random.choice(("a", "\"", "a b ", "\\", "(", "\n", "aé;")) * random.randrange(1, LONG)
    if kind < 0.9:
        return random.choice(HOSTILE) + random.choice(PLAIN) + random.choice(HOSTILE)
    return "".join(random.choice(ALPHABET) for _ in range(random.randrange(1, 30)))


def keyword(random, known):
    if random.random() < 0.9:
        return random.choice(known)
    return "".join(random.choice(KEYWORDS) for _ in range(random.randrange(1, 8)))


def random_header(random):
    """[id, [[method, version, result, reason, comment, [[ptype, property, value]]]]]"""
    statements = []
    for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
        properties = []
        for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
            ptype, name = random.choice(PROPERTIES)
            properties.append([keyword(random, (ptype,)), keyword(random, (name,)), random_text(random)])
        statements.append([keyword(random, METHODS), random.choice((1, 1, 1, 2, 17)), keyword(random, RESULTS),
                           random_text(random) if random.random() < 0.4 else "",
                           random_text(random) if random.random() < 0.3 else "", properties])
    own = random.choice(OWN + OTHERS) if random.random() < 0.95 else random_text(random)
    return [own, statements]


def space(random, least=""):
    """CFWS, or as little as must be."""
    if random.random() < 0.7:
        return least
    return random.choice(SPACES if random.random() < 0.98 else BROKEN_SPACES)


def dressed(random, name):
    """An authserv-id as somebody might write it who wants it to be read by some and seen by nobody."""
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        at = random.randrange(len(name) + 1)
        kind = random.randrange(15)
        if kind == 0:
            name = name.swapcase()
        elif kind == 1:
            name = name[:at] + space(random, "(c)") + name[at:]
        elif kind == 2:
            name = f'"{name}"'
        elif kind == 3:
            name = name[:at] + '"' + name[at:] + '"'
        elif kind == 4:
            name = name[:at] + "\\" + name[at:]
        elif kind == 5:
            name += random.choice((".", "..", "\u3002"))
        elif kind == 6:
            name += random.choice(("1", " 1", "/1", " 2", " (v) 1 ", "=", ",", ":"))
        elif kind == 7:
            blank = random.choice(BLANKS)
            name = random.choice((blank + name, name + blank, name[:at] + blank + name[at:]))
        elif kind == 8:
            name = name.replace(".", random.choice(("\u3002", "\uff0e", " . ", ". ", "\\.", ".(c)", ".\r\n\t")))
        elif kind == 9:
            name = random.choice(("Authentication-Results:", "authentication-results : ", NAME)) + name
        elif kind == 10:
            name = random.choice((f"=?utf-8?Q?{name}?=", f"=?us-ascii?q?{name[:at]}?={name[at:]}"))
        elif kind == 11:
            name = random.choice((";", ",", "<", "@", "=", ") ", "\"\"", "\"\" ", ".", "(")) + name
        elif kind == 12:
            name = random.choice(("(\\) ", "(a (b) ", "(\\( \\) ")) + name + "; dmarc=pass) other.example"
        elif kind == 13:
            name = f"other.example; none{random.choice((chr(13), chr(10)))}Authentication-Results: {name}"
        else:
            name = name[:at] + random.choice("\xff\x80ü") + name[at:]
    return name


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def random_value(random):
    text = random.choice(PLAIN + HOSTILE) if random.random() < 0.9 else random_text(random)
    kind = random.random()
    if kind < 0.5:
        return random.choice(PLAIN)
    if kind < 0.85:
        return quoted("".join(c for c in text if " " <= c <= "~"))
    if kind < 0.95:
        return quoted("local part") + "@example.com"
    return text


def random_statement(random):
    text = space(random) + random.choice(METHODS) + space(random)
    if random.random() < 0.15:
        text += "/" + space(random) + random.choice(("1", "2", "007")) + space(random)
    text += "=" + space(random) + random.choice(RESULTS)
    if random.random() < 0.3:
        text += space(random, " ") + random.choice(("reason", "Reason")) + space(random) + "=" + space(random)
        text += random_value(random)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        ptype, name = random.choice(PROPERTIES)
        text += space(random, " ") + ptype + space(random) + "." + space(random) + name + space(random) + "="
        text += space(random) + random_value(random)
    return text


def mutated(random, text):
    at = random.randrange(len(text) + 1)
    end = min(len(text), at + random.randrange(1, 6))
    kind = random.randrange(5)
    if kind == 0:
        return text[:at] + text[end:]
    if kind == 1:
        return text[:at] + random.choice(ALPHABET) + text[at:]
    if kind == 2:
        return text[:at] + text[at:end] * 2 + text[end:]
    if kind == 3:
        return text[:at] + random.choice(PIECES) + text[at:]
    return text[:at]


class RandomField:
    """The value of a field: by the grammar, most often under a dressed id, and then perhaps mutated."""

    def __init__(self, random):
        self.clean = random.random() < 0.25
        name = random.choice(OWN + OTHERS)
        self.is_own = name in OWN
        text = (" " if self.clean else space(random)) + (name if self.clean else dressed(random, name))
        if random.random() < 0.15:
            text += space(random, " ") + random.choice(("1", "1", "2", "01"))
        if random.random() < 0.2:
            text += space(random) + ";" + space(random) + random.choice(("none", "NONE"))
        else:
            text += "".join(space(random) + ";" + random_statement(random) for _ in range(random.choice((1, 1, 2, 3))))
        text += space(random)
        if not self.clean:
            for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
                text = mutated(random, text)
        self.octets = octets_of(text)
