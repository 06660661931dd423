"""The account's state: which identity covers an address, and what its settings make SES do."""

import json


def split_address(address):
    local, _, domain = address.rpartition("@")
    return local, domain.lower().rstrip(".")


class Identity:
    def __init__(self, state):
        self.name = state["IdentityName"]
        self.region = state.get("Region")  # None: the account's
        self.verified = state.get("VerifiedForSendingStatus", False)
        self.configuration_set = state.get("ConfigurationSetName")
        dkim = state.get("DkimAttributes", {})
        self.signs = dkim.get("Status") == "SUCCESS" and dkim.get("SigningEnabled", False)
        self.origin = dkim.get("SigningAttributesOrigin", "AWS_SES")
        mail_from = state.get("MailFromAttributes", {})
        self.mail_from = mail_from.get("MailFromDomain")
        self.mail_from_ready = mail_from.get("MailFromDomainStatus") == "SUCCESS"
        self.rejects_on_mx_failure = mail_from.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
        self.active_token = state.get("ActiveToken")
        self.private_key = state.get("PrivateKey")

    @property
    def is_address(self):
        return "@" in self.name

    @property
    def domain(self):
        return split_address(self.name)[1]

    @property
    def parent_region(self):
        """Of a replica (DEED): "eu-south-1" for AWS_SES_EU_SOUTH_1."""
        prefix = "AWS_SES_"
        return self.origin[len(prefix):].lower().replace("_", "-") if self.origin.startswith(prefix) else None

    def covers(self, local, domain):
        if not self.is_address:
            return domain == self.domain or domain.endswith("." + self.domain)
        own_local, own_domain = split_address(self.name)
        return domain == own_domain and own_local in (local, local.partition("+")[0])


class Account:
    def __init__(self, state):
        self.region = state["Region"]
        self.amazon_selector = state["AmazonSigning"]["Selector"]
        self.amazon_key = state["AmazonSigning"]["PrivateKey"]
        self.identities = [Identity(each) for each in state["Identities"]]
        self.delegated = {each["Arn"]: Identity(each) for each in state.get("Delegated", [])}
        standing = state.get("Account", {})
        self.in_sandbox = not standing.get("ProductionAccessEnabled", True)
        self.may_send = standing.get("SendingEnabled", True) and standing.get("EnforcementStatus") != "SHUTDOWN"
        self.configuration_set = state.get("ConfigurationSetName")
        self.tracking = set(state.get("TrackingConfigurationSets", []))

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def covering(self, address):
        """The most specific verified identity of the region: the address itself, else the longest domain; of two
        addresses the one as written. None if there is none."""
        local, domain = split_address(address)
        found = [each for each in self.identities
                 if each.verified and each.region in (None, self.region) and each.covers(local, domain)]
        return max(found, key=lambda each: (each.is_address, len(each.name)), default=None)

    def signing_identity(self, identity):
        """The one whose keys sign: a replica has those of its parent."""
        if identity.private_key or not identity.parent_region:
            return identity
        parents = [each for each in self.identities
                   if each.name == identity.name and each.region == identity.parent_region]
        return parents[0] if parents else identity

    @property
    def default_mail_from(self):
        return "amazonses.com" if self.region == "us-east-1" else f"{self.region}.amazonses.com"

    @property
    def message_id_domain(self):
        return "email.amazonses.com" if self.region == "us-east-1" else f"{self.region}.amazonses.com"
