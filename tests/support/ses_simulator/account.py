"""The account's state: which identity covers an address, and what its settings make SES do."""

import json


def split_address(address):
    local, _, domain = address.rpartition("@")
    return local, domain.lower().rstrip(".")


class Identity:
    def __init__(self, state):
        self.name = state["IdentityName"]
        self.verified = state.get("VerifiedForSendingStatus", False)
        dkim = state.get("DkimAttributes", {})
        self.signs = dkim.get("Status") == "SUCCESS" and dkim.get("SigningEnabled", False)
        mail_from = state.get("MailFromAttributes", {})
        self.mail_from = mail_from.get("MailFromDomain")
        self.mail_from_ready = mail_from.get("MailFromDomainStatus") == "SUCCESS"
        self.rejects_on_mx_failure = mail_from.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
        self.active_token = state.get("ActiveToken")
        self.private_key = state.get("PrivateKey")

    @property
    def domain(self):
        return split_address(self.name)[1]

    def covers(self, local, domain):
        if "@" not in self.name:
            return domain == self.domain or domain.endswith("." + self.domain)
        own_local, own_domain = split_address(self.name)
        return domain == own_domain and own_local in (local, local.partition("+")[0])


class Account:
    def __init__(self, state):
        self.region = state["Region"]
        self.amazon_selector = state["AmazonSigning"]["Selector"]
        self.amazon_key = state["AmazonSigning"]["PrivateKey"]
        self.identities = [Identity(each) for each in state["Identities"]]

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def covering(self, address):
        """The most specific verified identity: the address itself, else the longest domain. None if there is none."""
        local, domain = split_address(address)
        found = [each for each in self.identities if each.verified and each.covers(local, domain)]
        return max(found, key=lambda each: ("@" in each.name, len(each.name)), default=None)

    @property
    def default_mail_from(self):
        return "amazonses.com" if self.region == "us-east-1" else f"{self.region}.amazonses.com"

    @property
    def message_id_domain(self):
        return "email.amazonses.com" if self.region == "us-east-1" else f"{self.region}.amazonses.com"
