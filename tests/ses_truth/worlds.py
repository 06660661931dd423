"""Random SES worlds: accounts, the DNS of their owner and of Amazon with faults, and a message.

What is random is what the owner, Amazon and the network may do; a seed gives the same world again."""

import random

import messages
import repairs
from described import MAX_AGE, Identity, MailFrom, Route, Signer, Standing
from keys import ED25519_PUBLIC

OWN_ZONE_REGIONS = ("eu-south-1",)
REGIONS = {"us-east-1": 2, "eu-west-1": 1, "eu-south-1": 1}
RELAY = "email-smtp.eu-west-1.amazonaws.com"
# At the borders of Amazon's networks, and wherever a record below tells addresses apart.
ADDRESSES = ["198.51.100.0", "198.51.100.7", "198.51.100.128", "198.51.100.255", "203.0.113.0", "203.0.113.77",
             "203.0.113.127"]
ADDRESSES_6 = ["2001:db8:5e5::", "2001:db8:5e5:ffff:ffff:ffff:ffff:ffff"]
BAD_STATUSES = {"PENDING": 1, "FAILED": 1, "TEMPORARY_FAILURE": 1, "NOT_STARTED": 1}
INCLUDE = "v=spf1 include:amazonses.com ~all"


class World:
    def __init__(self, seed, keys):
        self.seed, self.keys = seed, keys
        self.random = random.Random(seed)
        self.zone, self.faults, self.identities, self.overridden = {}, [], [], []
        # (name, account, region) of identities with replicas, whether Sesame is told of them or not
        self.parents = set()
        self.open_facts = set()  # what Sesame cannot be told, or receivers see differently
        self.source = self.pick({"toml": 10, "snapshot": 8, "both": 2})
        self.is_old = self.source != "toml" and self.chance(0.35)
        self.addresses = list(ADDRESSES)
        self._choose_places()
        self._publish_amazon()
        self._choose_author()
        self._make_routes()
        for place in list(self.places):
            self._make_identities(place)
        self._publish_dmarc()
        self.repairs = {name for name in ("duplicate_fields", "upstream_signatures", "ses_fields", "own_fields")
                        if self.chance(0.15)}
        messages.compose(self)

    # ---- chance and DNS ----------------------------------------------------------------------------------------------

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

    def dns_faults(self):
        return [{"name": name, "type": kind, "fault": what} for name, kind, what in self.faults]

    # ---- accounts ----------------------------------------------------------------------------------------------------

    def _choose_places(self):
        """Accounts and regions; the first is where mail goes for which no route says otherwise."""
        self.region, self.account, self.routes = self.pick(REGIONS), "", []
        several = self.chance(0.3)
        if several:
            self.account = self.pick({"": 1, "111122223333": 1})
        self.places = [(self.account, self.region)]
        if several:
            region = self.pick({each: 1 for each in REGIONS if each != self.region})
            self.places.append((self.pick({self.account: 2, "other": 1}), region))
            self.places += [("other", self.region)] if self.chance(0.3) else []
        self.relay = self.pick({"": 3, RELAY: 2, "mx.example.net": 1}) if several else ""
        self.tracking = ["tracked", "also-tracked"] if self.chance(0.3) else []
        self.standings = {}
        for place in self.places if self.source != "toml" else []:
            if self.chance(0.9):
                kind = self.pick({"": 40, "sandbox": 3, "stopped": 1, "SHUTDOWN": 1, "PROBATION": 1})
                enforcement = kind if kind.isupper() else "HEALTHY"
                self.standings[place] = Standing(kind != "sandbox", kind != "stopped", enforcement,
                                                 self.is_old and self.chance(0.8))

    def _make_routes(self):
        for account, region in self.places[1:]:
            for _ in range(self.pick({0: 1, 1: 3, 2: 1})):
                authors = {self.author_domain: 2, "example.com": 2, self.author: 1, "example.net": 1}
                what = self.pick({"author": 3, "sender": 2, "relay": 3, "both": 1})
                route = Route(account=account, region=region, configuration_set=self.pick({"": 3, "tracked": 1, "c": 1}))
                if what in ("author", "both"):
                    route.author = self.pick(authors)
                if what in ("sender", "both"):
                    route.sender = self.pick({"example.com": 2, "bounces@" + self.author_domain: 1, "example.net": 1})
                if what == "relay":
                    route.relay = RELAY
                self.routes.append(route)

    def toml(self, snapshot_path):
        lines = [f'authserv_id = "{repairs.OWN_NAME}"', "[dns]", "timeout = 0.15", "tries = 1", "budget = 3", "[repair]",
                 *(f"{name} = true" for name in sorted(self.repairs)), "[ses]", f'region = "{self.region}"']
        if self.account:
            lines.append(f'account = "{self.account}"')
        if self.tracking:
            lines.append(f"tracking_configuration_sets = {self.tracking}")
        if self.source != "toml":
            lines += [f'snapshot = "{snapshot_path}"', f"snapshot_max_age = {MAX_AGE}"]
        told = [each.toml() for each in self.identities if not each.in_snapshot]
        return "\n".join(lines) + "\n" + "".join(each.toml() for each in self.routes) + "".join(told)

    # ---- Amazon ------------------------------------------------------------------------------------------------------

    def _publish_amazon(self):
        first, second = "ip4:198.51.100.0/24", "ip4:203.0.113.0/25"
        kind = self.pick({"flat": 6, "nested": 2, "v6": 2})
        if kind == "flat":
            self.put("amazonses.com", "TXT", f"v=spf1 {first} {second} -all")
        elif kind == "nested":
            self.put("amazonses.com", "TXT", f"v=spf1 {first} include:spf1.amazonses.com -all")
            self.put("spf1.amazonses.com", "TXT", f"v=spf1 {second} -all")
        else:
            self.put("amazonses.com", "TXT", f"v=spf1 {first} {second} ip6:2001:db8:5e5::/48 -all")
            self.addresses += ADDRESSES_6
        for region in REGIONS:
            if region != "us-east-1":
                self.put(f"{region}.amazonses.com", "TXT", "v=spf1 include:amazonses.com -all")
        self.put("amazon1._domainkey.amazonses.com", "TXT", self.keys.amazon.public)
        for name, probability in (("amazonses.com", 0.02), ("eu-west-1.amazonses.com", 0.02), ("spf1.amazonses.com", 0.02)):
            if name in self.zone and self.chance(probability):
                self.fault(name, "TXT")

    # ---- identities --------------------------------------------------------------------------------------------------

    def _choose_author(self):
        self.author_domain = self.pick({"example.com": 6, "shop.example.com": 3, "deep.shop.example.com": 1,
                                        "freemail.example": 0.5})
        self.author = self.pick({"news": 9, "News+tag": 1}) + "@" + self.author_domain

    def _make_identities(self, place):
        far = place != self.places[0]
        if self.chance(0.9 if far else 0.98):
            self._add("example.com", place)
        if self.chance(0.2 if far else 0.25):
            self._add("shop.example.com", place)
        if self.chance(0.7 if self.author_domain == "freemail.example" else 0.1 if far else 0.25):
            self._add(self.author.replace("+tag", "") if self.chance(0.85) else "other@" + self.author_domain, place)
        if self.chance(0.3):
            self._add("example.net", place)

    def _add(self, name, place):
        if (name, *place) in self.parents:
            return  # there already
        identity = Identity(name, *place, verified=self.chance(0.98))
        self._choose_source(identity)
        if identity.aged and self.chance(0.1):
            identity.verified = False
        self.identities.append(identity)
        if not identity.is_address:
            self._set_up_dkim(identity)
        else:
            # Left out altogether, or one of what the API may say of an address.
            identity.status = self.pick({None: 2, "SUCCESS": 1, "NOT_STARTED": 1, "FAILED": 1})
            identity.enabled = self.chance(0.75)
        if self.chance(0.6):
            self._set_up_mail_from(identity)
        if self.tracking:
            identity.configuration_set = self.pick({"": 4, "tracked": 1, "plain": 1})
        if not identity.in_snapshot and self.source == "both" and self.chance(0.5):
            # What the snapshot says of it does not count.
            self.overridden.append(Identity(name, *place, verified=False, status="FAILED", in_snapshot=True))

    def _choose_source(self, identity):
        identity.in_snapshot = self.source == "snapshot" or (self.source == "both" and self.chance(0.5))
        identity.aged = identity.in_snapshot and self.is_old and self.chance(0.8)

    def _set_up_dkim(self, identity):
        number = len(self.identities) - 1
        identity.status = self.pick({None: 3, "SUCCESS": 9, **BAD_STATUSES})
        identity.enabled = self.chance(0.92)
        identity.origin = self.pick({"AWS_SES": 7, "EXTERNAL": 2, "DEED": 2})
        identity.tokens_told = self.chance(0.95)
        if identity.origin == "DEED":
            self._replicate(identity, number)
        elif identity.origin == "EXTERNAL":
            self._publish_own_key(identity, f"own{number}", number)
        else:
            self._publish_tokens(identity, [f"t{number}{letter}" for letter in "abc"], number)
        if identity.in_snapshot and identity.status == "PENDING" and self.chance(0.5):
            identity.former = {"SigningAttributesOrigin": "EXTERNAL", "Tokens": ["before"], "until": "2026-01-01T00:00:00Z"}

    def _key_texts(self, identity, number):
        """The key that SES signs with; what stands in DNS for it."""
        kind = self.pick({"plain": 30, "long": 1, "v": 3, "full": 2, "testing": 1, "sha1": 1, "service": 1, "ed25519": 1,
                          "short": 1, "bad": 1, "revoked": 1, "idle": 1, "two": 1})
        key = {"long": self.keys.long, "short": self.keys.short}.get(kind, self.keys.identities[number % 3])
        identity.records_right = kind in ("plain", "long", "v", "full", "testing", "two")
        if kind in ("testing", "two"):
            self.open_facts.add("receivers differ")
        public = key.public
        texts = {"v": ["v=DKIM1; " + public], "full": ["k=rsa; h=sha256; s=email; " + public],
                 "testing": ["t=y; " + public], "sha1": ["h=sha1; " + public], "service": ["s=tlsrpt; " + public],
                 "ed25519": [ED25519_PUBLIC], "bad": ["p=MIIB!!"], "revoked": ["p="], "idle": [""],
                 "two": [public, "v=spf1 -all"]}
        return key, texts.get(kind, [public])

    def _publish_own_key(self, identity, selector, number):
        key, texts = self._key_texts(identity, number)
        identity.tokens, identity.signers = [selector], [Signer(selector, *key)]
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

    def _replicate(self, identity, number):
        """DEED: a replica of the identity of another region, whose tokens and records serve both."""
        region = self.pick({each: 1 for each in REGIONS if each != identity.region})
        identity.origin = "AWS_SES_" + region.upper().replace("-", "_")
        others = [each for each in self.identities if each is not identity
                  and (each.name, each.account, each.region) == (identity.name, identity.account, region)]
        parent = others[0] if others else Identity(identity.name, identity.account, region)
        self.parents.add((parent.name, parent.account, parent.region))
        if not others:
            parent.status = self.pick({None: 1, "SUCCESS": 6, "FAILED": 1})
            parent.tokens_told = self.chance(0.9)
            self._publish_tokens(parent, [f"p{number}{letter}" for letter in "abc"], number)
            self._choose_source(parent)
        if parent.origin != "AWS_SES":
            identity.status, identity.tokens = self.pick({"FAILED": 1, "PENDING": 1}), []
            identity.error_type = "REPLICATION_PRIMARY_BYO_DKIM_NOT_SUPPORTED"
            return
        identity.tokens, identity.signers, identity.records_right = parent.tokens, parent.signers, parent.records_right
        identity.tokens_told = self.chance(0.5)
        identity.zone = parent.zone if self.chance(0.3) else ""
        is_known = self.chance(0.75)
        if is_known and not others:
            self.identities.append(parent)
            if (parent.account, parent.region) not in self.places:
                self.places.append((parent.account, parent.region))
        elif parent.zone and not others:
            identity.zone = parent.zone
        if identity.status in BAD_STATUSES and self.chance(0.5):
            identity.error_type = self.pick({"REPLICATION_ACCESS_DENIED": 1, "REPLICATION_PRIMARY_NOT_FOUND": 1})

    def _publish_tokens(self, identity, tokens, number):
        key, texts = self._key_texts(identity, number)
        active, following, _ = self.random.sample(tokens, 3)
        identity.tokens, identity.signers = tokens, [Signer(active, *key)]
        own = identity.region in OWN_ZONE_REGIONS
        zone = f"dkim.{identity.region}.amazonses.com" if own else "dkim.amazonses.com"
        if self.chance(0.2):
            zone = identity.zone = "cell9.dkim.amazonses.com"
        rotating = identity.records_right and self.chance(0.15)
        if rotating:
            identity.signers.append(Signer(following, *self.keys.next))
        for token in tokens:
            name, target = f"{token}._domainkey.{identity.domain}", f"{token}.{zone}"
            value = texts if token == active else [self.keys.next.public] if rotating and token == following else [""]
            self._publish_token(identity, name, target, value)

    def _publish_token(self, identity, name, target, value):
        kind = self.pick({"right": 120, "missing": 2, "astray": 2, "copied": 1, "flattened": 2, "wildcard": 1, "hop": 1,
                          "nodata": 1, "fault": 2, "target fault": 1})
        copy = target.split(".")[0] + ".elsewhere.example.net"
        if kind in ("missing", "astray", "copied", "flattened", "wildcard"):
            identity.records_right = False
        if kind != "nodata" or value != [""]:
            self.put(target, "TXT", *value)
        if kind in ("right", "nodata", "fault", "target fault"):
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

    # ---- MAIL FROM ---------------------------------------------------------------------------------------------------

    def _set_up_mail_from(self, identity):
        domain = f"bounce{len(self.identities)}.{identity.domain}"
        status = self.pick({None: 3, "SUCCESS": 8, "PENDING": 1, "FAILED": 1, "TEMPORARY_FAILURE": 1, "NOT_STARTED": 0.3})
        identity.mail_from = MailFrom(domain, status, self.pick({"USE_DEFAULT_VALUE": 3, "REJECT_MESSAGE": 1}))
        host = f"feedback-smtp.{identity.region}.amazonses.com"
        kind = self.pick({"right": 14, "other region": 1, "none": 1, "two": 1, "same twice": 0.5, "typo": 1, "short": 1,
                          "null": 0.5, "fault": 1})
        exchanges = {"none": [], "two": [[10, host], [20, "mx.example.net"]], "typo": [[10, host.replace("ses", "aws")]],
                     "same twice": [[10, host], [20, host]], "short": [[10, "feedback-smtp.amazonses.com"]],
                     "null": [[0, "."]], "other region": [[10, "feedback-smtp.us-west-2.amazonses.com"]]}
        self.put(domain, "MX", *exchanges.get(kind, [[10, host]]))
        identity.mail_from.mx_right = kind in ("right", "other region", "fault")
        if kind == "fault":
            self.fault(domain, "MX")
        self._publish_spf(domain)

    def _publish_spf(self, domain):
        kind = self.pick({"right": 24, "hard": 3, "list": 2, "part": 1, "none": 1, "two": 1, "other": 1, "broken": 1,
                          "hole": 1, "local": 1, "macro": 1, "client": 1, "redirect": 1, "redirect nowhere": 0.5,
                          "neutral": 1, "void": 1, "voids": 1, "few voids": 1, "terms": 1, "just terms": 1, "no all": 1,
                          "fault": 1})
        voids = " ".join(f"a:void{number}.example.net" for number in range(3))
        hosts = " ".join(f"a:host{number}.example.net" for number in range(10))
        records = {"hard": ["v=spf1 include:amazonses.com -all"], "part": ["v=spf1 ip4:198.51.100.0/24 -all"],
                   "list": ["v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"],
                   "none": [], "two": [INCLUDE, "v=spf1 -all"], "other": ["v=spf1 ip4:192.0.2.0/24 -all"],
                   "broken": ["v=spf1 include:amazonses.com foo:bar -all"],
                   "hole": ["v=spf1 -ip4:203.0.113.77 include:amazonses.com ~all"],
                   "local": ["v=spf1 exists:%{l}.users.example.com include:amazonses.com -all"],
                   "macro": ["v=spf1 include:%{d1}ses.%{d1r}.spf.example.net -all"],
                   "client": ["v=spf1 exists:%{i}.clients.example.com include:amazonses.com -all"],
                   "redirect": ["v=spf1 redirect=amazonses.com"], "neutral": ["v=spf1 ?include:amazonses.com -all"],
                   "redirect nowhere": ["v=spf1 redirect=nothing.example.net"],
                   "void": ["v=spf1 include:nothing.example.net include:amazonses.com -all"],
                   "voids": [f"v=spf1 {voids} include:amazonses.com -all"],
                   "few voids": [f"v=spf1 {voids.rsplit(' ', 1)[0]} include:amazonses.com -all"],
                   "terms": [f"v=spf1 {hosts} include:amazonses.com -all"],
                   "just terms": [f"v=spf1 {' '.join(hosts.split()[:8])} include:amazonses.com -all"],
                   "no all": ["v=spf1 include:amazonses.com"]}
        self.put(domain, "TXT", *records.get(kind, [INCLUDE]))
        if kind in ("terms", "just terms"):
            for number in range(10):
                self.zone[f"host{number}.example.net"] = {"A": ["192.0.2.80"], "AAAA": ["2001:db8:80::1"]}
        if kind == "macro":
            first, last = domain.split(".")[0], domain.split(".")[-1]
            self.zone[f"{last}ses.{first}.spf.example.net"] = {"TXT": ["v=spf1 include:amazonses.com -all"]}
        if kind in ("local", "client"):
            self.open_facts.add("what only the message shows")
        if kind == "fault":
            self.fault(domain, "TXT")

    # ---- DMARC -------------------------------------------------------------------------------------------------------

    def _publish_dmarc(self):
        for domain, probability in (("example.com", 0.85), ("shop.example.com", 0.2), ("deep.shop.example.com", 0.1),
                                    ("freemail.example", 0.8), ("example", 0.04), ("com", 0.02)):
            if self.chance(probability):
                kind = self.pick({"right": 24, "two": 1, "bad": 1, "bad with rua": 1, "rua only": 1, "not": 1, "late": 1,
                                  "beside": 1, "fault": 2})
                right = self._policy(domain)
                records = {"two": [right, self._policy(domain)], "bad": ["v=DMARC1; p=rejct"],
                           "bad with rua": ["v=DMARC1; p=rejct; rua=mailto:a@example.com"],
                           "rua only": ["v=DMARC1; rua=mailto:a@example.com"], "not": ["v=DMARC2; p=none"],
                           "late": ["p=none; v=DMARC1"], "beside": ["v=spf1 -all", right]}
                self.put(f"_dmarc.{domain}", "TXT", *records.get(kind, [right]))
                if kind == "fault":
                    self.fault(f"_dmarc.{domain}", "TXT")
            elif self.chance(0.02):
                self.fault(f"_dmarc.{domain}", "TXT")

    def _policy(self, domain):
        modes = self.pick({"": 3, "; adkim=s": 1, "; aspf=s": 1, "; adkim=s; aspf=s": 1})
        more = self.pick({"": 5, "; sp=none": 1, "; np=reject; sp=quarantine": 1, "; t=y": 1, "; psd=n": 1, "; psd=u": 1,
                          "; rua=mailto:a@example.com": 1, "; pct=50": 1, "; sp=rejct": 0.5, "; np=rejct": 0.5})
        if "." not in domain:
            more = "; psd=y" if "psd" in more else more + "; psd=y"
        return "v=DMARC1; p=" + self.pick({"none": 1, "quarantine": 1, "reject": 1}) + modes + more
