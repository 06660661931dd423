"""Random SES worlds: an account, the DNS of its owner and of Amazon with faults, and a message.

What is random is what the owner, Amazon and the network may do; a seed gives the same world again."""

import base64
import json
import random
import subprocess
from dataclasses import dataclass, field
from typing import Optional

import dkim

OWN_ZONE_REGIONS = ("eu-south-1",)
ADDRESSES = ["198.51.100.0", "198.51.100.7", "198.51.100.128", "198.51.100.255", "203.0.113.0", "203.0.113.77",
             "203.0.113.127"]
AMAZON_SPF = "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/25 -all"
ED25519 = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def new_key():
    """(private key in PEM, p=). Made anew for each run."""
    pem = subprocess.run(["openssl", "genrsa", "-traditional", "1024"], check=True, capture_output=True, text=True).stdout
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], check=True, capture_output=True,
                         input=pem.encode()).stdout
    return pem, "p=" + base64.b64encode(der).decode()


class Keys:
    def __init__(self):
        self.amazon, self.upstream, self.next, *self.identities = [new_key() for _ in range(6)]


@dataclass
class MailFrom:
    domain: str
    status: Optional[str]
    behavior: str
    mx_right: bool = True


@dataclass
class Identity:
    name: str
    verified: bool = True
    status: Optional[str] = None
    enabled: bool = True
    origin: str = "AWS_SES"
    tokens: list = field(default_factory=list)
    tokens_told: bool = True  # the configuration names them
    zone: str = ""  # SigningHostedZone as configured
    active: str = ""
    key: str = field(default="", repr=False)
    records_right: bool = True  # all that SES needs for DKIM is in DNS
    mail_from: Optional[MailFrom] = None

    @property
    def is_address(self):
        return "@" in self.name

    @property
    def domain(self):
        return self.name.rpartition("@")[2]

    def toml(self):
        lines = ["[[ses.identity]]", f'name = "{self.name}"', f"verified_for_sending = {str(self.verified).lower()}",
                 f"dkim.signing_enabled = {str(self.enabled).lower()}", f'dkim.origin = "{self.origin}"']
        if self.status:
            lines.append(f'dkim.status = "{self.status}"')
        if self.tokens and self.tokens_told:
            lines.append(f"dkim.tokens = {json.dumps(self.tokens)}")
        if self.zone:
            lines.append(f'dkim.signing_hosted_zone = "{self.zone}"')
        if self.mail_from:
            lines += [f'mail_from.domain = "{self.mail_from.domain}"',
                      f'mail_from.behavior_on_mx_failure = "{self.mail_from.behavior}"']
            if self.mail_from.status:
                lines.append(f'mail_from.status = "{self.mail_from.status}"')
        return "\n".join(lines) + "\n"


class World:
    def __init__(self, seed, keys):
        self.seed, self.keys = seed, keys
        self.random = random.Random(seed)
        self.region = self.pick({"us-east-1": 2, "eu-west-1": 1, "eu-south-1": 1})
        self.zone, self.faults, self.identities = {}, [], []
        self.open_facts = set()  # what neither the configuration nor DNS tells, or receivers see differently
        self._publish_amazon()
        self._make_identities()
        self._publish_dmarc()
        self._compose()

    def pick(self, weights):
        return self.random.choices(list(weights), list(weights.values()))[0]

    def chance(self, probability):
        return self.random.random() < probability

    def put(self, name, kind, *values):
        if values:
            self.zone.setdefault(name, {}).setdefault(kind, []).extend(values)

    def fault(self, name, kind):
        # Every fault doubles what may be the truth.
        if len(self.faults) < 3:
            self.faults.append((name, kind, self.pick({"SERVFAIL": 4, "REFUSED": 3, "TIMEOUT": 1})))

    def is_faulty(self, name, kind):
        return any(fault[0] == name and fault[1] in (kind, "*") for fault in self.faults)

    @property
    def default_mail_from(self):
        return "amazonses.com" if self.region == "us-east-1" else f"{self.region}.amazonses.com"

    def dns_faults(self):
        return [{"name": name, "type": kind, "fault": what} for name, kind, what in self.faults]

    def toml(self):
        head = f'[dns]\ntimeout = 0.15\ntries = 1\nbudget = 3\n[ses]\nregion = "{self.region}"\n'
        # An identity of another region has no say.
        elsewhere = '[[ses.identity]]\nname = "freemail.example"\nregion = "ap-south-1"\ndkim.status = "SUCCESS"\n'
        return head + "".join(identity.toml() for identity in self.identities) + elsewhere

    # ---- DNS of Amazon, identities, DMARC ----------------------------------------------------------------------------

    def _publish_amazon(self):
        self.put("amazonses.com", "TXT", AMAZON_SPF)
        if self.region != "us-east-1":
            self.put(self.default_mail_from, "TXT", "v=spf1 include:amazonses.com -all")
        self.put("amazon1._domainkey.amazonses.com", "TXT", self.keys.amazon[1])
        if self.chance(0.03):
            self.fault("amazonses.com", "TXT")

    def _make_identities(self):
        self.author_domain = self.pick({"example.com": 6, "shop.example.com": 3, "deep.shop.example.com": 1,
                                        "freemail.example": 0.5})
        self.author = self.pick({"news": 9, "News+tag": 1}) + "@" + self.author_domain
        if self.chance(0.97):
            self._add("example.com")
        if self.chance(0.25):
            self._add("shop.example.com")
        if self.chance(0.7 if self.author_domain == "freemail.example" else 0.25):
            self._add(self.author.replace("+tag", "") if self.chance(0.85) else "other@" + self.author_domain)
        if self.chance(0.3):
            self._add("example.net")

    def _add(self, name):
        identity = Identity(name, verified=self.chance(0.985))
        self.identities.append(identity)
        if not identity.is_address:
            self._set_up_dkim(identity)
        else:
            # Left out altogether, or one of what the API may say of an address.
            identity.status = self.pick({None: 2, "SUCCESS": 1, "NOT_STARTED": 1, "FAILED": 1})
            identity.enabled = self.chance(0.75)
        if self.chance(0.6):
            self._set_up_mail_from(identity)

    def _set_up_dkim(self, identity):
        number = len(self.identities) - 1
        identity.status = self.pick({None: 3, "SUCCESS": 8, "PENDING": 1, "FAILED": 1, "TEMPORARY_FAILURE": 1,
                                     "NOT_STARTED": 1})
        identity.enabled = self.chance(0.92)
        identity.origin = self.pick({"AWS_SES": 7, "EXTERNAL": 2, "AWS_SES_EU_SOUTH_1": 1})
        identity.tokens_told = self.chance(0.95)
        identity.key = self.keys.identities[number % 3][0]
        texts = self._key_texts(identity, self.keys.identities[number % 3][1])
        if identity.origin == "EXTERNAL":
            self._publish_own_key(identity, f"own{number}", texts)
        else:
            self._publish_tokens(identity, [f"t{number}{letter}" for letter in "abc"], texts)

    def _key_texts(self, identity, key):
        kind = self.pick({"plain": 20, "v": 3, "full": 2, "testing": 1, "sha1": 1, "service": 1, "ed25519": 1, "bad": 1,
                          "revoked": 1, "idle": 1, "two": 1})
        identity.records_right = kind in ("plain", "v", "full", "testing", "two")
        if kind in ("testing", "two"):
            self.open_facts.add("receivers differ")
        texts = {"v": ["v=DKIM1; " + key], "full": ["k=rsa; h=sha256; s=email; " + key], "testing": ["t=y; " + key],
                 "sha1": ["h=sha1; " + key], "service": ["s=tlsrpt; " + key], "ed25519": [ED25519], "bad": ["p=MIIB!!"],
                 "revoked": ["p="], "idle": [""], "two": [key, "v=spf1 -all"]}
        return texts.get(kind, [key])

    def _publish_own_key(self, identity, selector, texts):
        identity.tokens, identity.active = [selector], selector
        name = f"{selector}._domainkey.{identity.domain}"
        kind = self.pick({"right": 8, "missing": 1, "fault": 1, "alias": 1})
        if kind == "alias":
            self.put(name, "CNAME", f"{selector}.hosted.example.net")
            self.put(f"{selector}.hosted.example.net", "TXT", *texts)
        elif kind == "missing":
            identity.records_right = False
        else:
            self.put(name, "TXT", *texts)
        if kind == "fault":
            self.fault(name, "TXT")

    def _publish_tokens(self, identity, tokens, texts):
        identity.tokens, identity.active = tokens, self.random.choice(tokens)
        region = self.region if identity.origin == "AWS_SES" else "eu-south-1"
        zone = f"dkim.{region}.amazonses.com" if region in OWN_ZONE_REGIONS else "dkim.amazonses.com"
        if identity.origin == "AWS_SES" and self.chance(0.2):
            zone = identity.zone = "cell9.dkim.amazonses.com"
        rotating = identity.records_right and self.chance(0.1)
        for token in tokens:
            name, target = f"{token}._domainkey.{identity.domain}", f"{token}.{zone}"
            value = texts if token == identity.active else [self.keys.next[1]] if rotating else [""]
            self._publish_token(identity, name, target, value)
        if rotating and not identity.records_right:
            self.open_facts.add("which key signs")

    def _publish_token(self, identity, name, target, value):
        kind = self.pick({"right": 60, "missing": 2, "astray": 2, "copied": 1, "flattened": 2, "wildcard": 1, "hop": 1,
                          "fault": 2, "target fault": 1})
        copy = target.split(".")[0] + ".elsewhere.example.net"
        if kind in ("missing", "astray", "copied", "flattened", "wildcard"):
            identity.records_right = False
        self.put(target, "TXT", *value)
        if kind in ("right", "fault", "target fault"):
            self.put(name, "CNAME", target)
        elif kind in ("astray", "copied", "hop"):
            self.put(name, "CNAME", copy)
        elif kind in ("flattened", "wildcard"):
            self.put(name, "TXT", *(value if kind == "flattened" else ["v=spf1 -all"]))
        if kind == "copied":
            self.put(copy, "TXT", *value)
        if kind == "hop":
            self.put(copy, "CNAME", target)
        if kind == "fault":
            self.fault(name, self.pick({"TXT": 1, "*": 1}))
        if kind == "target fault":
            self.fault(target, "TXT")

    def _set_up_mail_from(self, identity):
        domain = f"bounce{len(self.identities)}.{identity.domain}"
        status = self.pick({None: 3, "SUCCESS": 8, "PENDING": 1, "FAILED": 1, "TEMPORARY_FAILURE": 1})
        identity.mail_from = MailFrom(domain, status, self.pick({"USE_DEFAULT_VALUE": 3, "REJECT_MESSAGE": 1}))
        host = f"feedback-smtp.{self.region}.amazonses.com"
        kind = self.pick({"right": 12, "other region": 1, "none": 1, "two": 1, "typo": 1, "short": 1, "fault": 1})
        exchanges = {"none": [], "two": [[10, host], [20, "mx.example.net"]], "typo": [[10, host.replace("ses", "aws")]],
                     "short": [[10, "feedback-smtp.amazonses.com"]],
                     "other region": [[10, "feedback-smtp.us-west-2.amazonses.com"]]}
        self.put(domain, "MX", *exchanges.get(kind, [[10, host]]))
        identity.mail_from.mx_right = kind in ("right", "other region", "fault")
        if kind == "fault":
            self.fault(domain, "MX")
        self._publish_spf(domain)

    def _publish_spf(self, domain):
        kind = self.pick({"right": 12, "hard": 3, "list": 2, "part": 1, "none": 1, "two": 1, "other": 1, "broken": 1,
                          "hole": 1, "local": 1, "redirect": 1, "neutral": 1, "void": 1, "fault": 1})
        right = "v=spf1 include:amazonses.com ~all"
        records = {"hard": ["v=spf1 include:amazonses.com -all"], "part": ["v=spf1 ip4:198.51.100.0/24 -all"],
                   "list": ["v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 ip4:203.0.113.0/24 -all"], "none": [],
                   "two": [right, "v=spf1 -all"], "other": ["v=spf1 ip4:192.0.2.0/24 -all"],
                   "broken": ["v=spf1 include:amazonses.com foo:bar -all"],
                   "hole": ["v=spf1 -ip4:203.0.113.77 include:amazonses.com ~all"],
                   "local": ["v=spf1 exists:%{l}.users.example.com include:amazonses.com -all"],
                   "redirect": ["v=spf1 redirect=amazonses.com"], "neutral": ["v=spf1 ?include:amazonses.com -all"],
                   "void": ["v=spf1 include:nothing.example.net include:amazonses.com -all"]}
        self.put(domain, "TXT", *records.get(kind, [right]))
        if kind == "local":
            self.open_facts.add("local part")
        if kind == "fault":
            self.fault(domain, "TXT")

    def _publish_dmarc(self):
        for domain, probability in (("example.com", 0.85), ("shop.example.com", 0.2), ("freemail.example", 0.8)):
            if self.chance(probability):
                kind = self.pick({"right": 24, "two": 1, "bad": 1, "bad with rua": 1, "not": 1, "fault": 2})
                right = self._policy()
                records = {"two": [right, self._policy()], "bad": ["v=DMARC1; p=rejct"],
                           "bad with rua": ["v=DMARC1; p=rejct; rua=mailto:a@example.com"], "not": ["v=DMARC2; p=none"]}
                self.put(f"_dmarc.{domain}", "TXT", *records.get(kind, [right]))
                if kind == "fault":
                    self.fault(f"_dmarc.{domain}", "TXT")

    def _policy(self):
        modes = self.pick({"": 3, "; adkim=s": 1, "; aspf=s": 1, "; adkim=s; aspf=s": 1})
        more = self.pick({"": 5, "; sp=none": 1, "; np=reject; sp=quarantine": 1, "; t=y": 1, "; psd=n": 1})
        return "v=DMARC1; p=" + self.pick({"none": 1, "quarantine": 1, "reject": 1}) + modes + more

    # ---- the message -------------------------------------------------------------------------------------------------

    def _compose(self):
        other = "bounces@example.net" if any(each.name == "example.net" for each in self.identities) else self.author
        self.sender = self.pick({self.author: 60, "bounces@" + self.author_domain: 15, other: 10, "b@example.com": 12,
                                 "": 1, "root@host.example": 1})
        self.recipients = ["a@receiver.example"]
        quirk = self.pick({"": 75, "duplicate": 3, "foreign sender": 2, "own sender": 2, "return path": 2, "crowd": 2,
                           "upstream": 14})
        lines = [f"From: News <{self.author}>", "To: a@receiver.example", "Subject: hello", "MIME-Version: 1.0",
                 "Content-Type: text/plain", "Message-ID: <1@example.com>", "Date: Mon, 02 Nov 2026 09:00:00 +0000"]
        lines += {"duplicate": ["subject: again"], "foreign sender": ["Sender: x@other.example"],
                  "own sender": ["Sender: x@example.com"], "return path": ["Return-Path: <x@example.com>"],
                  "upstream": ["X-SES-Tag: a"]}.get(quirk, [])
        if quirk == "crowd":
            self.recipients = [f"a{number}@receiver.example" for number in range(51)]
        self.message = ("\r\n".join(lines) + "\r\n\r\nBody.\r\n").encode()
        if quirk == "upstream":
            self._sign_upstream()

    def _sign_upstream(self):
        domain = self.pick({"example.com": 1, self.author_domain: 1, "example.net": 1})
        names = self.pick({"from to subject": 3, "from to date": 1, "from message-id": 1, "from x-ses-tag": 1})
        kind = self.pick({"right": 6, "fault": 1, "missing": 1, "testing": 1})
        if kind != "missing":
            self.put(f"up._domainkey.{domain}", "TXT", ("t=y; " if kind == "testing" else "") + self.keys.upstream[1])
        if kind == "testing":
            self.open_facts.add("receivers differ")
        if kind == "fault":
            self.fault(f"up._domainkey.{domain}", "TXT")
        self.message = dkim.sign(self.message, b"up", domain.encode(), self.keys.upstream[0].encode(),
                                 include_headers=names.encode().split(), canonicalize=(b"relaxed", b"relaxed"),
                                 linesep=b"\r\n") + self.message
