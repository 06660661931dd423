#!/usr/bin/python3
"""Authentication-Results against python3-authres and Mail::AuthenticationResults.

Per seed, a random header of hostile values is written by Sesame and must be read alike by all three; three random fields
under dressed and mutated ids must be read alike by python3-authres, and must be recognised as forged if any of the
readers, on any of the ways a field takes into a program, finds one of our ids in it."""

import base64
import email
import email.policy
import json
import pathlib
import random
import re
import subprocess
import sys

import harness

harness.need(("python3-authres", ["/usr/bin/python3", "-c", "import authres"]),
             ("libmail-authenticationresults-perl", ["/usr/bin/perl", "-e", "use Mail::AuthenticationResults::Parser"]))

import authres
import authres.core

import authres_making as making
import authres_rules as rules

FIRST_SEED, COUNT = 1, 250
LONGEST, CUT = 320, "[cut]"
PYTHON, PERL = "python3-authres", "Mail::AuthenticationResults"
WANTED = ("written: all of it", "read", "refused", "forged", "foreign")

EXPLAINED = {
    **rules.EXPLAINED,
    "none": "it takes \"none\" for no result although \"=\" follows; RFC 8601 2.2 does not forbid that name",
    "dot": "it does not read a token that begins with a dot; RFC 2045 5.1",
}


class Sesame:
    """lib/authres behind a pipe."""

    def __init__(self, binaries):
        self.process = subprocess.Popen([pathlib.Path(binaries) / "sesame-test-authres"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def write(self, header):
        return base64.b64decode(self.ask(write=carried(header)))

    def read(self, value):
        """As authres_rules.reading has it; None when refused."""
        found = self.ask(read=harness.octets(value))
        if "error" in found:
            return None
        name, statements = told(found)
        return name.lower(), [(method, version, result, reason, [tuple(each) for each in properties])
                              for method, version, result, reason, _, properties in statements]

    def claims(self, value):
        return self.ask(claims=harness.octets(value), ids=[harness.octets(each.encode()) for each in making.OWN])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def carried(parts):
    """Every text in a nested list as octets in base64."""
    if isinstance(parts, list):
        return [carried(each) for each in parts]
    return harness.octets(making.octets_of(parts)) if isinstance(parts, str) else parts


def told(parts):
    if isinstance(parts, list):
        return [told(each) for each in parts]
    return base64.b64decode(parts).decode("latin-1") if isinstance(parts, str) else parts


def intended(header):
    """What readers are to find in what is written: nothing of a sender's that any of them could stumble over."""
    def keyword(text):
        return re.sub("[^a-z0-9]", "-", text.lower()).rstrip("-") or "unknown"

    def value(text):
        text = making.octets_of(text).decode("latin-1")
        cut = text if len(text) <= LONGEST else text[:LONGEST - len(CUT)] + CUT
        return re.sub(r"[^ !#-\[\]-~]", "?", cut)

    def prose(text):
        return value(text.replace('"', "'").replace("\\", "/"))

    name, statements = header
    # RFC 8601 Section 5
    name = name.encode("idna").decode() if name in making.OWN else value(name)
    return name.lower(), [(keyword(method), version, keyword(result), prose(reason),
                           [(keyword(ptype), keyword(key), value(text)) for ptype, key, text in properties])
                          for method, version, result, reason, _, properties in statements]


def unfolded(text):
    """RFC 5322 Section 2.2.3."""
    return re.sub(r"\r\n(?=[ \t])", "", text)


def ways(octets):
    """The texts that programs make of the octets of a field before they look for an authserv-id."""
    texts = {octets.decode("latin-1"), octets.decode("utf-8", "ignore"), octets.decode("utf-8", "replace"),
             octets.decode("ascii", "ignore")}
    texts |= {unfolded(text) for text in texts}
    texts |= {re.sub(r"\r?\n[ \t]+", "", text) for text in texts}
    texts |= {re.sub(r"\s+", " ", text) for text in texts}
    for policy in (email.policy.compat32, email.policy.default):
        message = email.message_from_bytes(b"Authentication-Results: " + octets + b"\r\n\r\n", policy=policy)
        try:
            texts |= {str(each) for each in message.get_all("Authentication-Results", ())}
        except (AttributeError, IndexError, LookupError, ValueError, TypeError):
            pass  # the package cannot read the field
    return sorted(texts)


def is_own(name):
    name = name.lower().strip(".")
    return name in making.OWN or name == making.OWN[1].encode("idna").decode()


def id_in_python(text):
    """What python3-authres takes for the authserv-id, whether or not it can read on."""
    header = authres.core.AuthenticationResultsHeader(rules.CONTEXT)
    header._parse_text = header.HEADER_FIELD_PATTERN.sub("", "Authentication-Results:" + text, 1)
    try:
        return header._parse_authserv_id() or ""
    except (authres.core.AuthResError, RecursionError):
        return ""


class Comparison:
    def __init__(self, binaries):
        self.account = harness.Account("authres", EXPLAINED)
        self.sesame = Sesame(binaries)
        self.perl = harness.Perl("authres_peer.pl", 0)

    def close(self):
        self.sesame.close()
        self.perl.close()
        return self.account.close(WANTED)

    def field(self, seed):
        chance = random.Random(seed)
        self.written(f"seed {seed}", making.random_header(chance))
        for _ in range(3):
            self.found(f"seed {seed}", making.RandomField(chance))

    def written(self, name, header):
        value = self.sesame.write(header)
        text = value.decode("ascii")
        ours = self.sesame.read(value)
        story = f"{name}: {header}\n{text}\n{ours}"
        if ours != intended(header) or any(len(line) > 998 for line in text.split("\r\n")):
            self.account.differs("sesame", "wrote", f"should read {intended(header)}", None, story)
            return
        theirs = rules.read(unfolded(text))
        if theirs == ours:
            self.account.same(PYTHON, "written: all of it")
        else:
            self.account.differs(PYTHON, ours, theirs, rules.reason(ours, unfolded(text)), story)
        theirs = self.read_in_perl(text)
        if theirs == [ours[0], [self.as_perl(each) for each in ours[1]]]:
            self.account.same(PERL, "written: all of it")
        else:
            self.account.differs(PERL, ours, theirs, self.why_not_perl(ours), story)

    @staticmethod
    def why_not_perl(ours):
        name, statements = ours
        if any(method == "none" for method, *_ in statements):
            return "none"
        return "dot" if name.startswith(".") else None

    def read_in_perl(self, text):
        found = self.perl.ask({"text": text})
        if "error" in found:
            return found["error"]
        return [found["id"].lower(),
                [[method.lower(), result.lower(), [[key.lower(), value] for key, value in properties]]
                 for method, result, properties in found["entries"]]]

    @staticmethod
    def as_perl(statement):
        """It has the reason among the properties, and no version that could be asked for."""
        method, _, result, reason, properties = statement
        found = [["reason", reason]] if reason else []
        return [method, result, found + [[f"{ptype}.{name}", value] for ptype, name, value in properties]]

    def found(self, name, field):
        text = unfolded(field.octets.decode("latin-1"))
        ours, theirs = self.sesame.read(field.octets), rules.read(text)
        story = f"{name}: {field.octets}"
        if ours == theirs:
            self.account.same(PYTHON, "refused" if ours is None else "read")
        else:
            self.account.differs(PYTHON, ours, theirs, rules.reason(ours, text), story)
        self.recognised(story, field)

    def recognised(self, story, field):
        """No dressing that a reader takes for ours may survive, and what is plainly somebody else's stays."""
        claimed = self.sesame.claims(field.octets)
        texts = ways(field.octets)
        for peer, ids in ((PYTHON, [id_in_python(text) for text in texts]),
                          (PERL, [self.perl.ask({"text": text}).get("id", "") for text in texts])):
            forged = any(is_own(each) for each in ids)
            if (forged and not claimed) or (field.clean and claimed != field.is_own):
                self.account.differs(peer, "ours" if claimed else "foreign", ids, None, story)
            else:
                self.account.same(peer, "forged" if forged else "claimed, in no reader's way" if claimed else "foreign")


def main(arguments):
    comparison = Comparison(arguments[1])
    for seed in harness.seeds(arguments, FIRST_SEED, COUNT):
        comparison.field(seed)
    return comparison.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
