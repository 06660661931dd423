"""The end-to-end tests, as ctest calls them. One world carries all rows (`world`); each row is then a test of its own
(`row NAME`), which reads what was found. The sending MTA is Postfix or, for tests/sendmail, Sendmail. Status 77 means
skipped, with the reason."""

import argparse
import json
import os
import pathlib
import sys
import time

import postfix

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sendmail"))
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
SKIPPED = 77


def results_path(options):
    return pathlib.Path(options.build) / f"e2e-{options.mta}-results.json"


def missing(options):
    """Why the world cannot be made here; "" when it can."""
    if options.mta == "sendmail":
        import sendmail

        return postfix.missing() or sendmail.missing()
    return postfix.missing()


def make_world(options):
    if options.mta == "sendmail":
        from sendmail_world import SendmailWorld

        return SendmailWorld(options.build)
    from world import World

    return World(options.build)


def run_world(options):
    """All rows through one world, for the row tests to read."""
    import scenarios

    with make_world(options) as world:
        results = scenarios.Run(world).all()
        faults = logged_otherwise(world) + kept_otherwise(world)
    results_path(options).write_text(json.dumps({each.name: each.as_json() for each in results}, indent=1))
    print(f"{len(results)} messages, {sum(each.agree for each in results)} agree")
    print("\n".join(faults[:20]))
    return 1 if faults else 0


def logged_otherwise(world):
    """What the daemons logged that is not as log.schema.json says."""
    import log_schema

    if not log_schema.jsonschema:
        print(f"the logs are not held against their schema: {log_schema.MISSING}")
        return []
    return [fault for path in (world.outbound_log, world.inbound_log) for fault in log_schema.faults(path)]


def kept_otherwise(world):
    """What the history says otherwise than the log."""
    logged = {}
    with open(world.outbound_log, encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["event"] == "message":
                logged.setdefault(event["queue_id"], []).append((event["verdict"], event["action"], event["why"]))
    kept = {}
    for row in reversed(world.history()):
        kept.setdefault(row["queue_id"], []).append((row["verdict"], row["action"], row["why"]))
    faults = [f"{name}: logged {logged.get(name)}, kept {kept.get(name)}" for name in {**logged, **kept}
              if logged.get(name) != kept.get(name)]
    for name, events in logged.items():
        story = world.sesame("explain", name)
        faults += [f"{name}: its story does not say {part!r}" for part in (events[-1][0], events[-1][2][:40]) if part not in " ".join(story.split())]
    return faults


def run_row(options):
    """One row: prediction and reality have to agree."""
    if not results_path(options).exists():
        print("no results: the world did not run")
        return SKIPPED if missing(options) else 1
    result = json.loads(results_path(options).read_text())[options.name]
    print(json.dumps(result, indent=1))
    return 0 if result["agree"] else 1


def run_dns_killed(options):
    """The DNS server dies: every message is delivered all the same, within the budget, and judged unknown."""
    import rows
    import scenarios
    from world import DNS_BUDGET_S

    # A domain each: what is known of another's would still be known.
    domains = {row.author.split("@")[1]: row for row in reversed(rows.ROWS)
               if row.verdict in ("pass", "fail") and row.action == "send"}
    names = list(domains.values())[-6:]
    failures = []
    with make_world(options) as world:
        run = scenarios.Run(world)
        half = len(names) // 2
        for number, row in enumerate(names):
            if number == half:
                world.kill_dns()
            run._send(row)
        if not world.wait_idle(120):
            failures.append("mail is stuck:\n" + world.sender.queue())
        time.sleep(0.5)
        events = world.events(world.outbound_log)
        for number, row in enumerate(names):
            event = events.get(run._queue_id(row), {})
            if len(world.delivered(row.name)) != 1:
                failures.append(f"{row.name}: delivered {len(world.delivered(row.name))} times")
            if number >= half and event.get("verdict") != "unknown":
                failures.append(f"{row.name}: judged {event.get('verdict')} without DNS")
            # The budget is the daemon's own figure for what it waited; a little is left for waking up.
            if not event or event["dns_ms"] > 1000 * DNS_BUDGET_S + 500:
                failures.append(f"{row.name}: waited {event.get('dns_ms')} ms of {1000 * DNS_BUDGET_S}")
    print("\n".join(failures) or f"{len(names)} messages, all delivered")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="the build directory")
    parser.add_argument("--mta", choices=["postfix", "sendmail"], default="postfix", help="that relays to SES")
    parser.add_argument("what", choices=["world", "row", "dns_killed"])
    parser.add_argument("name", nargs="?")
    options = parser.parse_args()
    if options.what == "row":
        return run_row(options)
    if options.what == "world" and results_path(options).exists():
        results_path(options).unlink()
    why_not = missing(options)
    if why_not:
        print(f"skipped: {why_not}")
        return SKIPPED
    return {"world": run_world, "dns_killed": run_dns_killed}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
