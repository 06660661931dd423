"""SPF of random worlds as `sesame spf`, pyspf and Mail::SPF judge them; see harness.py and contributing.md.

Where a peer differs, its known departures from RFC 7208 are repaired in it until it agrees: the fewest that do are the
explanation. A difference that stays with all of them repaired is not explained. No peer knows RFC 8616, so all that is
said here is ASCII."""

import re
import sys
import time

import harness
import spf_mailspf
import spf_pyspf
import spf_worlds

BATCH = 100
RESULTS = ("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror")
HOST_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)+[A-Za-z0-9_-]{1,63}")
ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
ATOMS = re.compile(r'[^\x00-\x20\x7f()<>\[\]:;@\\,"]+|"(?:[^"\\\x00-\x1f\x7f]|\\.)*"')


def meant(world):
    """(local part, domain) of what is judged, or None: RFC 7208 Sections 2.3, 2.4 and 4.3, RFC 5321 Section 4.1.2."""
    route, _, rest = world.mail_from.partition(":")
    address = rest if route.startswith("@") and "@" in rest else world.mail_from
    local, at, domain = address.rpartition("@")
    if not world.mail_from:
        local, at, domain = "", "@", world.helo
    local = local or "postmaster"
    domain = domain.lower().removesuffix(".")
    known = at and HOST_NAME.fullmatch(domain) and not ADDRESS.fullmatch(domain) and ATOMS.fullmatch(local)
    return (local, domain) if known else None


def plain(explanation):
    """Without what two checks never have in common: the time, and the case of letters no name distinguishes."""
    return re.sub(str(int(time.time()))[:4] + "[0-9]{6}", "TIME", explanation).lower()


def of_sesame(world, server):
    answer = server.sesame("spf", "--ip", world.ip, "--helo", world.helo, "--mail-from", world.mail_from)
    return answer["result"], plain(answer.get("explanation") or "")


def explain(ours, judge, repairs):
    """The fewest repairs, in the order of the list, that make a peer say the same; None when nothing does."""
    for repair in repairs:
        if judge({repair}) == ours:
            return repair
    needed = list(repairs)
    if judge(set(needed)) != ours:
        return None
    for repair in repairs:
        fewer = [each for each in needed if each != repair]
        if judge(set(fewer)) == ours:
            needed = fewer
    return " + ".join(needed)


def story(world):
    lines = [f"seed {world.seed}: --ip {world.ip} --helo {world.helo} --mail-from '{world.mail_from}'"]
    for name, kinds in world.zone.items():
        for kind, values in kinds.items():
            for value in values:
                if kind == "TXT":
                    value = b"".join(bytes.fromhex(part["hex"]) for part in value)
                lines.append(f"  {name} {kind} {value}")
    return "\n".join([*lines, f"  {world.faults}"])


def compare(account, world, ours, name, judge_peer, repairs):
    sender = meant(world)

    def judge(chosen):
        result, explanation = judge_peer(world, sender, frozenset(chosen))
        return result, plain(explanation)

    theirs = judge(())
    if theirs == ours:
        account.same(name, ours[0])
        return
    reason = explain(ours, judge, repairs)
    text = "" if reason else f"{story(world)}\n  all repaired: {judge(repairs)}"
    account.differs(name, ours, theirs, reason, text)


def merged(worlds):
    zone, faults = {}, []
    for world in worlds:
        zone.update(world.zone)
        faults += world.faults
    return zone, faults


def main(arguments):
    harness.need(("python3-spf", ["/usr/bin/python3", "-c", "import spf, dns.message"]),
                 ("libmail-spf-perl", ["/usr/bin/perl", "-MMail::SPF", "-e", "1"]))
    account = harness.Account("spf", {**spf_pyspf.REPAIRS, **spf_mailspf.REPAIRS})
    seeds = harness.seeds(arguments, 1, 500)
    with harness.World(arguments[1]) as server:
        receiver = receiver_of(server)
        python = spf_pyspf.Pyspf(server.port, receiver)
        perl = spf_mailspf.MailSpf(server.port, receiver)
        for start in range(seeds.start, seeds.stop, BATCH):
            worlds = [spf_worlds.make(seed) for seed in range(start, min(start + BATCH, seeds.stop))]
            server.load(*merged(worlds))
            ours = harness.in_parallel(lambda world: of_sesame(world, server), worlds)
            for world, answer in zip(worlds, ours):
                compare(account, world, answer, "pyspf", python.judge, spf_pyspf.REPAIRS)
                compare(account, world, answer, "Mail::SPF", perl.judge, spf_mailspf.REPAIRS)
        perl.close()
    return account.close(RESULTS)


def receiver_of(server):
    """What `sesame spf` has for %{r}."""
    server.load({"r.example": {"TXT": ["v=spf1 -all exp=e.r.example"]}, "e.r.example": {"TXT": ["%{r}"]}})
    return server.sesame("spf", "--ip", "192.0.2.1", "--helo", "h.example", "--mail-from", "u@r.example")["explanation"]


if __name__ == "__main__":
    sys.exit(main(sys.argv))
