"""What Sesame is told of SES accounts, as a configuration and as a snapshot of the API's answers."""

import json
import time
from dataclasses import dataclass, field
from typing import Optional

HOUR, DAY = 3600, 86400
MAX_AGE = DAY  # ses.snapshot_max_age
NEW_WORD = "A_NEW_WORD"


def stamp(age):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))


@dataclass
class MailFrom:
    domain: str
    status: Optional[str]
    behavior: str
    mx_right: bool = True

    def settings(self):
        return self.domain, self.status, self.behavior


@dataclass
class Signer:
    """A selector that SES may sign with, and its key."""

    selector: str
    key: str = field(repr=False)
    public: str = ""


@dataclass
class Identity:
    name: str
    account: str
    region: str
    verified: bool = True
    status: Optional[str] = None  # None: left out
    enabled: bool = True
    origin: str = "AWS_SES"
    tokens: list = field(default_factory=list)
    tokens_told: bool = True
    zone: str = ""  # SigningHostedZone as told
    signers: list = field(default_factory=list)
    records_right: bool = True  # all that SES needs for DKIM is in DNS
    mail_from: Optional[MailFrom] = None
    configuration_set: str = ""
    error_type: str = ""
    former: Optional[dict] = None
    in_snapshot: bool = False
    aged: bool = False

    @property
    def is_address(self):
        return "@" in self.name

    @property
    def domain(self):
        return self.name.rpartition("@")[2]

    @property
    def parent_region(self):
        return self.origin[8:].lower().replace("_", "-") if self.origin.startswith("AWS_SES_") else None

    def toml(self):
        lines = ["[[ses.identity]]", f'name = "{self.name}"', f'region = "{self.region}"',
                 f"verified_for_sending = {str(self.verified).lower()}",
                 f"dkim.signing_enabled = {str(self.enabled).lower()}", f'dkim.origin = "{self.origin}"']
        texts = {"account": self.account, "configuration_set": self.configuration_set, "dkim.status": self.status,
                 "dkim.signing_hosted_zone": self.zone}
        if self.mail_from:
            texts.update({"mail_from.domain": self.mail_from.domain, "mail_from.status": self.mail_from.status,
                          "mail_from.behavior_on_mx_failure": self.mail_from.behavior})
        lines += [f'{key} = "{value}"' for key, value in texts.items() if value]
        if self.tokens and self.tokens_told:
            lines.append(f"dkim.tokens = {json.dumps(self.tokens)}")
        return "\n".join(lines) + "\n"

    def answer(self, spare):
        """As in a snapshot. `spare` tells whether a member that says the usual is left out."""
        def members(*pairs):
            return {key: value for key, value, usual in pairs
                    if value is not None and value != "" and not (value == usual and spare())}

        tokens = self.tokens if self.tokens_told else None
        # A word that is not known here: SES may sign or not.
        status = self.status or (NEW_WORD if spare() else None)
        dkim = members(("SigningEnabled", self.enabled, True), ("Status", status, None), ("Tokens", tokens, []),
                       ("SigningHostedZone", self.zone, None), ("SigningAttributesOrigin", self.origin, "AWS_SES"),
                       ("CurrentSigningKeyLength", "RSA_2048_BIT", "RSA_2048_BIT"),
                       ("LastKeyGenerationTimestamp", 1735689600.123, 1735689600.123))
        behavior = self.mail_from.behavior if self.mail_from else "USE_DEFAULT_VALUE"
        mail_from = members(("BehaviorOnMxFailure", behavior, "USE_DEFAULT_VALUE"))
        if self.mail_from:
            mail_from.update(members(("MailFromDomain", self.mail_from.domain, None),
                                     ("MailFromDomainStatus", self.mail_from.status, None)))
        info = members(("ErrorType", self.error_type, None), ("LastCheckedTimestamp", time.time() - HOUR, None))
        answer = members(("IdentityType", "EMAIL_ADDRESS" if self.is_address else "DOMAIN", None),
                         ("VerifiedForSendingStatus", self.verified, True), ("VerificationInfo", info, info),
                         ("ConfigurationSetName", self.configuration_set, None), ("DkimAttributes", dkim, {}),
                         ("MailFromAttributes", mail_from, {}), ("SomethingNew", {"a": [1]}, None))
        entry = {"IdentityName": self.name, "fetched": stamp(3 * DAY if self.aged else HOUR), "GetEmailIdentity": answer}
        return {**entry, **({"former": self.former} if self.former else {})}


@dataclass
class Standing:
    """GetAccount of one account and region."""

    production: bool = True
    sending: bool = True
    enforcement: str = "HEALTHY"
    aged: bool = False

    def answer(self, spare):
        usual = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
        told = {"ProductionAccessEnabled": self.production, "SendingEnabled": self.sending,
                "EnforcementStatus": self.enforcement}
        return {key: value for key, value in told.items() if value != usual[key] or not spare()}


@dataclass
class Route:
    """[[ses.route]]: what is not empty must match."""

    sender: str = ""
    author: str = ""
    relay: str = ""
    account: str = ""
    region: str = ""
    configuration_set: str = ""

    def toml(self):
        keys = {"from": self.author, "sender": self.sender, "relay": self.relay, "account": self.account,
                "region": self.region, "configuration_set": self.configuration_set}
        return "[[ses.route]]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items() if value)


def snapshot(world):
    """The file `sesame sync` would have written."""
    spare = lambda: world.chance(0.3)  # noqa: E731
    regions = []
    for account, region in world.places:
        standing = world.standings.get((account, region))
        identities = [each.answer(spare) for each in world.identities + world.overridden
                      if each.in_snapshot and (each.account, each.region) == (account, region)]
        age = 3 * DAY if standing and standing.aged else HOUR
        entry = {"region": region, "fetched": stamp(age), "identities": identities}
        # For the account of the configuration it may be left out.
        if account and not (account == world.account and spare()):
            entry["account"] = account
        if standing:
            entry["GetAccount"] = standing.answer(spare)
        if identities or standing:
            regions.append(entry)
    text = json.dumps({"version": 1, "regions": regions}, indent=1)
    if NEW_WORD in text:
        world.open_facts.add("a word not known here")
    return text
