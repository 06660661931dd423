"""An SES account, described once and written as what Sesame knows of it (its configuration, and a snapshot of what the
API says), as the simulator's state, and as the DNS records its owner and Amazon have published."""

import base64
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Optional

REGION = "us-east-1"
SIGNING_ZONE = "dkim.amazonses.com"
FEEDBACK_HOST = f"feedback-smtp.{REGION}.amazonses.com"
SES_ADDRESS = "198.51.100.7"
DAY = 86400


@dataclass
class MailFrom:
    domain: str
    status: str = "SUCCESS"
    on_mx_failure: str = "USE_DEFAULT_VALUE"
    published: bool = True  # its MX and SPF records stand in DNS


@dataclass
class Identity:
    name: str
    status: str = "SUCCESS"
    enabled: bool = True
    origin: str = "AWS_SES"
    missing: tuple = ()  # which of the three CNAMEs are not in DNS
    mail_from: Optional[MailFrom] = None
    told_by: str = "configuration"  # or "snapshot"
    region: str = REGION
    lost_days_ago: Optional[int] = None  # SES last found the records then
    key: str = field(default="", repr=False)

    @property
    def tokens(self):
        if self.status == "NOT_STARTED":
            return []
        if self.origin == "EXTERNAL":
            return ["own1"]
        return [f"{self.name.replace('.', '-').replace('@', '-at-')}-{n}" for n in (1, 2, 3)]

    @property
    def active_token(self):
        """The selector that signs: Amazon keeps a key at one of the three, and says "" at the others."""
        return self.tokens[1 if len(self.tokens) > 1 else 0] if self.tokens else None

    def answer(self):
        """What GetEmailIdentity says."""
        mail_from = {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
        if self.mail_from:
            mail_from = {
                "MailFromDomain": self.mail_from.domain,
                "MailFromDomainStatus": self.mail_from.status,
                "BehaviorOnMxFailure": self.mail_from.on_mx_failure,
            }
        answer = {
            "IdentityType": "EMAIL_ADDRESS" if "@" in self.name else "DOMAIN",
            "VerifiedForSendingStatus": True,
            "DkimAttributes": {
                "SigningEnabled": self.enabled,
                "Status": self.status,
                "Tokens": self.tokens,
                "SigningAttributesOrigin": self.origin,
                "SigningHostedZone": SIGNING_ZONE,
            },
            "MailFromAttributes": mail_from,
        }
        if self.lost_days_ago is not None:
            now = int(time.time())
            answer["VerificationInfo"] = {
                "ErrorType": "HOST_NOT_FOUND",
                "LastCheckedTimestamp": now - 3600,
                "LastSuccessTimestamp": now - self.lost_days_ago * DAY,
            }
        return answer

    def state(self):
        return {"IdentityName": self.name, **self.answer(), "ActiveToken": self.active_token, "PrivateKey": self.key}

    def toml(self):
        lines = [
            "[[ses.identity]]",
            f'name = "{self.name}"',
            f'region = "{self.region}"',
            "verified_for_sending = true",
            f'dkim.status = "{self.status}"',
            f"dkim.signing_enabled = {str(self.enabled).lower()}",
            f'dkim.origin = "{self.origin}"',
            f"dkim.tokens = {json.dumps(self.tokens)}",
        ]
        if self.origin == "AWS_SES":
            lines.append(f'dkim.signing_hosted_zone = "{SIGNING_ZONE}"')
        if self.mail_from:
            lines += [
                f'mail_from.domain = "{self.mail_from.domain}"',
                f'mail_from.status = "{self.mail_from.status}"',
                f'mail_from.behavior_on_mx_failure = "{self.mail_from.on_mx_failure}"',
            ]
        return "\n".join(lines) + "\n"

    def zone(self):
        records = {}
        for number, token in enumerate(self.tokens, 1):
            name = f"{token}._domainkey.{self.name}"
            value = f"p={public_key(self.key)}" if token == self.active_token else ""
            if self.origin == "EXTERNAL":
                records[name] = {"TXT": [value]}
                continue
            target = f"{token}.{SIGNING_ZONE}"
            records[target] = {"TXT": [value]}
            if number not in self.missing:
                records[name] = {"CNAME": [target]}
        if self.mail_from and self.mail_from.published:
            records[self.mail_from.domain] = {
                "MX": [[10, FEEDBACK_HOST]],
                "TXT": ["v=spf1 include:amazonses.com ~all"],
            }
        return records


class Account:
    def __init__(self, identities):
        self.identities = identities
        signing = [identity for identity in identities if identity.tokens]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self.amazon_key, *keys = pool.map(lambda _: new_key(), range(1 + len(signing)))
        for identity, key in zip(signing, keys):
            identity.key = key

    def state(self):
        return {
            "Region": REGION,
            "AmazonSigning": {"Selector": "amazon1", "PrivateKey": self.amazon_key},
            "Identities": [identity.state() for identity in self.identities],
        }

    def _told_by(self, source):
        return [identity for identity in self.identities if identity.told_by == source]

    def toml(self, snapshot):
        head = f'[ses]\nregion = "{REGION}"\nsnapshot = "{snapshot}"\n\n'
        return head + "\n".join(identity.toml() for identity in self._told_by("configuration"))

    def snapshot(self):
        """The file that `sesame sync` would write."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        identities = [{"IdentityName": each.name, "fetched": now, "GetEmailIdentity": each.answer()}
                      for each in self._told_by("snapshot")]
        standing = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
        return {"version": 1, "regions": [{"region": REGION, "fetched": now, "GetAccount": standing,
                                           "identities": identities}]}

    def zone(self):
        """What the owner of the identities and Amazon publish; the addresses are documentation ranges."""
        records = {
            "amazonses.com": {
                "TXT": ["v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/25 -all"],
                "MX": [[10, FEEDBACK_HOST]],
            },
            "amazon1._domainkey.amazonses.com": {"TXT": [f"p={public_key(self.amazon_key)}"]},
            FEEDBACK_HOST: {"A": ["203.0.113.200"]},
            "a7.smtp-out.amazonses.com": {"A": [SES_ADDRESS]},
        }
        for identity in self.identities:
            records.update(identity.zone())
        return records


def new_key():
    """An RSA key, in the PEM form that dkimpy reads."""
    command = ["openssl", "genrsa", "-traditional", "2048"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def public_key(private_key):
    """The p= of a key record."""
    command = ["openssl", "rsa", "-pubout", "-outform", "DER"]
    done = subprocess.run(command, check=True, capture_output=True, input=private_key.encode())
    return base64.b64encode(done.stdout).decode()
