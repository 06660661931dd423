"""pyspf as a peer, and what it would say without its departures from RFC 7208.

REPAIRS names each departure with the section that decides. judge() answers as pyspf is, or with some of them repaired:
a difference is explained only by repairs that make it vanish."""

import importlib.machinery
import importlib.util
import itertools
import pathlib
import re
import socket
import sys

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

HERE = pathlib.Path(__file__).resolve().parent
QUERY_S = 5
SENTINEL = "reached-the-redirect"
UNLIMITED = -10**6

REPAIRS = {
    "sender form": "judges senders of any form, or splits at the first '@'; RFC 7208 Sections 2.4 and 4.3, RFC 5321 "
                   "Section 4.1.2",
    "eager": "expands all terms, counts redirect and refuses an include of itself before the first mechanism is "
             "evaluated; RFC 7208 Sections 4.6.2, 4.6.4 and 5.2: a term not reached does nothing",
    "modifiers": "knows redirect and exp in lower case only, lets no modifier appear twice and refuses c, r, t in "
                 "unknown ones; RFC 7208 Sections 6 and 7.1, RFC 5234 Section 2.3",
    "control characters": "takes control characters in a term for literals; RFC 7208 Section 7.1 macro-literal",
    "macro syntax": "takes malformed macros, does not know \"R\", and refuses \"%%\" at the end; RFC 7208 Section 7.1",
    "joiner": "joins the parts of most macros by the old delimiter; RFC 7208 Section 7.3: by \".\"",
    "one label": "drops one label only of a name over 253 octets; RFC 7208 Section 7.3",
    "cut text": "shortens explanations as if they were names; RFC 7208 Section 7.3",
    "single label": "looks for a policy at a single label; RFC 7208 Section 4.3",
    "mx all": "asks for the addresses of all exchanges before it compares one; RFC 7208 Section 5.4",
    "null mx": "counts or asks for the null MX as an exchange; RFC 7505 Section 3",
    "ptr error": "makes a DNS error on the way to the client's names a temperror; RFC 7208 Section 5.5",
    "ptr void": "counts names of the client that have no address as void look-ups: whoever owns the client chose them, "
                "not the record; RFC 7208 Section 4.6.4",
    "client name": "keeps one %{p} for all domains; RFC 7208 Section 7.3",
    "p term": "does not count %{p} among the ten terms; RFC 7208 Section 4.6.4",
    "exp counts": "lets what an explanation asks count; RFC 7208 Section 4.6.4",
}


def load_pyspf():
    """Not the comparison of the same name."""
    elsewhere = [path for path in sys.path if path and pathlib.Path(path).resolve() != HERE]
    spec = importlib.machinery.PathFinder.find_spec("spf", elsewhere)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


spf = load_pyspf()
ORIGINAL = {"RE_INVALID_MACRO": spf.RE_INVALID_MACRO, "JOINERS": spf.JOINERS}
NEVER = re.compile(r"(?!)")
MACRO = r"%(?:[%_-]|\{([A-Za-z])([0-9]*)([rR]?)[.\-+,/_=]*\})"
TOKEN = re.compile(f"{MACRO}|[^%]+|%", re.DOTALL)


class Dots(dict):
    def get(self, _key, _default=None):
        return "."


class Dns:
    """DNS for pyspf, which leaves the octets of names alone."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __call__(self, name, kind, _strict=True, _timeout=0):
        labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".")]
        try:
            query = dns.message.make_query(dns.name.Name([*labels, b""]), kind)
        except dns.name.NameTooLong:
            return []
        reply = dns.query.udp(query, "127.0.0.1", QUERY_S, self.port, sock=self.socket, ignore_unexpected=True)
        if reply.flags & dns.flags.TC:
            reply = dns.query.tcp(query, "127.0.0.1", QUERY_S, self.port)
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise spf.TempError(f"DNS {name} {dns.rcode.to_text(reply.rcode())}")
        groups = [group for group in reply.answer if group.rdtype == dns.rdatatype.from_text(kind)]
        return [((name, kind), self.value(record, kind)) for group in groups for record in group]

    @staticmethod
    def value(record, kind):
        if kind == "MX":
            return record.preference, record.exchange.to_text().rstrip(".")
        if kind == "PTR":
            return record.target.to_text().rstrip(".")
        return list(record.strings) if kind == "TXT" else record.address


class Later:
    """A domain-spec that is expanded when its term is reached."""

    def __init__(self, query, text):
        self.query, self.text, self.name = query, text, None

    def __str__(self):
        if self.name is None:
            self.name = self.query.expand_now(self.text)
        return self.name

    def lower(self):
        return str(self).lower()


def pieces(text):
    return [match.group() for match in TOKEN.finditer(text)]


class Query(spf.query):
    """pyspf with some departures repaired."""

    only_syntax = False

    def __init__(self, repairs, **arguments):
        self.repairs = repairs
        super().__init__(**arguments)
        self.set_default_explanation("")

    def has(self, repair):
        return repair in self.repairs

    # Reading.

    def dns_spf(self, domain):
        domain = str(domain)
        if self.has("single label") and "." not in domain.strip("."):
            return None
        text = super().dns_spf(domain)
        if not text:
            return text
        if self.has("control characters") and re.search("[^ -~]", text):
            raise spf.PermError("control characters")
        return self.plain_modifiers(text) if self.has("modifiers") else text

    @staticmethod
    def plain_modifiers(text):
        terms = []
        for term in text.split(" "):
            name, equals, value = term.partition("=")
            if not spf.RE_MODIFIER.match(term) or name.lower() == "v":
                terms.append(term)
            elif name.lower() in ("redirect", "exp"):
                terms.append(name.lower() + equals + value)
            else:
                check_macros(value, "slodiphvcrt")
        return " ".join(terms)

    def validate_mechanism(self, mech):
        if mech == SENTINEL:
            return mech, "all", None, 0, SENTINEL
        return super().validate_mechanism(mech)

    def expand_domain(self, arg):
        if not self.has("eager"):
            return super().expand_domain(arg)
        self.only_syntax = True
        try:
            if not super().expand_domain(arg) and not arg:
                return ""
        finally:
            self.only_syntax = False
        return Later(self, arg)

    def expand_now(self, text):
        if self.has("p term"):
            for _ in range(sum(piece.lower().startswith("%{p") for piece in pieces(text))):
                self.check_lookups()
        return self.expand(text)

    def check0(self, text, recursion):
        found = [term for term in (text or "").split(" ") if term.startswith("redirect=")]
        if not self.has("eager") or len(found) != 1:
            return super().check0(text, recursion)
        terms = [term for term in text.split(" ") if term != found[0]]
        target = self.expand_domain(found[0].partition("=")[2])
        if not target:
            raise spf.PermError("empty redirect")
        self.exps[SENTINEL] = self.defexps[SENTINEL] = ""
        result = super().check0(" ".join([*terms, SENTINEL]), recursion)
        if result[0] != SENTINEL:
            return result
        self.check_lookups()
        record = self.dns_spf(target)
        if not record:
            raise spf.PermError("no policy behind redirect")
        if not recursion:
            self.exps = dict(self.defexps)
        return self.check1(record, target, recursion)

    def check1(self, text, domain, recursion):
        return super().check1(text, str(domain), recursion)

    # Macros.

    def expand(self, s, stripdot=True):
        if self.has("macro syntax"):
            s = check_macros(s, "slodiphv" if stripdot else "slodiphvcrt", " " if not stripdot else "")
        if not stripdot and self.has("cut text"):
            whole = super().expand
            return "".join(whole(piece, False) if piece.startswith("%") else piece for piece in pieces(s))
        result = super().expand(s, stripdot)
        if stripdot and self.has("one label"):
            while len(result) > 253 and "." in result:
                result = result.partition(".")[2]
        return result

    def getp(self):
        if self.only_syntax:
            return
        if self.has("client name"):
            self.p = None
        super().getp()

    def get_explanation(self, spec):
        if not self.has("exp counts"):
            return super().get_explanation(spec)
        counted, kept = (self.void_lookups, self.lookups), self.p
        self.void_lookups = self.lookups = UNLIMITED
        try:
            return super().get_explanation(spec)
        finally:
            (self.void_lookups, self.lookups), self.p = counted, kept

    # DNS.

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        found = super().dns(name, qtype, cnames, ignore_void)
        return [each for each in found if each[1]] if qtype == "MX" and self.has("null mx") else found

    def dns_a(self, domainname, A="A"):
        name = str(domainname)
        return super().dns_a(name, A) if name else []

    def dns_mx(self, domainname):
        name = str(domainname)
        if not name:
            return []
        if not self.has("mx all"):
            return super().dns_mx(name)
        hosts = sorted(self.dns(name, "MX"))
        if len(hosts) > spf.MAX_MX:
            raise spf.PermError("MX limit")
        return itertools.chain.from_iterable(self.dns_a(host, self.A) for _, host in hosts)

    def cidrmatch(self, ipaddrs, n):
        return any(spf.query.cidrmatch(self, [address], n) for address in ipaddrs)

    def validated_ptrs(self):
        if not self.has("ptr error") and not self.has("ptr void"):
            return super().validated_ptrs()
        names = self.forgiving(lambda: self.dns_ptr(self.i))[:spf.MAX_PTR]
        return [name for name in names if self.cidrmatch(self.forgiving(lambda: self.uncounted(name)), self.cidrmax)]

    def forgiving(self, ask):
        try:
            return ask()
        except spf.TempError:
            if self.has("ptr error"):
                return []
            raise

    def uncounted(self, name):
        counted = self.void_lookups
        if self.has("ptr void"):
            self.void_lookups = UNLIMITED
        try:
            return self.dns_a(name, self.A)
        finally:
            if self.has("ptr void"):
                self.void_lookups = counted


def check_macros(text, letters, more=""):
    """RFC 7208 Section 7.1; as pyspf reads it, with "r" in lower case."""
    out = ""
    for match in TOKEN.finditer(text):
        piece = match.group()
        if match.group(1):
            if match.group(1).lower() not in letters or (match.group(2) and not int(match.group(2))):
                raise spf.PermError("macro")
            piece = piece[:3] + piece[3:].replace("R", "r")
        elif piece == "%" or (not piece.startswith("%") and not all("!" <= c <= "~" or c in more for c in piece)):
            raise spf.PermError("macro")
        out += piece
    return out


class Pyspf:
    def __init__(self, port, receiver):
        self.receiver = receiver
        spf.DNSLookup = Dns(port)

    def judge(self, world, sender, repairs=frozenset()):
        """(result, explanation). `sender` is what the sender means: (local part, domain), None for nothing to judge."""
        mail_from, helo = world.mail_from, world.helo
        if "sender form" in repairs:
            if sender is None:
                return "none", ""
            mail_from = "@".join(sender)
        spf.RE_INVALID_MACRO = NEVER if "macro syntax" in repairs else ORIGINAL["RE_INVALID_MACRO"]
        spf.JOINERS = Dots() if "joiner" in repairs else ORIGINAL["JOINERS"]
        try:
            query = Query(repairs, i=world.ip, s=mail_from, h=helo, receiver=self.receiver)
            if "sender form" in repairs:
                query.l, query.o = sender
                query.d = query.o
            result, _, explanation = query.check()
        except Exception as error:  # a peer may stumble
            return f"crash: {type(error).__name__}: {error}", ""
        return result, explanation if result == "fail" else ""
