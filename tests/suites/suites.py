"""Public conformance suites through the real command line and a real DNS server: `suites.py BIN_DIRECTORY SUITE`.

Prints each case that is not answered as it should be, and what was answered; the last line is the score. Fails when
there is such a case; skips when the suite, which lies beside the checkout, is not there. Of the ARC suite the part on
signing is left out: Sesame does not seal."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import pathlib
import queue
import re
import subprocess
import sys
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITES = ROOT / "../shared/suites"
sys.path.insert(0, str(ROOT / "tests/support"))

from dns_world import SKIPPED, World  # noqa: E402

# Faults that let a look-up time out leave the processor idle, so there are more workers than processors.
WORKERS = 8
MANY_TYPES = ("TXT", "A", "AAAA", "MX", "PTR")
LIST = SUITES / "psl/public_suffix_list.dat"

Ruling = collections.namedtuple("Ruling", "result section reason")
TXT_ONLY = "only TXT records are asked for"
UNDEFINED = "a name that cannot exist has no records; what it leads to is left open"
IGNORED = "what a verifier does not know is ignored, which is no error of the signature"
CLOSED = "a chain that a sealer found broken has failed; the suite names no result"
# Where a suite contradicts or leaves open what the RFC says, the RFC decides: suite -> case -> what it wants and why.
RULINGS = {
    "rfc4408": {
        "spfonly": Ruling("none", "RFC 7208 Section 3.1", TXT_ONLY),
        "txttimeout": Ruling("temperror", "RFC 7208 Section 3.1", TXT_ONLY),
        "spfoverride": Ruling("fail", "RFC 7208 Section 3.1", TXT_ONLY),
        "multitxt1": Ruling("permerror", "RFC 7208 Section 3.1", TXT_ONLY),
        "multispf2": Ruling("pass", "RFC 7208 Section 3.1", TXT_ONLY),
        "invalid-domain-empty-label": Ruling("fail", "RFC 7208 Section 4.8", UNDEFINED),
        "invalid-domain-long": Ruling("fail", "RFC 7208 Section 4.8", UNDEFINED),
        "invalid-domain-long-via-macro": Ruling("fail", "RFC 7208 Section 4.8", UNDEFINED),
        "exists-dnserr": Ruling("temperror", "RFC 7208 Section 5", "exists makes no exception from DNS errors"),
        "mx-limit": Ruling("permerror", "RFC 7208 Section 4.6.4", "more than 10 names of an MX record are an error"),
    },
    "rfc-examples": {
        "sig-unknown-algorithm": Ruling("neutral", "RFC 6376 Section 3.3", IGNORED),
        "sig-unknown-canon": Ruling("neutral", "RFC 6376 Section 3.4", IGNORED),
        "sig-query-http": Ruling("neutral", "RFC 6376 Section 3.5", IGNORED),
    },
    "arc": {
        "cv_fail_i1_as_cv_fail": Ruling("fail", "RFC 8617 Section 5.2 step 2", CLOSED),
        "cv_fail_i2_as2_fail": Ruling("fail", "RFC 8617 Section 5.2 step 2", CLOSED),
        "cv_fail_i2_as1_fail": Ruling("fail", "RFC 8617 Section 5.2 step 3",
                                      "the first seal must say none; the suite names no result"),
    },
}


@dataclasses.dataclass
class Finding:
    """One thing a case wants: any of these values, the first being the preferred one."""

    what: str
    wanted: list
    got: object
    reason: object = ""

    def __str__(self):
        return f"{self.what}: wanted {' or '.join(map(str, self.wanted))}, got {self.got}" + \
            (f" ({self.reason})" if self.reason else "")


@dataclasses.dataclass
class Case:
    name: str
    zone: dict
    faults: list
    ask: Callable  # World -> the findings
    counted: bool = True


def spf_zone(entries):
    """An SPF record is a TXT record, unless the name has TXT entries (NONE: it has no TXT record); TIMEOUT concerns the
    types of which the name has no record. No case asks for a name error.*, for which SOURCE.md has a rule, too."""
    zone, faults = {}, []
    for name, records in entries:
        pairs = [record[0] for record in records if record != "TIMEOUT"]
        own_text = any(kind == "TXT" for kind, _ in pairs)
        types = collections.defaultdict(list)
        for kind, value in pairs:
            if kind == "SPF":
                if not own_text:
                    types["TXT"].append(value)
            elif value == "NONE":
                types[kind] = []
            else:
                types[kind].append([int(value[0]), value[1]] if kind == "MX" else value)
        zone[name] = types
        if "TIMEOUT" in records:
            faults += [{"name": name, "type": kind, "fault": "TIMEOUT"} for kind in MANY_TYPES if not types.get(kind)]
    return zone, faults


def ask_spf(test, wanted, world):
    question = ("--ip", test["host"], "--helo", test["helo"], "--mail-from", test["mailfrom"])
    message = b"From: user@from.example\r\n\r\n"
    for command, answer in (("spf", world.sesame("spf", *question)),
                            ("verify", world.sesame("verify", *question, message=message)["spf"])):
        yield Finding(command, wanted, answer["result"], answer["reason"])
        if "explanation" in test:
            # DEFAULT is the text of the receiver: none of the sender's.
            text = test["explanation"].replace("DEFAULT", "")
            yield Finding(f"{command}, explanation", [repr(text)], repr(answer["explanation"]))


def read_yaml(path):
    """The documents. A mapping is a list of pairs, so that cases that share a name are all there; scalars are text."""
    try:
        import yaml
    except ImportError:
        skip("python3-yaml is not installed")

    class Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
        def construct_mapping(self, node, deep=False):
            return self.construct_pairs(node, deep=True)

    with open(path, encoding="utf-8") as file:
        return [dict(document) for document in yaml.load_all(file, Loader) if document]


def accepted(suite, name, wanted):
    ruling = RULINGS.get(suite, {}).get(name)
    if ruling and ruling.result == wanted[0]:
        raise RuntimeError(f"{name} is listed, but the suite prefers the same")
    return [ruling.result] if ruling else wanted


def spf_cases(suite):
    for scenario in read_yaml(SUITES / f"rfc7208-spf/{suite}-tests.yml"):
        zone, faults = spf_zone(scenario["zonedata"])
        for name, pairs in scenario["tests"]:
            test = dict(pairs)
            wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
            yield Case(name, zone, faults, functools.partial(ask_spf, test, accepted(suite, name, wanted)))


def ask_arc(message, wanted, world):
    answer = world.sesame("verify", "--now", 1700000000, message=message)["arc"]
    yield Finding("arc", wanted, answer["result"], answer["reason"])


def arc_cases(suite):
    for scenario in read_yaml(SUITES / "arc/arc-validation-tests.yml"):
        zone = {name: {"TXT": [text]} for name, text in scenario["txt-records"]}
        for name, pairs in scenario["tests"]:
            test = dict(pairs)
            message = test["message"].replace("\n", "\r\n").encode()
            wanted = accepted(suite, name, [test["cv"].lower()])
            yield Case(name, zone, [], functools.partial(ask_arc, message, wanted))


def dkim_findings(wanted, answers):
    """Signatures top to bottom. One that is optional may be missing, or there without a domain."""
    rest = list(answers)
    for want in wanted:
        named = {key: want[key] for key in ("domain", "selector") if key in want}
        optional = want.get("optional", False)
        if rest and ({key: rest[0][key] for key in named} == named or (optional and not rest[0]["domain"])):
            answer = rest.pop(0)
            yield Finding(f"dkim of {want['domain']}", want["result"], answer["result"], answer["reason"])
        else:
            yield Finding(f"dkim of {named}", [*want["result"], *(["nothing"] if optional else [])], "nothing")
    yield Finding("further signatures", [[]], rest)


def best_dkim(answers, wanted):
    """pass if any signature passes; otherwise a result that occurs, if possible a wanted one."""
    results = [answer["result"] for answer in answers] or ["none"]
    return "pass" if "pass" in results else min(results, key=lambda r: wanted.index(r) if r in wanted else len(wanted))


def dmarc_names(queries):
    """The _dmarc. names asked for, in order; what is asked again at once, as over TCP, is one question."""
    names = [name for _, name, _ in queries if name.startswith("_dmarc.")]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def manifest_findings(expect, answer, queries):
    def values(key):
        return expect[key] if isinstance(expect[key], list) else [expect[key]]

    for key in expect:
        if key == "dkim":
            yield from dkim_findings(expect[key], answer["dkim"])
        elif key == "dkim_best":
            yield Finding(key, values(key), best_dkim(answer["dkim"], values(key)))
        elif key in ("spf", "arc", "dmarc"):
            yield Finding(key, values(key), answer[key]["result"], answer[key]["reason"])
        elif key.startswith("dmarc_"):
            yield Finding(key, values(key), answer["dmarc"][key.removeprefix("dmarc_")], answer["dmarc"]["reason"])
        elif key == "queries_txt":
            yield Finding(key, [expect[key]], dmarc_names(queries))
        elif key == "max_queries":
            limit = f"at most {expect[key]}"
            yield Finding("queries", [limit], limit if len(queries) <= expect[key] else len(queries), queries)
        else:
            yield Finding(key, ["something this program knows"], "it does not")


def ask_published(expect, standard, world):
    """What `sesame dmarc` says of the author domain on its own."""
    answer = world.sesame("dmarc", expect["dmarc_from_domain"])[standard]
    published = {key: expect[key] for key in ("dmarc_policy", "dmarc_org_domain") if key in expect}
    for finding in manifest_findings(published, {"dmarc": answer}, []):
        yield dataclasses.replace(finding, what=f"sesame dmarc, {finding.what}")


def ask_manifest(test, message, arguments, standard, world):
    answer = world.sesame("verify", *arguments, message=message)
    # Before another question is asked.
    queries = world.queries()
    yield from manifest_findings(test["expect"], answer, queries)
    if test["expect"].get("dmarc_from_domain"):
        yield from ask_published(test["expect"], standard, world)


def message_of(test, folder, eol):
    text = (folder / test["message"]).read_bytes()
    for old, new in test.get("edit", []):
        if old.encode() not in text:
            raise RuntimeError(f"{test['id']}: there is nothing to edit")
        text = text.replace(old.encode(), new.encode(), 1)
    return re.sub(rb"\r?\n", b"\r\n", text) if eol == "crlf" else text


def merged(common, own):
    """The DNS of a case: its names replace the common ones, but a fault of the whole name leaves the records there, so
    that what is truncated over UDP is whole over TCP."""
    zone = dict(common.get("zone", {}))
    for name, records in own.get("zone", {}).items():
        zone[name] = {**zone.get(name, {}), **records} if set(records) == {"FAULT"} else records
    return zone, common.get("faults", []) + own.get("faults", [])


def manifest_cases(folder, modes, standard, suite):
    manifest = json.loads((SUITES / folder / "manifest.json").read_text(encoding="utf-8"))
    for test in manifest["cases"]:
        if test.get("mode", "any") not in modes:
            continue
        for signature in test["expect"].get("dkim", []):
            signature["result"] = accepted(suite, test["id"], signature["result"])
        told = {**manifest["defaults"], **test}
        zone, faults = merged(manifest.get("dns", {}), test.get("dns", {}))
        arguments = ["--dmarc-mode", standard, "--now", told["now"]]
        if standard == "rfc7489":
            arguments += ["--psl", LIST]
        if "mail_from" in test:
            arguments += ["--ip", test["ip"], "--helo", test["helo"], "--mail-from", test["mail_from"]]
        message = message_of(test, SUITES / folder, told["eol"])
        yield Case(test["id"], zone, faults, functools.partial(ask_manifest, test, message, arguments, standard))


def ask_organization(name, registrable, world):
    message = f"From: user@{name or ''}\r\n\r\n".encode()
    answer = world.sesame("verify", "--dmarc-mode", "rfc7489", "--psl", LIST, message=message)["dmarc"]
    if not name or name.startswith("."):
        yield Finding("dmarc", ["permerror"], answer["result"])
        yield Finding("organizational domain", [None], answer["org_domain"])
        return
    # Where nothing can be registered, the name stands for itself.
    wanted = [(registrable or name).encode("idna").decode().lower()] + ([] if registrable else [None])
    yield Finding("organizational domain", wanted, answer["org_domain"], answer["reason"])


def suffix_cases(_):
    form = re.compile(r"^checkPublicSuffix\((?:'(.*)'|null), (?:'(.*)'|null)\);", re.MULTILINE)
    for name, registrable in form.findall((SUITES / "psl/test_psl.txt").read_text(encoding="utf-8")):
        # What cannot stand in an address is no case, but it must be refused.
        counted = name != "" and not name.startswith(".")
        yield Case(name or "null", {}, [], functools.partial(ask_organization, name, registrable), counted)


@dataclasses.dataclass
class Suite:
    path: str
    count: int  # of the cases known; there may be more, but not fewer
    cases: Callable


KNOWN = {
    "rfc7208": Suite("rfc7208-spf/rfc7208-tests.yml", 203, spf_cases),
    "rfc4408": Suite("rfc7208-spf/rfc4408-tests.yml", 191, spf_cases),
    "rfc-examples": Suite("rfc-examples/manifest.json", 52,
                          functools.partial(manifest_cases, "rfc-examples", ("any",), "rfc9989")),
    "arc": Suite("arc/arc-validation-tests.yml", 175, arc_cases),
    "dmarc-rfc": Suite("dmarc-rfc/manifest.json", 25,
                       functools.partial(manifest_cases, "dmarc-rfc", ("any", "rfc9989"), "rfc9989")),
    "dmarc-rfc7489": Suite("dmarc-rfc/manifest.json", 12,
                           functools.partial(manifest_cases, "dmarc-rfc", ("any", "rfc7489"), "rfc7489")),
    "psl": Suite("psl/test_psl.txt", 73, suffix_cases),
}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def answer_all(binaries, cases):
    """The findings of each case, several cases at a time, each with a DNS server of its own."""
    idle = queue.SimpleQueue()

    def answer(case):
        world = idle.get()
        try:
            world.load(case.zone, case.faults)
            return list(case.ask(world))
        except (RuntimeError, subprocess.SubprocessError, ValueError, LookupError) as error:
            return [Finding("sesame", ["an answer"], repr(error))]
        finally:
            idle.put(world)

    with contextlib.ExitStack() as worlds, concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(WORKERS):
            idle.put(worlds.enter_context(World(binaries)))
        return list(pool.map(answer, cases))


def report(name, count, answers):
    """Prints what is not as it should be, and the score. The number of faults."""
    rulings = RULINGS.get(name, {})
    faults, score = 0, collections.Counter()
    for case, findings in answers:
        wrong = [finding for finding in findings if finding.got not in finding.wanted]
        second = [finding for finding in findings if finding not in wrong and finding.got != finding.wanted[0]]
        for finding in wrong:
            print(f"  WRONG {case.name}, {finding}")
        for finding in second:
            print(f"  not the preferred result: {case.name}, {finding}")
        faults += bool(wrong)
        if case.counted:
            score += {"cases": 1, "passed": not wrong, "preferred": not (wrong or second or case.name in rulings)}
    for case, ruling in rulings.items():
        print(f"  by {ruling.section}: {case} is {ruling.result}: {ruling.reason}")
    unused = set(rulings) - {case.name for case, _ in answers}
    if unused or score["cases"] < count:
        print(f"  WRONG: {score['cases']} cases, not {count}; listed, but not there: {sorted(unused)}")
        faults += 1
    names = {case.name for case, _ in answers if case.counted}
    if len(names) < score["cases"]:
        print(f"  {score['cases']} cases under {len(names)} names")
    if len(answers) > score["cases"]:
        print(f"  {len(answers) - score['cases']} that no address can hold, looked at to be refused")
    print(f"suite {name}: {score['passed']} of {score['cases']} ({score['preferred']} with the preferred result)")
    return faults


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in KNOWN:
        print(f"usage: suites.py BIN_DIRECTORY {{{'|'.join(KNOWN)}}}", file=sys.stderr)
        return 2
    binaries, name = sys.argv[1:]
    suite = KNOWN[name]
    if not (SUITES / suite.path).exists():
        skip(f"../shared/suites/{suite.path} is not here")
    cases = list(suite.cases(name))
    return 1 if report(name, suite.count, list(zip(cases, answer_all(binaries, cases)))) else 0


if __name__ == "__main__":
    sys.exit(main())
