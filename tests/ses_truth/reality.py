"""What really becomes of a world's message: the simulated SES acts on every state its account may be in, and
independent verifiers judge the result in every way the DNS faults may resolve, for addresses of every range of SES."""

import copy
import itertools
from typing import NamedTuple, Optional

import receivers
from receivers import VINTAGES, Dns, Taste

import account  # of the simulator: receivers knows where it is
import repairs
import rewrite
import rules
from described import Standing
from messages import OWNER_ARN

UNSIGNED = (None, "", "")
GOOD = (None, "SUCCESS")
KEPT = object()
INCLUDE = "v=spf1 include:amazonses.com ~all"


class Settings(NamedTuple):
    """One state the identity that covers From may be in."""

    signs_as: Optional[str]  # d=
    selector: str
    key: str
    mail_from: Optional[str]
    is_ready: bool
    rejects: bool


class Case(NamedTuple):
    """One way it may go. By vintage of receiver where they may differ."""

    refusal: Optional[str] = None
    results: dict = {}       # pass, fail, none, mixed (not for every address of SES)
    is_signed: bool = False  # by SES for the identity, and the signature verifies
    dkim_passes: dict = {}   # some signature verifies and aligns
    spf_domain: str = ""
    spf_results: frozenset = frozenset()
    spf_aligned: dict = {}
    aligned: dict = {}       # vintage -> function of a domain: does it align as d=?


class Truth:
    def __init__(self, world, removed_signatures=(), answers="two"):
        self.world, self.removed_signatures, self.answers = world, removed_signatures, answers
        self.doubts = set(world.open_facts)
        if world.faults:
            self.doubts.add("DNS did not answer")
        fields, self.body = rewrite.split_message(world.message)
        self.fields = repairs.mend(world, fields, removed_signatures)
        self.authors = rules.addresses(self.fields, "from")
        domains = {account.split_address(each)[1] for each in self.authors}
        one_field = sum(each.name.lower() == "from" for each in self.fields) == 1
        self.author_domain = domains.pop() if one_field and len(domains) == 1 else None
        if not all(each.isascii() for each in [world.sender, *world.recipients, *self.authors]):
            self.doubts.add("an address beyond ASCII")
        self.zones = [Dns(zone) for zone in self._possible_zones()]
        self.tastes = [Taste(*each) for each in itertools.product(
            *[(False, True) if fact in world.open_facts else (False,)
              for fact in ("receivers differ", "receivers differ", "a signature of part of the body")])]
        self.cases = []
        self.ways = self._ways()
        if len(self.ways) > 1:
            self.doubts.add("the relay is not told")
        for way in reversed(self.ways):  # what stands in these members is in the end that of the first
            self.account, self.region, self.configuration_set = way
            self.here = [each for each in world.identities
                         if (each.account, each.region) == (self.account, self.region)]
            if not any(each.account == self.account for each in world.identities):
                self.doubts.add("no identity of the account is told")
            self._explore()

    def verdicts(self):
        return {"refused" if each.refusal else each.results[9989] for each in self.cases}

    def covering_name(self):
        """The identity that covers the author; None when no verified one does, or there is no one author."""
        return self._of(self.authors[0]) if self.author_domain else None

    # ---- the way to SES ----------------------------------------------------------------------------------------------

    def _ways(self):
        """(account, region, configuration set) of the first route that matches; where it is not told which relay the
        message takes, of each that may."""
        author = self.authors[0] if self.author_domain else None
        told, ways = self.world.relay, []
        for route in self.world.routes:
            if not is_of(author, route.author) or not is_of(self.world.sender, route.sender):
                continue
            if not route.relay or not told or route.relay == told:
                ways.append((route.account, route.region, route.configuration_set))
            if not route.relay or route.relay == told:
                return list(dict.fromkeys(ways[-1:] + ways))
        return list(dict.fromkeys([(*self.world.places[0], ""), *ways]))

    # ---- what may be so ----------------------------------------------------------------------------------------------

    def _explore(self):
        mended = [each for each in self.here if each.aged and not each.verified]
        for verified in itertools.product((False, True), repeat=len(mended)):
            now_verified = {each.name for each, holds in zip(mended, verified) if holds}
            self.verified = {each.name for each in self.here if each.verified} | now_verified
            for standing in self._standings():
                for owner, settings in self._possible_settings():
                    self._send(standing, owner, settings)
        if any(each.aged for each in self.here) or self._standings()[0].aged:
            self.doubts.add("what is known is aged")
        in_sandbox = not all(each.production for each in self._standings())
        if in_sandbox and not any(each.in_snapshot for each in self.here):
            self.doubts.add("who else is verified in the sandbox")

    def _standings(self):
        told = self.world.standings.get((self.account, self.region), Standing())
        good = told.production and told.sending and told.enforcement != "SHUTDOWN"
        return [told, Standing()] if told.aged and not good else [told]

    def _covering(self, address):
        found = account.Account(self._state(Standing())).covering(address) if address else None
        return next((each for each in self.here if found and each.name == found.name), None)

    def _possible_settings(self):
        """(whose identity, settings)"""
        if any(rewrite.first(self.fields, name) for name in rules.ARN_FIELDS["from"]):
            self.doubts.add("another account's identity")
            domain = self.author_domain or "example.com"
            return [("owner", Settings(*signer, None, False, False))
                    for signer in ((domain, "owner1", self.world.keys.owner.private), UNSIGNED)]
        identities = list(dict.fromkeys(filter(None, map(self._of, self.authors))))
        if len(identities) > 1:
            self.doubts.add("which of several authors")
        found = []
        for name in identities:
            author = next(each for each in self.here if each.name == name)
            sender = self._covering(self.world.sender)
            envelopes = self._mail_from_states(author)
            if rewrite.first(self.fields, "x-ses-return-path-arn"):
                self.doubts.add("another account's identity")
                envelopes = envelopes + [(None, False, False)]
            if sender and sender is not author and mail_from_of(sender) != mail_from_of(author):
                self.doubts.add("envelope of another identity")
                envelopes = envelopes + self._mail_from_states(sender)
            found += [(author, Settings(*signature, *envelope))
                      for signature in self._dkim_states(author) for envelope in dict.fromkeys(envelopes)]
        return found or [(None, Settings(*UNSIGNED, None, False, False))]

    def _of(self, address):
        found = self._covering(address)
        return found and found.name

    def _mail_from_states(self, identity):
        mail_from = identity.mail_from
        if not mail_from:
            return [(None, False, False)]
        ready, not_ready = [(mail_from.domain, state, mail_from.behavior == "REJECT_MESSAGE") for state in (True, False)]
        bad = mail_from.status not in GOOD
        if bad and not identity.aged:
            return [not_ready]
        inferred_in_vain = (mail_from.status is None or identity.aged) and self.world.is_faulty(mail_from.domain, "MX")
        if not mail_from.mx_right:
            self.doubts.add("account and DNS contradict each other")
        return [ready, not_ready] if bad or not mail_from.mx_right or inferred_in_vain else [ready]

    def _dkim_states(self, identity):
        if not identity.is_address:
            return self._domain_states(identity, identity)
        bad = not identity.enabled or identity.status not in GOOD
        if bad and not identity.aged:
            return [UNSIGNED]
        covers = [each for each in self.here if not each.is_address
                  and (identity.domain == each.name or identity.domain.endswith("." + each.name))]
        domain = max(covers, key=lambda each: (each.name in self.verified, len(each.name)), default=None)
        if domain is None or (identity.status and domain.name != identity.domain):
            if identity.status:
                self.doubts.add("an address that signs without keys")
            return [UNSIGNED]
        if identity.status:  # its own word counts, with the keys of its domain
            return self._domain_states(domain, identity)
        self.doubts.add("whether an address inherits")
        return self._domain_states(domain, domain) + [UNSIGNED]

    def _domain_states(self, identity, says):
        """With the keys of one identity, and what another says of itself."""
        signed = [(identity.name, each.selector, each.key) for each in identity.signers]
        bad = not says.enabled or says.status not in GOOD
        if bad and not says.aged:
            return [UNSIGNED]
        inferred = says.status is None or says.aged
        parent = self._parent_of(identity)
        if not identity.tokens_told and not (parent and parent.tokens_told):
            self.doubts.add("tokens")
            return signed + [UNSIGNED]
        if inferred and parent and parent.status not in GOOD:
            self.doubts.add("the state of a replica's parent")
            bad = True
        if not identity.records_right:
            self.doubts.add("account and DNS contradict each other")
        faulty = any(self.world.is_faulty(name, "TXT") for name in self.world.zone
                     if name.split(".")[0] in identity.tokens)
        # A selector that did not answer may be the one in use.
        sure = not bad and identity.records_right and not (faulty and (inferred or self.answers == "many"))
        return signed if sure and signed else signed + [UNSIGNED]

    def _parent_of(self, identity):
        return next((each for each in self.world.identities if (each.name, each.account, each.region)
                     == (identity.name, identity.account, identity.parent_region)), None)

    def _possible_zones(self):
        """A name that did not answer may have its records, or none; of `many` answers also others."""
        owner = f"owner1._domainkey.{self.author_domain or 'example.com'}"
        may_say = [[KEPT, None] + (self._others(name) if self.answers == "many" else []) for name, _, _ in self.world.faults]
        for answered in itertools.product(*may_say):
            zone = copy.deepcopy(self.world.zone)
            zone[owner] = {"TXT": [self.world.keys.owner.public]}
            for (name, kind, _), answer in zip(self.world.faults, answered):
                if answer is KEPT:
                    continue
                zone.get(name, {}).pop(kind, None)
                zone.get(name, {}).pop("CNAME", None)
                if kind == "*":
                    zone.pop(name, None)
                if answer:
                    zone.setdefault(name, {})["MX" if kind == "MX" else "TXT"] = [answer]
            yield zone

    def _others(self, name):
        """What could stand at a name as well."""
        if name.startswith("_dmarc."):
            return ["v=DMARC1; p=reject", "v=DMARC1; p=reject; adkim=s; aspf=s", "v=DMARC1; p=rejct"]
        if name.startswith("bounce"):
            host = f"feedback-smtp.{self.world.region}.amazonses.com"
            return [[10, host]] if (name, "MX") in [fault[:2] for fault in self.world.faults] else [INCLUDE]
        if name.endswith("amazonses.com") and "dkim" not in name:
            return ["v=spf1 ip4:192.0.2.0/24 -all"]
        signers = [each for identity in self.world.identities for each in identity.signers]
        keys = [each.public for each in signers if each.selector == name.split(".")[0]]
        return list(dict.fromkeys(keys)) or [self.world.keys.upstream.public]

    def is_settled_by_any_answer(self):
        """Whether all ends alike, whatever the names that did not answer may say. Nothing is settled without DMARC's
        own names and Amazon's addresses: receivers themselves are undecided without an answer there."""
        needed = {f"_dmarc.{each}" for each in receivers.at_and_above(self.author_domain or "")} | {"spf1.amazonses.com",
                                                                                                 "amazonses.com"}
        # Who waits in vain for one name may have no time left for others.
        waits = any(what == "TIMEOUT" for _, _, what in self.world.faults)
        if waits or needed & {name for name, _, _ in self.world.faults}:
            return False
        return len(Truth(self.world, self.removed_signatures, "many").verdicts()) == 1

    # ---- SES ---------------------------------------------------------------------------------------------------------

    def _state(self, standing, owner=None, settings=None):
        mine = {}
        if settings:
            mail_from = {"MailFromDomain": settings.mail_from,
                         "MailFromDomainStatus": "SUCCESS" if settings.is_ready else "FAILED",
                         "BehaviorOnMxFailure": "REJECT_MESSAGE" if settings.rejects else "USE_DEFAULT_VALUE"}
            mine = {"DkimAttributes": {"Status": "SUCCESS" if settings.signs_as else "FAILED", "SigningEnabled": True},
                    "MailFromAttributes": mail_from if settings.mail_from else {},
                    "ActiveToken": settings.selector, "PrivateKey": settings.key}
        identities = [{"IdentityName": each.name, "VerifiedForSendingStatus": each.name in self.verified,
                       "ConfigurationSetName": each.configuration_set, **(mine if each is owner else {})}
                      for each in self.here]
        domains = {each.rpartition(":identity/")[2] for each in [field.value for field in self.fields]
                   if each.startswith(OWNER_ARN)}
        return {"Region": self.region, "Identities": identities,
                "AmazonSigning": {"Selector": "amazon1", "PrivateKey": self.world.keys.amazon.private},
                "Delegated": [{"Arn": OWNER_ARN + each, "IdentityName": each, **(mine if owner == "owner" else {})}
                              for each in domains],
                "Account": {"ProductionAccessEnabled": standing.production, "SendingEnabled": standing.sending,
                            "EnforcementStatus": standing.enforcement},
                "ConfigurationSetName": self.configuration_set, "TrackingConfigurationSets": self.world.tracking}

    def _send(self, standing, owner, settings):
        ses = account.Account(self._state(standing, owner, settings))
        refusal = rules.refusal(ses, self.world.sender, self.world.recipients, self.fields, self.body)
        if refusal:
            self.cases.append(Case(refusal))
            return
        if settings.signs_as and owner != "owner":
            # An address that inherits from above its domain: the simulator knows the keys of the domain alone.
            index = next(index for index, each in enumerate(ses.identities) if each.name == owner.name)
            ses.identities[index] = inherits(ses.identities[index], settings.signs_as)
        if rewrite.configuration_set(ses, rewrite.author_identity(ses, self.fields), self.fields) in ses.tracking \
                and rewrite.first(self.fields, "dkim-signature"):
            self.doubts.add("what tracking changes in the body")
        emission = rewrite.emit(ses, self.fields, self.body, self.world.addresses[0])
        for dns, taste in itertools.product(self.zones, self.tastes):
            self.cases.append(self._received(emission, settings, dns, taste))

    # ---- receivers ---------------------------------------------------------------------------------------------------

    def _received(self, emission, settings, dns, taste):
        sender = emission.sender.rpartition("@")[2]
        spf_results = {dns.spf(sender, each) for each in self.world.addresses}
        signatures = receivers.verified_signatures(emission.message, dns, taste)
        case = Case(None, {}, (settings.signs_as, settings.selector) in signatures, {}, sender, frozenset(spf_results),
                    {}, {})
        for vintage in VINTAGES:
            if self.author_domain is None:
                # No receiver evaluates DMARC: nothing passes.
                case.results[vintage] = "fail"
                continue
            policy = dns.policy(vintage, self.author_domain)
            case.aligned[vintage] = policy.aligned
            case.spf_aligned[vintage] = policy.aligned(sender, "aspf")
            case.dkim_passes[vintage] = any(policy.aligned(domain, "adkim") for domain, _ in signatures)
            outcomes = {case.dkim_passes[vintage] or (each == "pass" and case.spf_aligned[vintage])
                        for each in spf_results}
            case.results[vintage] = "none" if not policy.is_found else "mixed" if len(outcomes) > 1 \
                else "pass" if outcomes.pop() else "fail"
        return case


def is_of(address, pattern):
    """Whether a route's "example.com" or "user@example.com" holds for an address."""
    if not pattern:
        return True
    if not address:
        return False
    local, domain = account.split_address(address)
    if "@" in pattern:
        return account.split_address(pattern) == (local, domain)
    return domain == pattern or domain.endswith("." + pattern)


def mail_from_of(identity):
    return identity.mail_from and identity.mail_from.settings()


def inherits(identity, domain):
    """The same identity, signing with d=domain."""
    if identity.domain == domain:
        return identity
    own = account.split_address(identity.name)
    result = copy.copy(identity)
    result.__class__ = type("Inheriting", (account.Identity,), {"domain": domain})
    result.covers = lambda local, name: name == own[1] and own[0] in (local, local.partition("+")[0])
    return result
