"""The sender domains of the benchmark's corpus, and everything the DNS says of them."""

from dataclasses import dataclass, field

import signing

RELAYS = 6  # mail services that send for many domains, each from its own /27
SPF_FORMS = (("include", 48), ("two includes", 16), ("redirect", 8), ("a", 9), ("mx", 9), ("ip4", 10))
CANONICAL = (("relaxed/relaxed", 62), ("relaxed/simple", 24), ("simple/simple", 14))
POLICIES = (("none", 40), ("quarantine", 25), ("reject", 35))
OUTCOME = {"-all": "fail", "~all": "softfail", "?all": "neutral"}
RSA_POOL = 5000  # more keys than this are not made: domains share them


@dataclass
class Signature:
    key: object
    domain: str
    selector: str
    canonical: str
    outcome: str = "pass"


@dataclass
class Relay:
    number: int
    key: object

    @property
    def name(self):
        return f"relay{self.number}.example"

    def host(self, n):
        """Its n-th host of 30: (address, name)."""
        return f"192.0.2.{32 * self.number + 1 + n}", f"out{n}.{self.name}"


@dataclass
class Sender:
    name: str
    relay: Relay
    form: str  # of the SPF record
    otherwise: str  # what its SPF record says of everybody else
    address: str  # of its own host, mail.NAME
    canonical: str
    keys: list  # of the selectors s0, s1, ...
    policy: str | None  # DMARC
    strict: bool = False
    bounce: bool = False  # its envelope sender is in a domain below
    news: bool = False  # its author is in a domain below
    dead: bool = False

    @property
    def own_host(self):
        return self.form in ("a", "mx", "ip4")

    def signatures(self):
        return [Signature(key, self.name, f"s{n}", self.canonical) for n, key in enumerate(self.keys)]


@dataclass
class Zone:
    """In the form that tests/support/zone.h describes."""

    lines: list = field(default_factory=list)

    def add(self, name, kind, data):
        self.lines.append(f"{name} {kind} {data}")

    def text(self, name, text):
        """Several strings where one is too short."""
        strings = [text[at:at + 255] for at in range(0, len(text), 255)]
        self.add(name, "TXT", text if len(strings) == 1 else " ".join(f'"{each}"' for each in strings))


def choose(chance, weighted):
    words, weights = zip(*weighted)
    return chance.choices(words, weights)[0]


class World:
    """`selectors`: how many keys each domain has, None for one or two of mixed kinds."""

    def __init__(self, chance, domains, selectors, dead_share):
        self.zone = Zone()
        self.mixed = selectors is None
        self._pool = signing.rsa_keys(chance, min(RSA_POOL, RELAYS + 1 + domains * max(1, selectors or 1)))
        self._drawn = 0
        self.stranger_key = self._rsa()
        self.relays = [Relay(number, self._rsa()) for number in range(RELAYS)]
        self.senders = [self._sender(chance, number, selectors) for number in range(domains)]
        for sender in chance.sample(self.senders, round(dead_share * domains)):
            sender.dead = True
        for relay in self.relays:
            self._describe_relay(relay)
        for sender in self.senders:
            self._describe(sender)

    def _rsa(self):
        self._drawn += 1
        return self._pool[self._drawn % len(self._pool)]

    def _keys(self, chance, selectors):
        if selectors is not None:
            return [self._rsa() for _ in range(selectors)]
        shapes = ((("rsa",), 80), (("ed25519",), 6), (("ed25519", "rsa"), 14))
        return [self._rsa() if kind == "rsa" else signing.Ed25519Key(chance) for kind in choose(chance, shapes)]

    def _sender(self, chance, number, selectors):
        form = choose(chance, SPF_FORMS)
        sender = Sender(f"sender{number}.example", chance.choice(self.relays), form,
                        "~all" if form == "redirect" else chance.choices(list(OUTCOME), (40, 50, 10))[0],
                        f"198.51.100.{1 + number % 250}", choose(chance, CANONICAL), self._keys(chance, selectors),
                        choose(chance, POLICIES) if chance.random() > 0.06 else None)
        shape = chance.random()
        sender.news = shape < 0.12
        sender.bounce = 0.12 <= shape < 0.3 and not sender.own_host
        sender.strict = shape > 0.9
        return sender

    def _describe_relay(self, relay):
        first = 32 * relay.number
        self.zone.text(f"_spf.{relay.name}", f"v=spf1 include:_net1.{relay.name} include:_net2.{relay.name} ~all")
        self.zone.text(f"_net1.{relay.name}", f"v=spf1 ip4:192.0.2.{first}/28 ~all")
        self.zone.text(f"_net2.{relay.name}", f"v=spf1 ip4:192.0.2.{first + 16}/28 ~all")
        self.zone.text(relay.name, f"v=spf1 include:_spf.{relay.name} -all")
        self.zone.text(f"bounces.{relay.name}", f"v=spf1 include:_spf.{relay.name} -all")
        self.zone.text(f"_dmarc.{relay.name}", "v=DMARC1; p=reject")
        self.zone.text(f"r1._domainkey.{relay.name}", relay.key.record)
        for n in range(30):
            address, host = relay.host(n)
            self.zone.add(host, "A", address)
            self.zone.text(host, "v=spf1 a -all")

    def _describe(self, sender):
        zone, name, spf = self.zone, sender.name, f"_spf.{sender.relay.name}"
        other = self.relays[(sender.relay.number + 1) % RELAYS]
        terms = {"include": f"include:{spf} {sender.otherwise}",
                 "two includes": f"include:_spf.{other.name} ip4:198.51.100.254 include:{spf} {sender.otherwise}",
                 "redirect": f"redirect={spf}", "a": f"a:mail.{name} {sender.otherwise}",
                 "mx": f"mx {sender.otherwise}", "ip4": f"ip4:{sender.address} {sender.otherwise}"}
        zone.text(name, f"v=spf1 {terms[sender.form]}")
        zone.text(name, f"site-verification={name[::-1]}")
        zone.add(name, "MX", f"10 mail.{name}")
        zone.add(name, "A", sender.address)
        zone.add(f"mail.{name}", "A", sender.address)
        zone.text(f"mail.{name}", "v=spf1 a -all")
        if sender.bounce:
            zone.text(f"bounce.{name}", f"v=spf1 include:{spf} -all")
        if sender.policy:
            alignment = "; adkim=s; aspf=s" if sender.strict else ""
            zone.text(f"_dmarc.{name}", f"v=DMARC1; p={sender.policy}{alignment}; rua=mailto:reports@{name}")
        for signature in sender.signatures():
            self._describe_key(sender, signature)
        zone.text(f"old._domainkey.{name}", self.stranger_key.record)

    def _describe_key(self, sender, signature):
        """Where a relay signs for a domain, the domain's record is an alias of the relay's."""
        name = f"{signature.selector}._domainkey.{sender.name}"
        if sender.form == "two includes" and signature.selector == "s0":
            target = f"{sender.name.removesuffix('.example')}.keys.{sender.relay.name}"
            self.zone.add(name, "CNAME", target)
            name = target
        self.zone.text(name, signature.key.record)
