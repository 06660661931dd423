#!/usr/bin/python3
"""DKIM verification held against dkimpy and Mail::DKIM: random messages, signed by them and by hand, damaged, with odd tags
and odd keys, verified by all three over the same DNS.

    dkim_messages.py BIN_DIRECTORY [FIRST_SEED COUNT]

A seed gives one signed message and three damaged ones. Compared for each signature: whether it verifies, and what keeps
it from it: no answer from DNS, the body hash, the signature over the header, or anything that is refused before (its tags,
its key). What `sesame` calls policy verifies (l=, RFC 6376 Section 8.2)."""

import random
import re
import sys
import types

import harness

PACKAGES = [("python3-dkim", ["/usr/bin/python3", "-c", "import dkim, nacl"]),
            ("python3-dnspython", ["/usr/bin/python3", "-c", "import dns.query"]),
            ("libmail-dkim-perl", ["/usr/bin/perl", "-MMail::DKIM", "-MJSON::PP", "-e1"])]
if __name__ == "__main__":
    harness.need(*PACKAGES)

import dkim
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import dkim_making as making
import dkim_rules
import messages

FIRST, COUNT = 1, 300
BATCH = 20
VARIANTS = 4
SEEN = ["pass", "temperror", "body hash", "signature", "refused"]


class NoAnswer(Exception):
    """Not one of dkimpy's own, so that it reaches us."""


class Case:
    """A message, and the records of its zone: {name: [octets, ...] or the word of a fault}."""

    def __init__(self, label, message, records, faults):
        self.label, self.message, self.records, self.faults = label, message, records, faults

    def story(self, index):
        seen = dkim_rules.Seen(self, index)
        return f"{self.label} signature {index}\n{harness.octets(self.message)}\n{seen.field!r}\nrecords {seen.records!r}"


def zone_of(case_records):
    """The test server's form of it, as (zone, faults)."""
    zone, faults = {}, []
    for name, record in case_records.items():
        if record == "CNAME":
            zone[name] = {"CNAME": ["key.example.net"]}
        elif record == "NODATA":
            zone[name] = {"A": ["192.0.2.1"]}
        elif isinstance(record, str):
            faults.append({"name": name, "type": "TXT", "fault": record})
        else:
            zone[name] = {"TXT": record}
    return zone, faults


def make(seed, signers):
    """The messages of a seed and the records they need."""
    rng = random.Random(seed)
    fields = messages.fields(rng)
    body = messages.body(rng, bare_line_ends=rng.random() < 0.08)
    records = {}
    for i in range(rng.choice([1, 1, 1, 2, 3])):
        key = making.KEYS[rng.choice(["1024", "1024", "1024b", "1024b", "2048", "2048", "ed", "ed", "ed", "edb", "edb", "768"])]
        selector = f"s{seed}.{i}"
        oddity = rng.random() < 0.35
        signed_body = messages.with_crlf(messages.join(fields, body)).split(b"\r\n\r\n", 1)[1]
        fields.insert(rng.choice([0, 0, 0, len(fields)]), signers.sign(rng, key, selector.encode(), list(fields), signed_body, oddity))
        bad = rng.random() < (0.1 if oddity else 0.3)
        record = making.bad_record(rng, key) if bad else making.good_record(rng, key)
        for domain in ["example.com", "sub.example.com", "com"]:
            records[f"{selector}._domainkey.{domain}"] = record
    cases = [(f"seed {seed}", messages.join(fields, body))]
    for variant in range(1, VARIANTS):
        cases.append((f"seed {seed} variant {variant}", damaged(rng, list(fields), body)))
    return cases, records


def damaged(rng, fields, body):
    for _ in range(rng.choice([1, 1, 2])):
        kind = rng.random()
        if kind < 0.35:
            fields = making.damage_header(rng, fields)
        elif kind < 0.6:
            body = making.damage_body(rng, body)
        else:
            own = rng.choice([i for i, (name, _) in enumerate(fields) if name.lower().strip() == b"dkim-signature"] or [0])
            fields[own] = (fields[own][0], making.damage_signature(rng, fields[own][1]))
    return messages.join(fields, body)


class Dkimpy:
    def __init__(self, port):
        self.port, self.known = port, {}

    def records(self, name, timeout=5):
        """What dkimpy's own look-up does: the first record; None when there is no such name."""
        if name not in self.known:
            self.known[name] = self.ask(name)
        if self.known[name] is NoAnswer:
            raise NoAnswer(name)
        return self.known[name]

    def ask(self, name):
        try:
            question = dns.message.make_query(name.decode("latin-1"), "TXT", use_edns=0, payload=4096)
        except Exception:  # not a name
            return None
        answer = dns.query.udp(question, "127.0.0.1", port=self.port, timeout=5)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return NoAnswer
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.TXT:
                return b"".join(list(rrset)[0].strings)
        return None

    def verify(self, message, index):
        try:
            verifier = dkim.DKIM(message)
            verifier.signed_headers = None  # a list once it has come to the signature
            if verifier.verify(idx=index, dnsfunc=self.records):
                return "pass"
            return "refused" if verifier.signed_headers is None else "signature"
        except NoAnswer:
            return "temperror"
        except Exception as problem:  # whatever it stumbles over
            return "body hash" if "body hash mismatch" in str(problem) else "refused"


def mail_dkim(perl, message, count):
    answer = perl.ask({"op": "verify", "now": making.NOW, "message": harness.octets(message)})
    return [kind_of_mail_dkim(answer.get(str(i)) or "none") for i in range(count)]


def kind_of_mail_dkim(detail):
    if detail.startswith("pass"):
        return "pass"
    if "DNS error" in detail:
        return "temperror"
    if detail.startswith("fail"):
        return "body hash" if "body has been altered" in detail else "refused" if "too short" in detail else "signature"
    return "refused"


def our_kind(outcome):
    if outcome["result"] in ("pass", "policy"):
        return "pass"
    if outcome["result"] == "temperror":
        return "temperror"
    part = outcome["reason"]
    return "body hash" if part.startswith("body hash") else "signature" if part.startswith("header hash") else "refused"


def agree(peer, ours, theirs):
    """Of two faults we name the body, for it needs no key; both peers look at the key before, Mail::DKIM at the signature, too."""
    earlier = ["refused", "signature"] if peer == "Mail::DKIM" else ["refused"]
    return ours == theirs or (ours == "body hash" and theirs in earlier)


def compare(account, case, ours, peer, theirs):
    for i, outcome in enumerate(ours):
        mine = our_kind(outcome)
        seen = dkim_rules.Seen(case, i)
        if peer == "Mail::DKIM" and seen.tag(b"a", b"").lower().startswith(b"ed25519"):
            continue  # it has no Ed25519
        if agree(peer, mine, theirs[i]):
            account.same(peer, mine)
        else:
            account.differs(peer, f"{outcome['result']} ({outcome['reason']})", theirs[i],
                            dkim_rules.reason(peer, mine, theirs[i], seen), case.story(i))


def run_batch(world, account, batch):
    perl = harness.Perl("dkim_peer.pl", world.port)
    signers = making.Signers(perl)
    cases, zone, faults = [], {"key.example.net": {"TXT": [making.KEYS["1024"].record]}}, []
    for seed in batch:
        made, records = make(seed, signers)
        more_zone, more_faults = zone_of(records)
        zone.update(more_zone)
        faults += more_faults
        cases += [Case(label, message, records, more_faults) for label, message in made]
    world.load(zone, faults)
    results = harness.in_parallel(lambda case: world.sesame("verify", "--now", making.NOW, message=case.message)["dkim"], cases)
    dkimpy = Dkimpy(world.port)
    for case, ours in zip(cases, results):
        wire = messages.with_crlf(case.message)
        count = dkim_rules.signatures(wire)
        if len(ours) != count:
            account.differs("dkimpy", f"{len(ours)} signatures", f"{count} fields", None, case.label)
            continue
        compare(account, case, ours, "dkimpy", [dkimpy.verify(wire, i) for i in range(count)])
        compare(account, case, ours, "Mail::DKIM", mail_dkim(perl, wire, count))
    perl.close()


def main():
    dkim.time = types.SimpleNamespace(time=lambda: making.NOW)
    account = harness.Account("dkim", dkim_rules.EXPLAINED)
    seeds = harness.seeds(sys.argv, FIRST, COUNT)
    with harness.World(sys.argv[1]) as world:
        for first in range(seeds.start, seeds.stop, BATCH):
            run_batch(world, account, range(first, min(first + BATCH, seeds.stop)))
    return account.close(SEEN)


if __name__ == "__main__":
    sys.exit(main())
