"""The messages that are sent, the account they are sent through, and the DNS around them: data only."""

from dataclasses import dataclass, field
from typing import Optional

from account import Identity, MailFrom, public_key

INBOX = "inbox.test"          # the receiver's domain
SENDER_ID = "mx.sender.test"  # authserv-id of Sesame at the sender
RECEIVER_ID = "mx.inbox.test" # and at the receiver


@dataclass
class Row:
    name: str
    title: str
    verdict: str                      # what is true of the message: pass, fail, none, refused, unknown
    author: str                       # the address in From
    envelope: Optional[str] = None    # MAIL FROM; None = as From
    fields: list = field(default_factory=list)
    signed_by: Optional[str] = None   # a DKIM signature already on the message: its d=
    action: str = "send"              # send; hold, reject: as Sesame is configured; inbound: sent to the receiver
    client: Optional[str] = None      # inbound: the address it comes from
    finding: Optional[str] = None     # a code the prediction must name
    why: tuple = ()                   # what the why-line must name
    repairs: tuple = ()               # fields that Sesame is to remove
    examined: Optional[str] = None    # what `sesame doctor` is asked about; must name the finding, too


def identities():
    return [
        Identity("example.com", mail_from=MailFrom("bounce.example.com")),
        Identity("ceo@example.com", status="NOT_STARTED", enabled=False),
        Identity("example.org"),
        Identity("example.net", enabled=False, mail_from=MailFrom("bounce.example.net")),
        Identity("neither.example", enabled=False),
        Identity("own-key.example", origin="EXTERNAL"),
        Identity("cname-missing.example", status="FAILED", missing=(2,)),
        Identity("gone.example", missing=(1, 2, 3)),
        Identity("fallback.example", mail_from=MailFrom("bounce.fallback.example", status="FAILED", published=False)),
        Identity(
            "fallen.example",
            enabled=False,
            mail_from=MailFrom("bounce.fallen.example", status="FAILED", published=False),
        ),
        Identity(
            "mx-reject.example",
            mail_from=MailFrom("bounce.mx-reject.example", "FAILED", "REJECT_MESSAGE", published=False),
        ),
        Identity("no-mx.example", mail_from=MailFrom("bounce.no-mx.example", published=False)),
        Identity("strict-dkim.example"),
        Identity("strict-spf.example", enabled=False, mail_from=MailFrom("bounce.strict-spf.example")),
        Identity("split.example"),
        Identity("no-policy.example"),
        Identity("upstream.example", enabled=False),
        Identity("dns-fault.example"),
        Identity("far.example", region=FAR_REGION),
        # Where users are left standing today.
        Identity("revoked.example", status="FAILED", told_by="snapshot", lost_days_ago=8),
        Identity("default-mail-from.example", status="NOT_STARTED", told_by="snapshot"),
        Identity("shop@post.example", status="NOT_STARTED", enabled=False, told_by="snapshot"),
        Identity("held.example", enabled=False),
        Identity("rejected.example", enabled=False),
    ]


# domain -> its DMARC record. The others of the account have REJECT; None: it publishes none.
REJECT = "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"
POLICIES = {
    "example.org": "v=DMARC1; p=quarantine",
    "strict-dkim.example": "v=DMARC1; p=reject; adkim=s",
    "strict-spf.example": "v=DMARC1; p=reject; aspf=s",
    "split.example": None,
    "news.split.example": REJECT,
    "no-policy.example": None,
    "stranger.example": REJECT,
    "post.example": REJECT,
}

# Domains that have nothing to do with the account.
OTHERS = {
    "correspondent.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "_dmarc.correspondent.example": {"TXT": ["v=DMARC1; p=none"]},
    "_dmarc.dns-fault.example": {"FAULT": "SERVFAIL"},
    "forwarder.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "default-mail-from.example": {"TXT": ["v=spf1 include:amazonses.com -all"]},
}

# The sender's Postfix relays mail of this domain through another host, by which Sesame knows the region.
FAR_REGION = "eu-west-1"
FAR_RELAYS = {"@far.example": "localhost"}

OVERRIDES = {"held.example": "hold", "rejected.example": "reject"}

ARN = "arn:aws:ses:us-east-1:111122223333:identity/stranger.example"
FORGED = f"{RECEIVER_ID}; dmarc=pass header.from=bank.example; spf=pass smtp.mailfrom=bank.example"
FOREIGN = "mx.elsewhere.example; spf=pass smtp.mailfrom=correspondent.example"

ROWS = [
    Row(
        "both-legs",
        "DKIM and custom MAIL FROM",
        "pass",
        "news@example.com",
        finding="dkim-ok",
        why=("example.com", "bounce.example.com"),
    ),
    Row("dkim-only", "DKIM, default MAIL FROM", "pass", "news@example.org", finding="mailfrom-default"),
    Row("spf-only", "DKIM switched off, custom MAIL FROM", "pass", "news@example.net", finding="dkim-disabled"),
    Row(
        "neither",
        "DKIM switched off, default MAIL FROM",
        "fail",
        "news@neither.example",
        finding="dmarc-none-aligned",
        why=("neither.example", "switched off"),
    ),
    Row("far-region", "relayed through another region", "pass", "news@far.example", finding="dkim-ok"),
    Row("own-key", "DKIM with the owner's key", "pass", "news@own-key.example"),
    Row(
        "address-identity",
        "address identity without DKIM overrides",
        "fail",
        "ceo@example.com",
        finding="identity-address-override",
        why=("ceo@example.com", "address identity"),
    ),
    Row(
        "cname-missing",
        "DKIM set-up failed, a CNAME missing",
        "fail",
        "news@cname-missing.example",
        finding="dkim-cname-missing",
        why=("cname-missing-example-2._domainkey.cname-missing.example CNAME",),
    ),
    Row(
        "records-gone",
        "DKIM says SUCCESS, all CNAMEs gone",
        "fail",
        "news@gone.example",
        finding="dkim-cname-missing",
        why=("gone-example-1._domainkey.gone.example CNAME gone-example-1.dkim.amazonses.com",),
    ),
    Row(
        "fallback",
        "custom MAIL FROM failed, DKIM carries",
        "pass",
        "news@fallback.example",
        finding="mailfrom-fallback",
    ),
    Row("fallen", "custom MAIL FROM failed, no DKIM", "fail", "news@fallen.example", finding="mailfrom-fallback"),
    Row("no-mx", "MAIL FROM says SUCCESS, its MX is gone", "pass", "news@no-mx.example", finding="mailfrom-mx"),
    Row(
        "subdomain-strict",
        "subdomain From, adkim=s",
        "fail",
        "news@sub.strict-dkim.example",
        finding="dkim-strict-parent",
        why=("adkim=s", "_dmarc.strict-dkim.example"),
    ),
    Row("spf-strict", "custom MAIL FROM only, aspf=s", "fail", "news@strict-spf.example", finding="spf-strict-never"),
    Row(
        "org-split",
        "policy at the subdomain only",
        "fail",
        "news@news.split.example",
        finding="orgdomain-split",
        why=("RFC 9989", "_dmarc.split.example"),
    ),
    Row(
        "upstream",
        "signed before SES, SES does not sign",
        "pass",
        "news@upstream.example",
        signed_by="upstream.example",
    ),
    Row(
        "no-policy",
        "no DMARC record",
        "none",
        "news@no-policy.example",
        finding="dmarc-absent",
        why=("_dmarc.no-policy.example",),
    ),
    Row("dns-fault", "DMARC record: SERVFAIL", "unknown", "news@dns-fault.example", finding="dmarc-temperror"),
    Row(
        "duplicate-field",
        "MIME-Version twice",
        "refused",
        "twice@example.com",
        fields=["MIME-Version: 1.1"],
        finding="dup-header",
        why=("MIME-Version",),
    ),
    Row(
        "repaired",
        "repair: MIME-Version twice alike, X-SES-SOURCE-ARN",
        "pass",
        "news@example.com",
        fields=["MIME-Version: 1.0", f"X-SES-SOURCE-ARN: {ARN}"],
        repairs=("MIME-Version", "X-SES-SOURCE-ARN"),
    ),
    Row(
        "two-authors",
        "From twice",
        "refused",
        "twice@example.org",
        fields=["From: Another <another@example.net>"],
        finding="from-ambiguous",
    ),
    Row("null-sender", "empty envelope sender", "refused", "bounce@example.com", envelope="", finding="null-sender"),
    Row(
        "unverified",
        "From at a domain not of the account",
        "refused",
        "someone@stranger.example",
        envelope="relay@example.com",
        finding="from-unverified",
        why=("someone@stranger.example",),
    ),
    Row(
        "mx-reject",
        "custom MAIL FROM failed, REJECT_MESSAGE",
        "refused",
        "news@mx-reject.example",
        finding="mailfrom-reject",
    ),
    Row(
        "revoked",
        "DKIM revoked, though all records are there",
        "fail",
        "news@revoked.example",
        finding="dkim-revoked",
        why=("revoked",),
        examined="revoked.example",
    ),
    Row(
        "default-mail-from",
        "default MAIL FROM, SPF at the domain itself",
        "fail",
        "news@default-mail-from.example",
        finding="spf-apex-irrelevant",
        why=("default-mail-from.example",),
        examined="default-mail-from.example",
    ),
    Row(
        "only-amazonses",
        "an address at a mail provider: d=amazonses.com",
        "fail",
        "shop@post.example",
        finding="from-foreign",
        why=("post.example",),
        examined="shop@post.example",
    ),
    Row("held", "policy: hold what would fail", "fail", "news@held.example", action="hold"),
    Row("rejected", "policy: reject what would fail", "fail", "news@rejected.example", action="reject"),
    Row(
        "forged-results",
        "inbound, forged Authentication-Results",
        "pass",
        "person@correspondent.example",
        action="inbound",
        client="192.0.2.25",
        fields=[f"Authentication-Results: {FORGED}", f"Authentication-Results: {FOREIGN}"],
    ),
    Row(
        "spoofed",
        "inbound, somebody else's envelope",
        "fail",
        "person@correspondent.example",
        envelope="list@forwarder.example",
        action="inbound",
        client="192.0.2.26",
    ),
]


def zone(account):
    """All of the private DNS."""
    records = dict(account.zone())
    domains = {identity.name for identity in account.identities if "@" not in identity.name}
    for domain in sorted(domains | set(POLICIES)):
        policy = POLICIES.get(domain, REJECT)
        name = f"_dmarc.{domain}"
        if policy:
            records[name] = {"TXT": [policy]}
        records.setdefault(domain, {"A": ["192.0.2.80"]})
    for name, types in OTHERS.items():
        records.setdefault(name, {}).update(types)
    for row in ROWS:
        if row.signed_by:
            key = next(each.key for each in account.identities if each.name == row.signed_by)
            records[f"own._domainkey.{row.signed_by}"] = {"TXT": [f"v=DKIM1; p={public_key(key)}"]}
    return records


if __name__ == "__main__":
    print(";".join(row.name for row in ROWS), end="")
