"""Random SPF worlds: a client, what it says, and the DNS around it. All of it comes from the seed, and every name
holds the seed, so that many worlds fit into one zone."""

import dataclasses
import ipaddress
import random
import urllib.parse

QUALIFIERS = ["", "", "", "+", "-", "~", "?"]
# What a mutation writes: what the grammar knows, and what it does not.
ODD = list("%{}/:.=-~?+0129azrRdDpP_,\\\"'@()! \t\x7f\u00e9\u200b\n")
MACRO_LETTERS = "slodippvh"
LOCAL_PARTS = ["user", "user", "strong-bad", "a.b+c=d", "x_y", "User", "bounce=1-2+v", "o'neil", "q/r", '"a b"',
               '"x\\\\y"']
FAR_V4, FAR_V6 = "192.0.2.80", "2001:db8:ffff::80"


@dataclasses.dataclass
class World:
    seed: int
    ip: str
    helo: str
    mail_from: str
    zone: dict
    faults: list


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed, self.zone, self.faults = seed, {}, []
        self.domain = f"d{seed}.example"
        self.policies = [self.domain] + [f"p{i}.{self.domain}" for i in range(4)]
        self.hosts = [f"h{i}.{self.domain}" for i in range(5)]
        self.exchanges = [f"m{i}.{self.domain}" for i in range(3)]
        self.texts = [f"e{i}.{self.domain}" for i in range(2)]
        self.far = f"far.{self.domain}"
        self.client()
        self.session()

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, *choices):
        return self.random.choice(choices)

    def add(self, name, kind, *values):
        self.zone.setdefault(name, {}).setdefault(kind, []).extend(values)

    def fault(self, name, kind, percent):
        if self.chance(percent):
            fault = self.pick("SERVFAIL", "REFUSED", "NXDOMAIN", "NODATA")
            self.faults.append({"name": name, "type": kind, "fault": fault})

    # Who connects, and what he says.

    def client(self):
        self.v4 = ipaddress.IPv4Address("198.18.0.0") + self.seed % 0x20000
        self.v6 = ipaddress.IPv6Address("2001:db8::") + (self.seed << 80) + self.pick(1, 0xcb01, 0xffff << 48)
        kind = self.pick("4", "4", "4", "6", "6", "mapped")
        self.address = self.v6 if kind == "6" else self.v4
        self.ip = f"::ffff:{self.v4}" if kind == "mapped" else str(self.address)

    def session(self):
        # An empty HELO belongs to no world: a peer writes it another way, and no MTA knows it.
        self.helo = self.pick(f"mail.{self.domain}", f"mail.{self.domain}", self.policies[1], f"MAIL.{self.domain}",
                              "[192.0.2.1]", "localhost", "unknown-host", f"h_1.{self.domain}", self.domain + ".")
        self.local_part = self.pick(*LOCAL_PARTS, f"l{self.seed}")
        self.mail_from = f"{self.local_part}@{self.domain}"
        if self.chance(15):
            self.mail_from = ""
        elif self.chance(8):
            self.mail_from = self.pick(f"@{self.domain}", f"u@{self.domain.upper()}", f"u@{self.domain}.", self.domain,
                                       f"u@{self.domain}@{self.policies[1]}", f'"u@v"@{self.domain}', "u@localhost",
                                       "u@[192.0.2.1]", "u@192.0.2.1", f"u@a..{self.domain}",
                                       f"u@nowhere.{self.domain}", f"<u@{self.domain}",
                                       f"u(x@{self.domain}", f"@h.example:u@{self.domain}")

    # What DNS knows.

    def addresses(self, name):
        near4, near6 = self.v4 + self.random.randrange(1, 64), self.v6 + self.random.randrange(1, 1 << 70)
        for _ in range(self.pick(0, 1, 1, 1, 2, 3)):
            self.add(name, "A", str(self.pick(self.v4, near4, "192.0.2.7", "203.0.113.9")))
        for _ in range(self.pick(0, 0, 1, 1, 2)):
            self.add(name, "AAAA", str(self.pick(self.v6, near6, "2001:db8:ffff::7")))
        self.fault(name, self.pick("A", "AAAA"), 6)

    def make_hosts(self):
        for name in self.hosts:
            if self.chance(85):
                self.addresses(name)
        for name in self.exchanges + [self.domain]:
            count = self.pick(0, 1, 2, 3, 3, 9, 10, 11)
            hosts = self.hosts + [f"alias.{self.domain}", *(f"x{i}.{self.domain}" for i in range(8))]
            hosts = hosts[:6] if count < 9 else hosts
            hosts = self.random.sample(hosts, min(count, len(hosts)))
            # Several preferences, and several hosts of one.
            self.add(name, "MX", *([self.random.randrange(4), host] for host in hosts))
            if self.chance(5):
                self.add(name, "MX", [0, "."])
            self.fault(name, "MX", 5)
        for i in range(8):
            if self.chance(50):
                self.add(f"x{i}.{self.domain}", "A", FAR_V4)
        # Names that are there, and lead to nobody.
        for name in (self.far, f"unknown.p{self.far}", *(f"{host}.p{self.far}" for host in self.hosts)):
            self.add(name, "A", FAR_V4)
            self.add(name, "AAAA", FAR_V6)
        self.add(self.far, "MX", [0, self.far])
        self.addresses(self.domain)
        self.addresses(self.policies[1])
        if self.chance(20):
            self.add(f"alias.{self.domain}", "CNAME", self.pick(*self.hosts, *self.policies, f"nowhere.{self.domain}"))

    def make_reverse(self):
        name = self.address.reverse_pointer
        count = self.pick(0, 1, 1, 2, 3, 10, 12)
        names = self.hosts + [self.domain, f"mail.{self.domain}", f"h{self.seed}.test", f"alias.{self.domain}"]
        names += [f"r{i}.{self.domain}" for i in range(6)] + self.policies[1:3]
        if count:
            self.add(name, "PTR", *self.random.sample(names, min(count, len(names))))
        self.addresses(f"h{self.seed}.test")
        self.addresses(f"mail.{self.domain}")
        self.fault(name, "PTR", 6)

    # What a record says.

    def macro(self, letters=MACRO_LETTERS):
        letter = self.random.choice(letters)
        text = letter.upper() if self.chance(15) else letter
        if self.chance(35):
            text += self.pick("1", "2", "2", "3", "15", "127", "999999999999") if self.chance(97) else "0"
        if self.chance(25):
            text += self.pick("r", "r", "r", "r", "R")
        if self.chance(25):
            text += "".join(self.random.choice(".-+,/_=") for _ in range(self.random.randrange(1, 4)))
        return "%{" + text + "}"

    def there(self):
        """A macro, and the name it stands for when all goes well."""
        reverse = ".".join(reversed(str(self.v4).split(".")))
        escaped = urllib.parse.quote(self.local_part, safe="")
        return self.pick(("%{ir}.%{v}", f"{reverse}.in-addr"), ("%{i}", str(self.v4)), ("%{l}", self.local_part),
                         ("%{L}", escaped), ("%{o}", self.domain), ("%{d2}", self.domain), ("%{h}", self.helo),
                         ("%{p}", self.hosts[0]), ("%{p}", "unknown"),
                         ("%{lr-}", ".".join(reversed(self.local_part.split("-")))),
                         ("%{l-}", self.local_part.replace("-", ".")))

    def odd_domain_spec(self):
        if self.chance(30):
            labels = ["y" * 50] * 5 + self.domain.split(".")
            self.add(".".join(labels[1:]), "A", FAR_V4)
            return ".".join(labels)
        if self.chance(30):
            self.add(str(self.v4), "A", FAR_V4)
            return "%{i}"
        if self.local_part == f"l{self.seed}":
            self.text(self.local_part, "v=spf1 ?all")
            return "%{l}"
        return self.pick("x" * 64 + "." + self.domain, f"a..{self.domain}", f".{self.domain}", "museum", "localhost.",
                         "%{l1r-}", "%{d}" * 24 + ".example", "%{p}")

    def domain_spec(self, *names):
        if self.chance(60):
            name = self.random.choice(names)
            return name.upper() if self.chance(5) else name + ("." if self.chance(5) else "")
        if self.chance(8):
            return self.odd_domain_spec()
        if self.chance(45):
            macro, name = self.there()
            self.addresses(f"{name}.there.{self.domain}".lower())
            return f"{macro}.there.{self.domain}"
        parts = [self.macro() if self.chance(70) else self.pick("x", "_spf", "%%", "%_", "%-", "y-z")
                 for _ in range(self.pick(1, 1, 2, 3))]
        return ".".join(parts) + self.pick(f".{self.domain}", f".{self.domain}", "", "." + self.random.choice(names))

    def prefixes(self):
        if self.chance(4):
            return self.pick("/33", "/08", "//129", "/24/64", "/")
        text = self.pick("", "", "", "/24", "/32", "/0", "/16", f"/{self.random.randrange(33)}")
        return text + self.pick("", "", "", "//64", "//128", "//0", f"//{self.random.randrange(129)}")

    def network(self):
        if self.chance(65):
            if self.chance(5):
                return "ip4:" + self.pick("1.2.3", "1.2.3.4.5", "192.0.2.01", "192.0.2.1/33", "192.0.2.1/024",
                                          "192.0.2.1/", "192.0.2.1//32", "192.0.2.256", "2001:db8::1")
            address = self.pick(self.v4, self.v4, self.v4 + 1, "192.0.2.0", "0.0.0.0")
            return f"ip4:{address}" + self.pick("", "", "/32", "/24", f"/{self.random.randrange(33)}", "/0")
        if self.chance(5):
            return "ip6:" + self.pick("1::2::3", "fe80::1%eth0", str(self.v4), "::1/129", "::1/064", "::1//64",
                                      "1:2:3:4:5:6:7", ":::")
        address = self.pick(self.v6, self.v6, self.v6 + 1, "2001:db8:ffff::", "::", "::1", f"::ffff:{self.v4}",
                            self.v6.exploded.upper(), "::192.0.2.1", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8")
        return f"ip6:{address}" + self.pick("", "", "/128", "/64", f"/{self.random.randrange(129)}", "/0")

    def look_up(self, index):
        kind = self.pick("a", "a", "mx", "ptr", "exists", "include")
        if kind == "exists":
            return "exists:" + self.domain_spec(*self.hosts, f"alias.{self.domain}")
        if kind == "include":
            later = self.policies[index + 1:] or self.policies
            return "include:" + self.domain_spec(*(self.policies if self.chance(8) else later), f"alias.{self.domain}")
        names = {"a": self.hosts + [f"alias.{self.domain}"], "mx": self.exchanges,
                 "ptr": [self.domain, f"h{self.seed}.test"]}
        target = ":" + self.domain_spec(*names[kind]) if self.chance(65) else ""
        return kind + target + (self.prefixes() if kind != "ptr" and self.chance(40) else "")

    def mechanism(self, index):
        roll = self.random.randrange(100)
        text = self.network() if roll < 25 else "all" if roll < 31 else self.look_up(index)
        if self.chance(4):
            text = text.upper()
        return self.random.choice(QUALIFIERS) + text

    def modifiers(self, index):
        later = self.policies[index + 1:] or self.policies
        terms = []
        if self.chance(25):
            terms.append("redirect=" + self.domain_spec(*(self.policies if self.chance(10) else later)))
        if self.chance(45):
            terms.append("exp=" + self.domain_spec(*self.texts))
        if self.chance(8):
            terms.append(self.pick("x=", "moo=%{d}", "a.b-c_d=%{r}", "Exp=" + self.texts[0],
                                   "REDIRECT=" + self.policies[-1], "default=pass", "op=helo", "x=%{z}", "x=y/%{t}",
                                   "all=pass", "x=1 x=2"))
        if self.chance(1) and terms:
            terms.append(self.random.choice(terms))
        return terms

    def many(self, index):
        """So many look-ups that the limits come into sight."""
        terms, far = [], [f"a:{self.far}", f"mx:{self.far}"]
        if self.chance(30):
            far.append(f"a:%{{p}}.p{self.far}")
        for _ in range(self.pick(7, 8, 9, 10, 10, 11)):
            terms.append(self.look_up(index) if self.chance(5) else self.random.choice(far))
        if self.chance(50):
            terms.append(self.pick(f"ip4:{self.v4}", f"-ip6:{self.v6}", "?all"))
        return terms

    def record(self, index):
        if self.chance(15):
            terms = self.many(index)
        else:
            terms = [self.mechanism(index) for _ in range(self.pick(0, 1, 1, 2, 2, 3, 4))]
        if self.chance(4):
            terms.append(self.pick("moo", "all:x", "all/8", "-", "include:", "a:", "mx:/24", "ip4:", "=x", "exp=",
                                   "redirect=", "a:1.2.3.4", "ptr/24"))
        for modifier in self.modifiers(index):
            terms.insert(self.random.randrange(len(terms) + 1), modifier)
        if self.chance(60):
            terms.append(self.pick("-all", "-all", "-all", "~all", "?all", "all"))
        text = " ".join([self.pick("v=spf1", "v=spf1", "v=spf1", "v=spf1", "V=SPF1"), *terms])
        return self.mutated(text) if self.chance(10) else text

    def mutated(self, text):
        for _ in range(self.pick(1, 1, 2, 3)):
            at, odd = self.random.randrange(5, len(text) + 1), self.random.choice(ODD)
            start = self.random.randrange(5, len(text) + 1)
            text = self.pick(text[:at] + odd + text[at:], text[:at] + odd + text[at + 1:], text[:at] + text[at + 1:],
                             text[:at] + text[start:start + 12] + text[at:], text[:at].swapcase() + text[at:],
                             text[:at] + " " + text[at:])
        return text

    def explanation(self):
        fixed = ("See", "http://x.example/?s=%{S}", "100%%", "%_", "%-", "no", "%{t}", "(%{c})")
        parts = [self.macro(MACRO_LETTERS + "cr") if self.chance(50) else self.random.choice(fixed)
                 for _ in range(self.pick(1, 2, 3, 5))]
        text = self.pick("", " ", " ").join(parts)
        if self.chance(10):
            text = self.pick(text + "%", text + "\u00e4", text + "%{x}", text + "\t.", "%{d0}" + text,
                             text + " " + "long. " * 50)
        return text

    def text(self, name, value):
        """A TXT record in octets: as one string or cut into several."""
        raw = value.encode("utf-8")
        cuts = sorted(self.random.randrange(len(raw) + 1) for _ in range(self.pick(0, 0, 0, 1, 2)))
        edges = [0, *cuts, len(raw)]
        parts = [raw[start:end] for start, end in zip(edges, edges[1:])]
        strings = [part[i:i + 255] for part in parts for i in range(0, max(len(part), 1), 255)]
        self.add(name, "TXT", [{"hex": each.hex()} for each in strings])

    def make_texts(self):
        for name in self.texts:
            for _ in range(self.pick(0, 1, 1, 1, 1, 1, 2)):
                self.text(name, self.explanation())
            self.fault(name, "TXT", 5)
        for index, name in enumerate(self.policies):
            if name != self.domain and self.chance(10):
                continue
            if self.chance(15):
                self.text(name, self.pick("", "x=y", "v=spf10 -all", " v=spf1 -all", "v=spf2.0/mfrom -all",
                                          "v=spf1-all", "v= spf1 all"))
            if self.chance(2):
                for i in range(30):
                    self.text(name, f"verification-{i}={'z' * 60}")
            if self.chance(97):
                self.text(name, self.record(index))
            if self.chance(3):
                self.text(name, self.record(index))
            self.fault(name, "TXT", 4)
        if self.chance(85):
            self.text(f"mail.{self.domain}", self.record(0))

    def make(self):
        self.make_hosts()
        self.make_reverse()
        self.make_texts()
        return World(self.seed, self.ip, self.helo, self.mail_from, self.zone, self.faults)


def make(seed):
    return Maker(seed).make()
