#!/usr/bin/python3
"""The author domain held against other readings of From: random values of every form RFC 5322 has, whole and damaged.

    mailboxes.py BIN_DIRECTORY [FIRST_SEED COUNT]

`grammar` is the ABNF of Sections 3.4 and 4.4 as regular expressions over token kinds, written for this comparison
alone: it must agree in every case, and what Sesame refuses beyond it is listed. The others are readers in use, which
take more than the grammar allows: where Sesame names one author domain they must see that one and no other; where
Sesame names none, they may read what they like into a value that the grammar does not have."""

import base64
import email.errors
import email.headerregistry
import email.utils
import random
import re
import sys

import harness

FIRST, COUNT = 1, 1200
BATCH = 50

EXPLAINED = {
    "not in the grammar": "they read a value that is no address list: RFC 5322 Sections 3.4 and 4.4 do not have it",
    "control octet": "RFC 5322 Section 4.1 once allowed them; readers differ on what they mean",
    "encoded-word in a local part": "RFC 2047 Section 5 forbids it; who decodes it sees another address",
    "an encoded-word ends in quotes": "who looks for encoded-words first sees another address (RFC 2047 Section 5)",
    "no host name": "what stands behind @ cannot be asked for in the DNS (RFC 9989 Section 5.3.1)",
    "a gap in the domain": "RFC 5322 Section 4.4 has it, but who stops at the gap sees another domain",
    "they split a route": "the domain is that of the address behind the route, whatever commas it has (RFC 5322 4.4)",
    "they overlook an address": "there are several domains, and they see some of these (RFC 9989 Section 5.3.1)",
    "they give up": "RFC 5322 Section 4 has forms that must be read, and they show no address at all",
}


# ---- Values

SPACE = [" ", "  ", "\t", "\r\n ", "\r\n\t "]
COMMENTS = ["(c)", "()", "(a (b) c)", r"(a \) b)", "(x@evil.test)", "(<y@evil.test>)", "(,;:)", '(")', "(caf\xc3\xa9)"]
ATOMS = ["user", "a", "John", "o'neil", "x+y", "!#$%&*/=?^_`{|}~-", "J\xc3\xbcrgen", "=?utf-8?Q?x=40evil=2etest?="]
QUOTED = ['"Q"', '""', '"a b"', '"Doe, John"', r'"a \"b\" c"', '"a@evil.test"', '"<z@evil.test>"', '"a;b:c"', r'"\\"',
          '"(c)"']
LOCALS = ["user", "a.b", "x+y=example.net", "o'neil", '"a@evil.test"', '"a b"', r'"a\"b"', "\xc3\xbc"]
DOMAINS = ["example.com", "mail.example.com", "legit.example", "evil.test", "EXAMPLE.org", "xn--bcher-kva.example",
           "a_b.example", "b\xc3\xbccher.example", "localhost"]
SPLICES = ["@", "<", ">", ",", ";", ":", ".", "(", ")", '"', "\\", "[", "]", " ", "\r\n ", "\x00", "\x1b", "\x7f",
           "\x80", "=", "?", "@evil.test", ".evil.test", " .evil.test", "(x).evil.test", "<x@evil.test>",
           ", x@evil.test", "\\,", "\\\"", "@evil.test:", "=?utf-8?Q?x=40evil=2etest=3e?=",
           "=?utf-8?B?YUBldmlsLnRlc3Q=?=", "\xef\xbc\xa0", "\xe3\x80\x82", "[192.0.2.1]", "T:",
           "legit.example", "a@legit.example", "\xe2\x80\xae", "user@"]


class Maker:
    """Writes one value of the grammar. `gaps` is how often white space and comments stand where they may."""

    def __init__(self, rng):
        self.rng = rng
        self.gaps = rng.choice([0, 0, 0.1, 0.5])
        self.one = rng.choice(DOMAINS) if rng.random() < 0.85 else None

    def gap(self, least=""):
        if self.rng.random() >= self.gaps:
            return least
        return "".join(self.rng.choice(SPACE if self.rng.random() < 0.6 else COMMENTS)
                       for _ in range(self.rng.randint(1, 3)))

    def dotted(self, text):
        return ".".join(self.gap() + part + self.gap() for part in text.split(".")) if self.rng.random() < 0.3 else text

    def address(self):
        local = self.rng.choice(LOCALS)
        local = local if '"' in local else self.dotted(local)
        if self.rng.random() < 0.1:
            local = '"q"' + self.gap() + "." + self.gap() + "x"
        domain = self.dotted(self.one or self.rng.choice(DOMAINS))
        return self.gap() + local + self.gap() + "@" + self.gap() + domain + self.gap()

    def route(self):
        hops = ["@" + self.rng.choice(DOMAINS) if i == 0 or self.rng.random() < 0.8 else ""
                for i in range(self.rng.randint(1, 3))]
        return self.rng.choice(["", "", ",", ", ,"]) + ",".join(self.gap() + hop + self.gap() for hop in hops) + ":"

    def phrase(self):
        words = [self.rng.choice(ATOMS + QUOTED) for _ in range(self.rng.randint(1, 3))]
        return self.gap() + "".join(word + self.rng.choice([" ", " ", " ", ". ", self.gap(" ")]) for word in words)

    def mailbox(self):
        if self.rng.random() < 0.3:
            return self.address()
        name = self.phrase() if self.rng.random() < 0.8 else self.gap()
        return name + "<" + (self.route() if self.rng.random() < 0.1 else "") + self.address() + ">" + self.gap()

    def group(self):
        members = [self.mailbox() if self.rng.random() < 0.8 else self.gap() for _ in range(self.rng.randint(0, 3))]
        return self.phrase() + ":" + ",".join(members) + self.gap() + ";" + self.gap()

    def value(self):
        count = self.rng.choice([1, 1, 1, 1, 2, 3])
        parts = []
        for _ in range(count):
            pick = self.rng.random()
            parts.append(self.group() if pick < 0.1 else self.gap() if pick < 0.14 else self.mailbox())
        return ",".join(parts)


def damaged(rng, value):
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(value) + 1)
        kind = rng.random()
        if kind < 0.5:
            value = value[:at] + rng.choice(SPLICES) + value[at:]
        elif kind < 0.8:
            value = value[:at] + value[at + rng.randint(1, 3):]
        else:
            end = rng.randrange(at, len(value) + 1)
            value = value[:at] + value[at:end] * 2 + value[end:]
    # A line end that folds nothing would end the field.
    return "".join(re.findall(r"\r\n[ \t]|[^\r\n]", value))


def make(seed):
    """A value as octets in a str, one character each."""
    rng = random.Random(seed)
    value = Maker(rng).value()
    return " " + (value if rng.random() < 0.4 else damaged(rng, value))


# ---- Readings: the set of author domains, or None where there is no reading

def unfolded(value):
    return re.sub(r"\r\n(?=[ \t])", "", value)


def ascii_domain(domain):
    """As A-labels; "" when it is no host name. The labels of these values are the same in IDNA 2003 and 2008."""
    if any(ord(c) >= 0x80 for c in domain):
        try:
            text = domain.encode("latin-1").decode()
            domain = text.encode("idna").decode()
        except UnicodeError:
            return ""
        # Beside U-labels an A-label must stand for one (UTS 46 Section 4); the damaged ones of these values do not.
        if re.search(r"xn--(?!bcher-kva\b)", text.lower()) or re.search(r"(^|\.)-|-(\.|$)", domain):
            return ""
    labels = domain.lower().removesuffix(".").split(".")
    return ".".join(labels) if all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels) else ""


DOMAIN = r"a(?:\.a)*"
SPEC = rf"[aq](?:\.[aq])*@{DOMAIN}"
ROUTE = rf",*@{DOMAIN}(?:,(?:@{DOMAIN})?)*:"
PHRASE = r"[aq][aq.]*"
MAILBOX = rf"(?:{SPEC}|(?:{PHRASE})?<(?:{ROUTE})?{SPEC}>)"
GROUP = rf"{PHRASE}:,*(?:{MAILBOX}(?:,+{MAILBOX})*,*)?;"
ADDRESS = rf"(?:{MAILBOX}|{GROUP})"
LIST = re.compile(rf",*(?:{ADDRESS}(?:,+{ADDRESS})*,*)?")
AUTHOR = re.compile(rf"[aq]@({DOMAIN})")
TOKEN = re.compile(r"""(?P<w>[ \t]+)|(?P<q>"(?:[^"\\]|\\.)*")|(?P<s>[<>@,:;.])|"""
                   r"""(?P<a>[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]+)""", re.DOTALL)


def tokens(text):
    """Kinds and texts, comments and white space as kind w; None when something is no token."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "(":
            depth, end = 0, at
            while True:
                if end >= len(text):
                    return None
                step = {"(": 1, ")": -1}.get(text[end], 0)
                end += 2 if text[end] == "\\" else 1
                depth += step
                if depth == 0:
                    break
            if end > len(text):
                return None
            found.append(("w", text[at:end]))
            at = end
            continue
        match = TOKEN.match(text, at)
        if not match:
            return None
        found.append((match.group() if match.lastgroup == "s" else match.lastgroup, match.group()))
        at = match.end()
    return found


class Grammar:
    """`domains`: None when the value is not in the grammar. `strict`: why Sesame refuses it all the same, or None."""

    def __init__(self, value):
        text = unfolded(value)
        self.domains, self.strict, self.routes = None, None, set()
        all_tokens = tokens(text)
        if all_tokens is None:
            return
        kept = [i for i, (kind, _) in enumerate(all_tokens) if kind != "w"]
        kinds = "".join(all_tokens[i][0] for i in kept)
        if not LIST.fullmatch(kinds):
            return
        self.domains = set()
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
            self.strict = "control octet"
        for match in re.finditer(rf"@({DOMAIN})", kinds):
            run = kept[match.start(1):match.end(1)]
            self.check(all_tokens, run)
            if not AUTHOR.match(kinds, match.start() - 1):
                self.routes.add(ascii_domain("".join(all_tokens[i][1] for i in run)))
        for match in AUTHOR.finditer(kinds):
            run = kept[match.start(1):match.end(1)]
            domain = ascii_domain("".join(all_tokens[i][1] for i in run))
            self.domains.add(domain)
            if not domain:
                self.strict = self.strict or "no host name"
        for i, (kind, text) in enumerate(all_tokens):
            if kind in "qw" and "?=" in text and any(k == "a" and "=?" in t for k, t in all_tokens[:i]):
                self.strict = self.strict or "an encoded-word ends in quotes"
        for match in re.finditer(r"([aq](?:\.[aq])*)@", kinds):
            local = "".join(all_tokens[i][1] for i in kept[match.start(1):match.end(1)])
            if re.search(r"=\?.*\?=", local):
                self.strict = self.strict or "encoded-word in a local part"

    def check(self, all_tokens, run):
        labels = 0
        for here, following in zip(run, run[1:]):
            labels += all_tokens[here][0] == "a"
            if following != here + 1 and labels >= 2:
                self.strict = self.strict or "a gap in the domain"


def by_python(value):
    text = unfolded(value).encode("latin-1").decode(errors="surrogateescape")
    try:
        domains = [address.domain for address in email.headerregistry.HeaderRegistry()("From", text).addresses]
        return {ascii_domain(domain.encode(errors="surrogateescape").decode("latin-1")) for domain in domains}
    except (IndexError, AttributeError, ValueError, TypeError, email.errors.MessageError):  # its bugs
        return None


def by_old_python(value):
    found = email.utils.getaddresses([unfolded(value)])
    return {ascii_domain(address.rpartition("@")[2]) for _, address in found if address}


class MailAddress:
    def __init__(self, world):
        self.peer = harness.Perl("mailboxes_peer.pl", world.port)

    def __call__(self, value):
        answer = self.peer.ask({"value": harness.octets(unfolded(value).encode("latin-1"))})
        return {ascii_domain(base64.b64decode(domain).decode("latin-1")) for domain in answer["domains"]}


def by_sesame(world, value):
    message = b"From:" + value.encode("latin-1") + b"\r\nSubject: x\r\n\r\nHi\r\n"
    answer = world.sesame("verify", message=message)["dmarc"]
    if (answer["from_domain"] is None) != (answer["result"] == "permerror"):
        raise RuntimeError(f"{value!r}: {answer}")
    return answer["from_domain"], answer["reason"]


# ---- Comparison

def shown(domains):
    return "no reading" if domains is None else sorted(domains)


def compare(account, readers, value, ours, reason):
    grammar = Grammar(value)
    story = f"{value!r}\n{reason}\ngrammar: {shown(grammar.domains)} {grammar.strict}"
    wanted = None
    if grammar.domains is not None and len(grammar.domains) == 1 and not grammar.strict:
        (wanted,) = grammar.domains
    if ours == wanted:
        several = grammar.domains and len(grammar.domains) > 1
        account.same("grammar", "one domain" if ours else "several domains" if several else
                     "no address" if grammar.domains == set() else "refused")
    else:
        account.differs("grammar", ours, wanted, None, story)
    for name, reader in readers.items():
        theirs = reader(value)
        domains = None if theirs is None else theirs - {""}
        if ours is None:
            if not domains or len(domains) > 1:
                account.same(name, "no one domain")
                continue
            why = "not in the grammar" if grammar.domains is None else grammar.strict
            if len(grammar.domains or ()) > 1 and domains < grammar.domains:
                why = "they overlook an address"
            account.differs(name, ours, shown(theirs), why, story)
        elif domains == {ours}:
            account.same(name, "one domain")
        elif not domains:
            account.differs(name, ours, shown(theirs), "they give up", story)
        elif domains - {ours} <= grammar.routes:
            account.differs(name, ours, shown(theirs), "they split a route", story)
        else:
            account.differs(name, ours, shown(theirs), None, story)


def main():
    harness.need(("libmailtools-perl", ["/usr/bin/perl", "-MMail::Address", "-MJSON::PP", "-e1"]))
    account = harness.Account("mailboxes", EXPLAINED)
    numbers = harness.seeds(sys.argv, FIRST, COUNT)
    with harness.World(sys.argv[1]) as world:
        mail_address = MailAddress(world)
        readers = {"email.headerregistry": by_python, "email.utils": by_old_python, "Mail::Address": mail_address}
        for start in range(numbers.start, numbers.stop, BATCH):
            values = [make(seed) for seed in range(start, min(start + BATCH, numbers.stop))]
            for value, (ours, reason) in zip(values, harness.in_parallel(lambda each: by_sesame(world, each), values)):
                compare(account, readers, value, ours, reason)
        mail_address.peer.close()
    sys.exit(account.close({"one domain", "several domains", "no address", "refused", "no one domain"}))


if __name__ == "__main__":
    main()
