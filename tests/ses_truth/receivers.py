"""What receivers conclude, by verifiers that are not ours: dkimpy, pyspf, and a few lines of DMARC in both vintages."""

import functools
import sys
from pathlib import Path

import dkim
import spf

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support/ses_simulator"), str(TESTS / "e2e")]

import rewrite  # noqa: E402  of the simulator
import verifier  # noqa: E402

POLICIES = ("none", "quarantine", "reject")
VINTAGES = (9989, 7489)


class Dns:
    """A zone in memory, and what follows from it."""

    def __init__(self, zone):
        self.zone = zone

    def query(self, name, kind):
        name = str(name).lower().rstrip(".")
        for _ in range(8):
            types = self.zone.get(name, {})
            if kind in types:
                return [record.encode() if kind == "TXT" else record for record in types[kind]]
            if "CNAME" not in types:
                break
            name = types["CNAME"][0]
        return []

    def for_pyspf(self, name, kind, tcpfallback=True, timeout=5):
        records = self.query(name, kind) if kind in ("TXT", "MX", "A", "AAAA") else []
        return [((name, kind), {"TXT": lambda r: (r,), "MX": tuple}.get(kind, str)(record)) for record in records]

    @functools.cache
    def spf(self, domain, address):
        """What a record asks of the local part is not so for any that SES writes."""
        spf.DNSLookup = self.for_pyspf
        return spf.query(i=address, s=f"0100@{domain}", h="a.smtp-out.amazonses.com", timeout=5).check()[0]

    @functools.cache
    def policy(self, vintage, author):
        return Policy(self, vintage, author)

    @functools.cache
    def organizational_domain(self, vintage, domain):
        return verifier.organizational_domain(self, domain) if vintage == 9989 else registrable(domain)


class Taste:
    """In what RFC 6376 leaves open, receivers differ."""

    def __init__(self, heeds_testing=False, takes_last=False, wants_whole_body=False):
        self.heeds_testing, self.takes_last, self.wants_whole_body = heeds_testing, takes_last, wants_whole_body


def verified_signatures(message, dns, taste):
    """(d=, s=) of the signatures that verify for a receiver of this taste."""
    found = set()
    fields, body = rewrite.split_message(message)
    signatures = [each for each in fields if each.name.lower() == "dkim-signature"]
    for index, signature in enumerate(signatures):
        tags = verifier.parse_tags(signature.raw.split(b":", 1)[1].replace(b"\r\n", b""))
        texts = dns.query(f"{tags['s']}._domainkey.{tags['d']}", "TXT")
        text = (texts[-1 if taste.takes_last else 0]) if texts else b""
        if not may_use(verifier.parse_tags(text), tags, taste.heeds_testing):
            continue
        if taste.wants_whole_body and "l" in tags and int(tags["l"]) < len(body) - 2:
            continue
        try:
            if dkim.DKIM(message, minkey=1024).verify(idx=index, dnsfunc=lambda *_, text=text, **__: text or None):
                found.add((tags["d"], tags["s"]))
        except dkim.DKIMException:
            pass
    return found


def may_use(key, signature, heeds_testing):
    """RFC 6376 Section 3.6.1 on k=, h=, s= and t=, which dkimpy leaves to its caller."""
    hashes, services = key.get("h", "sha256").split(":"), key.get("s", "*").split(":")
    if key.get("k", "rsa") != signature["a"].partition("-")[0]:
        return False
    return "sha256" in hashes and bool({"*", "email"} & set(services)) and not (heeds_testing and key.get("t") == "y")


class Policy:
    """What one vintage of receiver finds for an author domain."""

    def __init__(self, dns, vintage, author):
        self.dns, self.vintage, self.author = dns, vintage, author
        tags = self._discovered()
        self.is_found = tags is not None and is_readable(tags, vintage)
        self.tags = tags if self.is_found else {}

    def _discovered(self):
        if self.vintage == 7489:
            return self._discovered_7489()
        organization = self.dns.organizational_domain(9989, self.author)
        above = [each for each in at_and_above(organization)[1:]
                 if (verifier.policy_at(self.dns, each) or {}).get("psd") == "y"]
        # RFC 9989 Section 4.10.1: the author domain, its Organizational Domain, the public suffix domain.
        found = (verifier.policy_at(self.dns, each) for each in [self.author, organization, *above])
        return next((each for each in found if each), None)

    def _discovered_7489(self):
        """RFC 7489 Section 6.6.3; all names here are below a public suffix of one label."""
        for name in dict.fromkeys((self.author, registrable(self.author))):
            records = [each for each in self.dns.query(f"_dmarc.{name}", "TXT") if each.startswith(b"v=DMARC1;")]
            if records:
                return verifier.parse_tags(records[0]) if len(records) == 1 else None
        return None

    def aligned(self, domain, mode):
        if domain == self.author:
            return True
        organization = functools.partial(self.dns.organizational_domain, self.vintage)
        return self.tags.get(mode) != "s" and organization(domain) == organization(self.author)


def at_and_above(domain):
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def registrable(domain):
    return ".".join(domain.split(".")[-2:])


def is_readable(tags, vintage):
    others = ("sp", "np") if vintage == 9989 else ("sp",)
    readable = tags.get("p") in POLICIES and all(tags.get(each, "none") in POLICIES for each in others)
    return readable or "rua" in tags  # which then stands for p=none
