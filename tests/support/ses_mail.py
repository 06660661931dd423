"""Mail as SES would deliver it, made of a message without SMTP."""

from unittest import mock

from ses_simulator import account, rewrite

ADDRESS = "203.0.113.7"
TOKENS = ["l1", "l2", "l3"]


class SesMail:
    """One account in us-east-1, with a private key (PEM) for Amazon's signature and one for that of its identities."""

    def __init__(self, amazon, own):
        self.amazon, self.own = amazon.decode(), own.decode()

    @staticmethod
    def zone(domain, amazon, own):
        """What Amazon and the owner of an identity publish; the keys are public, as p= has them."""
        keys = {"l2": "p=" + own}
        return {
            "amazonses.com": {"TXT": ["v=spf1 ip4:203.0.113.0/24 -all"]},
            "amazon._domainkey.amazonses.com": {"TXT": ["p=" + amazon]},
            f"bounce.{domain}": {"TXT": ["v=spf1 include:amazonses.com ~all"],
                                 "MX": [[10, "feedback-smtp.us-east-1.amazonses.com"]]},
            **{f"{token}._domainkey.{domain}": {"CNAME": [f"{token}.dkim.amazonses.com"]} for token in TOKENS},
            **{f"{token}.dkim.amazonses.com": {"TXT": [keys.get(token, "")]} for token in TOKENS},
        }

    def emit(self, octets, domain, *, signs=True, custom=True, ago=0):
        """The message and the envelope sender that SES made so many seconds ago for an identity that signs, or has its
        custom MAIL FROM in order, or not."""
        state = {
            "Region": "us-east-1",
            "AmazonSigning": {"Selector": "amazon", "PrivateKey": self.amazon},
            "Identities": [{
                "IdentityName": domain, "VerifiedForSendingStatus": True,
                "DkimAttributes": {"Status": "SUCCESS", "SigningEnabled": signs},
                "MailFromAttributes": {"MailFromDomain": f"bounce.{domain}",
                                       "MailFromDomainStatus": "SUCCESS" if custom else "FAILED"},
                "ActiveToken": "l2", "PrivateKey": self.own}],
        }
        fields, body = rewrite.split_message(octets)
        signed_at = rewrite.dkim.time.time() - ago
        with mock.patch("dkim.time.time", return_value=signed_at):
            emission = rewrite.emit(account.Account(state), fields, body, ADDRESS)
        return emission.message, emission.sender
