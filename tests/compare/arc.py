#!/usr/bin/python3
"""ARC verification held against dkimpy and Mail::DKIM: chains of one to five sets, sealed by them and by hand, damaged, with
odd fields and odd keys, verified by all three over the same DNS.

    arc.py BIN_DIRECTORY [FIRST_SEED COUNT]

A seed gives one sealed message and three damaged ones. Compared is the chain's result: none, pass or fail. Whatever makes a
peer give up, by its own word or by an exception, is its fail (RFC 8617 Section 5.2.1)."""

import random
import sys
import types

import harness

if __name__ == "__main__":
    harness.need(("python3-dkim", ["/usr/bin/python3", "-c", "import dkim, nacl, authres"]),
                 ("python3-dnspython", ["/usr/bin/python3", "-c", "import dns.query"]),
                 ("libmail-dkim-perl", ["/usr/bin/perl", "-MMail::DKIM::ARC::Verifier", "-MJSON::PP", "-e1"]))

import dkim

import arc_making
import arc_rules
import dkim_making as making
import dkim_messages
import messages

FIRST, COUNT = 1, 80
BATCH = 20
VARIANTS = 4


class Case:
    """A message, and the records of its zone: {name: [text, ...] or the word of a fault}."""

    def __init__(self, label, message, records):
        self.label, self.message, self.records = label, message, records

    def story(self, detail):
        return f"{self.label}: {detail}\n{harness.octets(self.message)}\n" + "\n".join(
            f"{name.decode('latin-1')}:{value!r}" for name, value in arc_rules.Seen(self).arc_fields) + f"\n{self.records}"


def make(seed, sealers):
    """The messages of a seed and the records they need."""
    rng = random.Random(seed)
    fields = [field for field in messages.fields(rng) if field[0].lower() != b"authentication-results"]
    body = messages.with_crlf(messages.join([], messages.body(rng)))[2:]
    chain, records = arc_making.Chain(fields, body), {}
    count = rng.choice([1, 1, 2, 2, 3, 4, 5])
    odd_at = rng.randrange(count) if rng.random() < 0.4 else None
    bad_at = rng.randrange(count) if rng.random() < 0.15 else None
    for i in range(count):
        key = making.KEYS[rng.choice(["1024", "1024", "1024", "2048", "2048", "1024b", "ed" if rng.random() < 0.2 else "1024",
                                      "768" if rng.random() < 0.1 else "1024"])]
        domain, selector = rng.choice(arc_making.DOMAINS), b"s%d.%d" % (seed, i)
        cv = b"pass" if i > 0 else b"none"
        if rng.random() < 0.04:
            cv = rng.choice([b"none", b"pass", b"fail", b"fail"])
        if i > 0 and rng.random() < 0.15:  # on its way the message changes, for better or worse
            chain.body = messages.with_crlf(chain.body + b"-- \r\nA footer\r\n")
        sealers.seal(rng, chain, key, domain, selector, cv, rng.randrange(3) if i == odd_at else None)
        record = arc_making.bad_record(rng, key) if i == bad_at else arc_making.good_record(rng, key)
        for name in [*arc_making.DOMAINS, b"sub.example.com"]:
            records[f"{selector.decode()}._domainkey.{name.decode()}"] = record
    cases = [Case(f"seed {seed}", messages.join(chain.fields, chain.body), records)]
    for variant in range(1, VARIANTS):
        message = arc_making.damaged(rng, list(chain.fields), chain.body)
        cases.append(Case(f"seed {seed} variant {variant}", message, records))
    return cases


def by_dkimpy(dkimpy, message):
    try:
        cv, _, reason = dkim.ARC(message).verify(dnsfunc=dkimpy.records)
        return (cv or b"fail").decode(), reason
    except Exception as error:
        return "fail", f"{type(error).__name__}: {error}"


def by_mail_dkim(perl, message):
    answer = perl.ask({"op": "verify", "now": making.NOW, "message": harness.octets(message)})
    result = answer.get("result") or "fail"
    return (result if result in ("none", "pass") else "fail"), answer.get("detail") or answer.get("error")


def run_batch(world, account, batch):
    perl = harness.Perl("arc_peer.pl", world.port)
    sealers = arc_making.Sealers(perl)
    cases, zone, faults = [], {"key.example.net": {"TXT": [making.KEYS["1024"].record]}}, []
    for seed in batch:
        made = make(seed, sealers)
        more_zone, more_faults = dkim_messages.zone_of(made[0].records)
        zone.update(more_zone)
        faults += more_faults
        cases += made
    world.load(zone, faults)
    results = harness.in_parallel(lambda case: world.sesame("verify", "--now", making.NOW, message=case.message)["arc"], cases)
    dkimpy = dkim_messages.Dkimpy(world.port)
    for case, ours in zip(cases, results):
        wire = messages.with_crlf(case.message)
        for peer, (theirs, detail) in [("dkimpy", by_dkimpy(dkimpy, wire)), ("Mail::DKIM", by_mail_dkim(perl, wire))]:
            if ours["result"] == theirs:
                account.same(peer, theirs)
                continue
            reason = arc_rules.reason(peer, ours["result"], theirs, arc_rules.Seen(case))
            account.differs(peer, f"{ours['result']} ({ours['reason']})", theirs, reason, case.story(detail))
    perl.close()


def main():
    dkim.time = types.SimpleNamespace(time=lambda: making.NOW)
    account = harness.Account("arc", arc_rules.EXPLAINED)
    seeds = harness.seeds(sys.argv, FIRST, COUNT)
    with harness.World(sys.argv[1]) as world:
        for first in range(seeds.start, seeds.stop, BATCH):
            run_batch(world, account, range(first, min(first + BATCH, seeds.stop)))
    return account.close(["none", "pass", "fail"])


if __name__ == "__main__":
    sys.exit(main())
