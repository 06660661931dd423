"""An independent verifier at the receiver: what dkimpy, pyspf and a few lines of DMARC conclude about a delivered
message. None of Sesame's code takes part."""

import re
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.utils import getaddresses

import dkim
import dns.exception
import dns.resolver
import spf


class TemporaryError(Exception):
    """The DNS gave no answer."""


class Resolver:
    def __init__(self, port):
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = ["127.0.0.1"]
        self._resolver.port = port
        self._resolver.lifetime = 5

    def query(self, name, kind):
        """Records as text (TXT: strings joined); [] when there are none."""
        try:
            answer = self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise TemporaryError(f"{name} {kind}: {error}") from error
        if kind == "TXT":
            return [b"".join(record.strings) for record in answer]
        return list(answer)

    def for_dkimpy(self, name, timeout=5):
        records = self.query(name.decode().rstrip("."), "TXT")
        return records[0] if records else None

    def for_pyspf(self, name, kind, tcpfallback=True, timeout=5):
        try:
            records = self.query(name, kind)
        except TemporaryError as error:
            raise spf.TempError(str(error)) from error
        shape = {
            "TXT": lambda record: (record,),
            "MX": lambda record: (record.preference, record.exchange.to_text(True)),
            "A": lambda record: record.address,
            "AAAA": lambda record: record.address,
        }
        return [((name, kind), shape[kind](record)) for record in records] if kind in shape else []


@dataclass
class Finding:
    """What the receiver saw and what follows from it."""

    client: str = ""
    helo: str = ""
    mail_from: str = ""
    from_domain: str = ""
    dkim: list = field(default_factory=list)  # domains whose signature verifies
    spf: str = "none"
    dkim_aligned: bool = False
    spf_aligned: bool = False
    dmarc: str = "none"


def parse_tags(record):
    pairs = (part.split("=", 1) for part in record.decode("ascii", "replace").split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, value in pairs}


def policy_at(resolver, domain):
    """The one DMARC record of a domain, as tags; None when there is none, or several."""
    records = [record for record in resolver.query(f"_dmarc.{domain}", "TXT") if re.match(rb"v=DMARC1\s*(;|$)", record)]
    return parse_tags(records[0]) if len(records) == 1 else None


def organizational_domain(resolver, domain):
    """RFC 9989 Section 4.10.2, for names of fewer than eight labels: the highest name with a record, unless psd says
    otherwise."""
    labels = domain.split(".")
    found = domain
    for start in range(len(labels)):
        name = ".".join(labels[start:])
        policy = policy_at(resolver, name)
        if policy is None:
            continue
        if policy.get("psd") == "n":
            return name
        if policy.get("psd") == "y":
            return name if start == 0 else ".".join(labels[start - 1 :])
        found = name
    return found


def aligned(resolver, strict, domain, author):
    if strict or domain == author:
        return domain == author
    return organizational_domain(resolver, domain) == organizational_domain(resolver, author)


def verify(message, resolver):
    header = BytesHeaderParser().parsebytes(message)
    finding = Finding()
    # Written by the receiving Postfix: what the client said and where it came from.
    received = re.search(r"from (\S+) \(\S+ \[([0-9a-f.:]+)\]\)", header.get_all("Received")[0])
    finding.helo, finding.client = received.groups()
    finding.mail_from = header["Return-Path"].strip("<>")
    author = getaddresses([header["From"]])[0][1]
    finding.from_domain = author.rpartition("@")[2].lower()

    for index in range(len(header.get_all("DKIM-Signature", []))):
        signature = dkim.DKIM(message)
        try:
            if signature.verify(idx=index, dnsfunc=resolver.for_dkimpy):
                finding.dkim.append(signature.domain.decode().lower())
        except (dkim.DKIMException, TemporaryError):
            pass

    spf.DNSLookup = resolver.for_pyspf
    finding.spf = spf.check2(finding.client, finding.mail_from, finding.helo, timeout=5)[0]
    try:
        conclude(finding, resolver)
    except TemporaryError:
        finding.dmarc = "temperror"
    return finding


def conclude(finding, resolver):
    author = finding.from_domain
    policy = policy_at(resolver, author) or policy_at(resolver, organizational_domain(resolver, author))
    tags = policy or {}
    finding.dkim_aligned = any(aligned(resolver, tags.get("adkim") == "s", each, author) for each in finding.dkim)
    sender = finding.mail_from.rpartition("@")[2].lower() or finding.helo.lower()
    finding.spf_aligned = finding.spf == "pass" and aligned(resolver, tags.get("aspf") == "s", sender, author)
    if policy is None:
        finding.dmarc = "none"
    else:
        finding.dmarc = "pass" if finding.dkim_aligned or finding.spf_aligned else "fail"
