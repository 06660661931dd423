"""What really becomes of a world's message: the simulated SES acts on every state its account may be in, and independent
verifiers judge the result in every way the DNS faults may resolve, for addresses of every range of SES."""

import copy
import itertools
import pathlib
import sys
from collections import defaultdict
from typing import NamedTuple, Optional

import dkim
import spf

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support/ses_simulator"), str(TESTS / "e2e")]

import account  # noqa: E402  of the simulator
import rewrite  # noqa: E402
import rules  # noqa: E402
import verifier  # noqa: E402

from worlds import ADDRESSES  # noqa: E402

POLICIES = ("none", "quarantine", "reject")


class Dns:
    """A zone in memory."""

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


class Settings(NamedTuple):
    """One state the identity that covers From may be in."""

    signs_as: Optional[str]  # d=
    active: str
    key: str
    mail_from: Optional[str]
    mail_from_ready: bool
    rejects: bool


class Truth:
    def __init__(self, world):
        self.world = world
        self.results = defaultdict(set)  # vintage -> pass, fail, none, mixed; and "refused"
        self.signed = set()  # with each: domains SES signed for whose signature verifies
        fields, body = rewrite.split_message(world.message)
        for settings in self._possible_settings():
            ses = self._simulated(settings)
            if rules.refusal(ses, world.sender, world.recipients, fields):
                self.results[9989].add("refused")
                continue
            emission = rewrite.emit(ses, fields, body, ADDRESSES[0])
            for zone in self._possible_zones():
                self._receive(emission, Dns(zone))

    # ---- what may be so ----------------------------------------------------------------------------------------------

    def _covering(self, address):
        return account.Account(self._state(lambda identity: {})).covering(address)

    def _identity(self, address):
        found = self._covering(address) if address else None
        return next((each for each in self.world.identities if found and each.name == found.name), None)

    def _possible_settings(self):
        author = self._identity(self.world.author)
        if author is None:
            return [Settings(None, "", "", None, False, False)]
        sender = self._identity(self.world.sender)
        envelopes = self._mail_from_states(author)
        if sender and sender is not author and sender.mail_from != author.mail_from:
            self.world.open_facts.add("envelope of another identity")
            envelopes = envelopes + self._mail_from_states(sender)
        return [Settings(*signature, *envelope) for signature in self._dkim_states(author) for envelope in envelopes]

    def _mail_from_states(self, identity):
        mail_from = identity.mail_from
        if not mail_from:
            return [(None, False, False)]
        ready, not_ready = [(mail_from.domain, state, mail_from.behavior == "REJECT_MESSAGE") for state in (True, False)]
        if mail_from.status not in (None, "SUCCESS"):
            return [not_ready]
        inferred_in_vain = mail_from.status is None and self.world.is_faulty(mail_from.domain, "MX")
        return [ready, not_ready] if not mail_from.mx_right or inferred_in_vain else [ready]

    def _dkim_states(self, identity):
        unsigned = (None, "", "")
        if not identity.is_address:
            return self._domain_states(identity, identity.status)
        if not identity.enabled or identity.status not in (None, "SUCCESS"):
            return [unsigned]
        covers = [each for each in self.world.identities if not each.is_address
                  and (identity.domain == each.name or identity.domain.endswith("." + each.name))]
        domain = max(covers, key=lambda each: (each.verified, len(each.name)), default=None)
        if domain is None or (identity.status and domain.name != identity.domain):
            if identity.status:
                self.world.open_facts.add("an address that signs without keys")
            return [unsigned]
        if identity.status:  # its own word counts, with the keys of its domain
            return self._domain_states(domain, identity.status, enabled=True)
        self.world.open_facts.add("whether an address inherits")
        return self._domain_states(domain, domain.status) + [unsigned]

    def _domain_states(self, identity, status, enabled=None):
        signed, unsigned = (identity.name, identity.active, identity.key), (None, "", "")
        if not (identity.enabled if enabled is None else enabled) or status not in (None, "SUCCESS"):
            return [unsigned]
        if not identity.tokens_told:
            self.world.open_facts.add("tokens")
            return [signed, unsigned]
        faulty = any(self.world.is_faulty(name, "TXT") for name in self.world.zone
                     if name.split(".")[0] in identity.tokens)
        return [signed, unsigned] if not identity.records_right or (faulty and status is None) else [signed]

    def _possible_zones(self):
        """A name that did not answer may have its records, or none."""
        for answered in itertools.product((True, False), repeat=len(self.world.faults)):
            zone = copy.deepcopy(self.world.zone)
            for (name, kind, _), kept in zip(self.world.faults, answered):
                if not kept:
                    zone.get(name, {}).pop(kind, None)
                    zone.get(name, {}).pop("CNAME", None)
                    if kind == "*":
                        zone.pop(name, None)
            yield zone

    # ---- SES ---------------------------------------------------------------------------------------------------------

    def _state(self, attributes):
        identities = [{"IdentityName": each.name, "VerifiedForSendingStatus": each.verified, **attributes(each)}
                      for each in self.world.identities]
        amazon = {"Selector": "amazon1", "PrivateKey": self.world.keys.amazon[0]}
        return {"Region": self.world.region, "AmazonSigning": amazon, "Identities": identities}

    def _simulated(self, settings):
        author = self._identity(self.world.author)

        def attributes(identity):
            if identity is not author:
                return {}
            mail_from = {"MailFromDomain": settings.mail_from,
                         "MailFromDomainStatus": "SUCCESS" if settings.mail_from_ready else "FAILED",
                         "BehaviorOnMxFailure": "REJECT_MESSAGE" if settings.rejects else "USE_DEFAULT_VALUE"}
            return {"DkimAttributes": {"Status": "SUCCESS" if settings.signs_as else "FAILED", "SigningEnabled": True},
                    "MailFromAttributes": mail_from if settings.mail_from else {},
                    "ActiveToken": settings.active, "PrivateKey": settings.key}

        ses = account.Account(self._state(attributes))
        chosen = ses.covering(self.world.author)
        if settings.signs_as and chosen.domain != settings.signs_as:
            # An address that inherits from above its domain: the simulator knows the keys of the domain alone.
            ses.identities[ses.identities.index(chosen)] = inherits(chosen, settings.signs_as)
        return ses

    # ---- receivers ---------------------------------------------------------------------------------------------------

    def _receive(self, emission, dns):
        domain = emission.sender.rpartition("@")[2]
        spf.DNSLookup = dns.for_pyspf
        spf_results = {spf.query(i=each, s=emission.sender, h="a.smtp-out.amazonses.com", timeout=5).check()[0]
                       for each in ADDRESSES}
        differ = "receivers differ" in self.world.open_facts
        for taste in itertools.product((False, True), repeat=2) if differ else [(False, False)]:
            verified = verified_signatures(emission.message, dns, *taste)
            self.signed.add(frozenset(name for name, selector in verified if selector not in ("up", "amazon1")))
            domains = {name for name, _ in verified}
            for vintage in (9989, 7489):
                seen = {dmarc(dns, vintage, self.world.author_domain, domains, domain if each == "pass" else None)
                        for each in spf_results}
                self.results[vintage].add(seen.pop() if len(seen) == 1 else "mixed")


def inherits(identity, domain):
    """The same identity, signing with d=domain."""
    own = account.split_address(identity.name)
    result = copy.copy(identity)
    result.__class__ = type("Inheriting", (account.Identity,), {"domain": domain})
    result.covers = lambda local, name: name == own[1] and own[0] in (local, local.partition("+")[0])
    return result


def verified_signatures(message, dns, heeds_testing, takes_last):
    """(d=, s=) of the signatures that verify for a receiver of this taste."""
    found = set()
    signatures = [each for each in rewrite.split_message(message)[0] if each.name.lower() == "dkim-signature"]
    for index, signature in enumerate(signatures):
        tags = verifier.parse_tags(signature.raw.split(b":", 1)[1].replace(b"\r\n", b""))
        texts = dns.query(f"{tags['s']}._domainkey.{tags['d']}", "TXT")
        text = (texts[-1 if takes_last else 0]) if texts else b""
        if not may_use(verifier.parse_tags(text), heeds_testing):
            continue
        try:
            if dkim.DKIM(message, minkey=1024).verify(idx=index, dnsfunc=lambda *_, text=text, **__: text or None):
                found.add((tags["d"], tags["s"]))
        except dkim.DKIMException:
            pass
    return found


def may_use(key, heeds_testing):
    """RFC 6376 Section 3.6.1 on k=, h=, s= and t=, which dkimpy leaves to its caller. SES signs with rsa-sha256."""
    hashes, services = key.get("h", "sha256").split(":"), key.get("s", "*").split(":")
    if key.get("k", "rsa") != "rsa":
        return False
    return "sha256" in hashes and bool({"*", "email"} & set(services)) and not (heeds_testing and key.get("t") == "y")


def is_readable(tags, vintage):
    others = ("sp", "np") if vintage == 9989 else ("sp",)
    readable = tags.get("p") in POLICIES and all(tags.get(each, "none") in POLICIES for each in others)
    return readable or "rua" in tags  # which then stands for p=none


def policy_7489(dns, author):
    """RFC 7489 Section 6.6.3; all names here are below a public suffix of one label."""
    for name in dict.fromkeys((author, registrable(author))):
        records = [each for each in dns.query(f"_dmarc.{name}", "TXT") if each.startswith(b"v=DMARC1;")]
        if records:
            return verifier.parse_tags(records[0]) if len(records) == 1 else None
    return None


def registrable(domain):
    return ".".join(domain.split(".")[-2:])


def dmarc(dns, vintage, author, signed_domains, spf_domain):
    """pass, fail or none."""
    if vintage == 9989:
        policy = verifier.policy_at(dns, author) or verifier.policy_at(dns, verifier.organizational_domain(dns, author))
    else:
        policy = policy_7489(dns, author)
    if policy is None or not is_readable(policy, vintage):
        return "none"

    def aligned(domain, mode):
        if vintage == 9989:
            return verifier.aligned(dns, policy.get(mode) == "s", domain, author)
        return domain == author or (policy.get(mode) != "s" and registrable(domain) == registrable(author))

    passes = any(aligned(each, "adkim") for each in signed_domains) or (spf_domain and aligned(spf_domain, "aspf"))
    return "pass" if passes else "fail"
