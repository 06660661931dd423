"""The watch end to end, as ctest calls it: the daemon, name servers on addresses of their own and a resolver, in a
network namespace. `world` goes through all that may happen and keeps what it found; each `case NAME` then reads it.
Status 77 means skipped, with the reason."""

import argparse
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import traceback

import namespace

SKIPPED = 77
# Looks after an alert in which nothing more may be told.
MORE_LOOKS = 5
PATIENCE_S = 60
# That nothing answers is told when it has lasted for a minute.
SILENCE_S = 180

CASES = {
    "one_of_four": "one server answers SERVFAIL for TXT",
    "lame": "one server does not serve the zone",
    "tcp_dropped": "one server answers nothing over TCP",
    "txt_servfail": "every server answers SERVFAIL for TXT",
    "removed_and_restored": "the records are gone, and come back",
    "bogus": "the zone fails DNSSEC validation",
    "nothing_answers": "the resolver and all servers are down for a while",
    "calm": "what is well is not told of",
    "restart": "a restart of the daemon repeats no alert",
    "commands": "sesame watch shows what happened",
    "prediction": "what is predicted of a message tells of it",
}


def results_path(options):
    return pathlib.Path(options.build) / "watch-e2e-results.json"


class Findings:
    """What was not as it should be, by case. A case nobody came to has no entry."""

    def __init__(self):
        self.by_case, self.lock = {}, threading.Lock()

    def check(self, case, right, what):
        with self.lock:
            self.by_case.setdefault(case, [])
            if not right:
                self.by_case[case].append(what)


def alerted_once(findings, case, world, identity, *parts):
    """One alert, which has all of these in it."""
    alerts = world.alerts(identity)
    findings.check(case, len(alerts) == 1, f"{len(alerts)} alerts: {json.dumps(alerts, indent=1)}")
    for part in parts:
        findings.check(case, alerts and part in json.dumps(alerts[0]), f"no {part} in {json.dumps(alerts[:1], indent=1)}")


def faults_at(domain, kind, record_type="TXT"):
    from world import TOKENS, record_name

    return [{"name": record_name(token, domain), "type": record_type, "fault": kind} for token in TOKENS]


def told_states(world, identity):
    """What the alerts of an identity say of its first record, in the order of time."""
    return [alert["changes"][0]["to"] for alert in world.alerts(identity)]


def wait_for_alerts(world, *identities):
    from world import wait_for

    for identity in identities:
        wait_for(f"an alert of {identity}", PATIENCE_S, lambda name=identity: world.alerts(name))


def single_servers(world, findings):
    """One server of four is at fault, each time in another way."""
    world.wait_for_looks(3)
    findings.check("calm", not world.alerts(), f"alerts before anything happened: {world.alerts()}")
    world.faults = {12: faults_at("flap.test", "SERVFAIL")}
    world.conduct = {15: {"lame": "refuses"}, 16: {"tcp": "silent"}}
    world.apply()
    wait_for_alerts(world, "flap.test", "lame.test", "tcp.test")
    world.wait_for_looks(MORE_LOOKS)

    def all_once():
        alerted_once(findings, "one_of_four", world, "flap.test", "dkim-records-flap",
                     f"ns12.servers.test ({world.address(12)})", "SERVFAIL")
        alerted_once(findings, "lame", world, "lame.test", f"ns15.servers.test ({world.address(15)})", "REFUSED")
        alerted_once(findings, "tcp_dropped", world, "tcp.test", "dkim-temperror-partial",
                     f"ns16.servers.test ({world.address(16)})", "TCP")
        findings.check("calm", len(world.alerts()) == 3, f"alerts: {[each['title'] for each in world.alerts()]}")

    all_once()
    status = world.stop()
    findings.check("restart", status == 0, f"the daemon ended with status {status}")
    before = len(world.alerts())
    world.start()
    world.wait_for_looks(MORE_LOOKS)
    findings.check("restart", len(world.alerts()) == before,
                   f"told again: {[each['title'] for each in world.alerts()[before:]]}")
    findings.check("restart", "watch=4" in world.log(), "the start is not told: " + world.log())
    commands(world, findings)
    prediction(world, findings)
    world.faults, world.conduct = {}, {}
    world.apply()
    world.wait_for_states("flap.test", "healthy", PATIENCE_S)
    world.wait_for_looks(MORE_LOOKS)
    findings.check("one_of_four", told_states(world, "flap.test") == ["degraded", "recovering", "healthy"],
                   f"told: {told_states(world, 'flap.test')}")


def commands(world, findings):
    def shows(arguments, *parts):
        shown = " ".join(world.sesame("watch", *arguments).split())
        for part in parts:
            findings.check("commands", part in shown, f"sesame watch {' '.join(arguments)}: no {part} in:\n{shown}")

    shows(["--status"], "flap.test", "degraded", f"ns12.servers.test ({world.address(12)})")
    shows(["--status", "calm.test"], "calm.test", "healthy")
    shows(["--timeline", "flap.test"], "ns12.servers.test", world.address(12), "SERVFAIL")
    shows(["--timeline", "tcp.test"], "ns16.servers.test", "TCP")
    shows(["--evidence", "flap.test"], "ns12.servers.test", world.address(12), "SERVFAIL")


MESSAGE = b"From: a@%s\r\nTo: b@example.net\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nSubject: x\r\n\r\nx\r\n"


def prediction(world, findings):
    for domain, code in (("flap.test", "dkim-records-flap"), ("calm.test", None)):
        shown = world.sesame("preflight", "--json", "-", message=MESSAGE % domain.encode())
        right = f'"{code}"' in shown if code else '"dkim-records-flap"' not in shown and '"verdict"' in shown
        findings.check("prediction", right, f"{domain}: {shown}")


def whole_zones(world, findings):
    """All servers of a domain are at fault, or whoever validates finds them so."""
    from world import TOKENS, record_name

    world.wait_for_looks(3)
    records = {name: world.zones["gone.test"].pop(record_name(name, "gone.test")) for name in TOKENS}
    world.faults = {host: faults_at("txt.test", "SERVFAIL") for host in (11, 12, 13, 14, "resolver")}
    world.faults["resolver"] += [{"name": name, "fault": "BOGUS"} for name in world.zones["bogus.test"]]
    world.apply()
    wait_for_alerts(world, "txt.test", "gone.test", "bogus.test")
    world.wait_for_looks(MORE_LOOKS)
    alerted_once(findings, "txt_servfail", world, "txt.test", "dkim-txt-servfail", "ns11.servers.test", "SERVFAIL")
    alerted_once(findings, "bogus", world, "bogus.test", "dns-dnssec-bogus")
    alerted_once(findings, "removed_and_restored", world, "gone.test", "dkim-cname-missing", "missing")
    for name, record in records.items():
        world.zones["gone.test"][record_name(name, "gone.test")] = record
    world.apply()
    world.wait_for_states("gone.test", "healthy", PATIENCE_S)
    world.wait_for_looks(MORE_LOOKS)
    findings.check("removed_and_restored", told_states(world, "gone.test") == ["missing", "recovering", "healthy"],
                   f"told: {told_states(world, 'gone.test')}")
    lines = world.log().splitlines()
    findings.check("removed_and_restored", all(json.loads(line) for line in lines), "the log is no JSON")
    findings.check("removed_and_restored", any("gone.test" in line and "missing" in line for line in lines),
                   "the log does not tell: " + world.log())


def silence(world, findings):
    """Nothing answers for more than a minute."""
    from world import wait_for

    def kinds():
        return [each["kind"] for each in world.alerts()]

    case = "nothing_answers"
    world.wait_for_looks(3)
    world.silence()
    wait_for("an alert that nothing answers", SILENCE_S, lambda: "silence" in kinds())
    time.sleep(10)
    findings.check(case, kinds() == ["silence"], f"{world.alerts()}")
    world.speak()
    wait_for("an alert that something answers", SILENCE_S, lambda: "restored" in kinds())
    world.wait_for_looks(MORE_LOOKS)
    findings.check(case, kinds() == ["silence", "restored"], f"{world.alerts()}")


def run_world(options):
    from world import World, public_key

    findings, threads = Findings(), []
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sesame-watch-"))
    key, binaries = public_key(), pathlib.Path(options.build).resolve() / "bin"
    four = [11, 12, 13, 14]
    plans = [
        (single_servers, 1, {"flap.test": four, "lame.test": [11, 12, 13, 15], "tcp.test": [11, 12, 13, 16],
                             "calm.test": four}, "text"),
        (whole_zones, 2, {"txt.test": four, "gone.test": four, "bogus.test": four}, "json"),
        (silence, 3, {"a.test": [11, 12], "b.test": [11, 12], "c.test": [11, 12]}, "text"),
    ]
    troubles = []

    def play(plan, network, domains, log_format):
        try:
            with World(binaries, directory / plan.__name__, key, network, domains, log_format) as world:
                try:
                    plan(world, findings)
                except BaseException:
                    troubles.append(f"{plan.__name__}: the log:\n{world.log()[-4000:]}")
                    raise
        except BaseException:
            troubles.append(f"{plan.__name__}: {traceback.format_exc()}")

    try:
        for plan in plans:
            threads.append(threading.Thread(target=play, args=plan))
            threads[-1].start()
        for thread in threads:
            thread.join()
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    results_path(options).write_text(json.dumps(findings.by_case, indent=1))
    print("\n".join(troubles))
    print(f"{len(findings.by_case)} of {len(CASES)} cases were come to")
    return 1 if troubles else 0


def run_case(options):
    path = results_path(options)
    if not path.exists():
        print("no results: the world did not run")
        return 1
    results = json.loads(path.read_text())
    if "skipped" in results:
        print(f"skipped: {results['skipped']}")
        return SKIPPED
    failures = results.get(options.name, ["nobody came to this"])
    print("\n".join(failures) or CASES[options.name])
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="the build directory")
    parser.add_argument("what", choices=["world", "case", "names"])
    parser.add_argument("name", nargs="?", choices=sorted(CASES))
    parser.add_argument("--keep", action="store_true", help="leave the files")
    options = parser.parse_args()
    if options.what == "names":
        print(";".join(CASES), end="")
        return 0
    if options.what == "case":
        return run_case(options)
    results_path(options).unlink(missing_ok=True)
    why_not = namespace.enter()
    if why_not:
        results_path(options).write_text(json.dumps({"skipped": why_not}))
        print(f"skipped: {why_not}")
        return SKIPPED
    return run_world(options)


if __name__ == "__main__":
    sys.exit(main())
