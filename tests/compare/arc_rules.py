"""Where dkimpy and Mail::DKIM differ from RFC 8617, told from the message and its DNS alone, never from the results."""

import re

import arc_making
import dkim_making as making
import dkim_rules
import messages

EXPLAINED = {}
SKEW = 300  # what `sesame` tolerates
RULES = []
INSTANCE = re.compile(rb"(?:^|;)\s*i\s*=\s*0*([0-9]+)")


class Seen:
    """The ARC fields of a case, read without judging them."""

    def __init__(self, case):
        self.fields, self.body = dkim_rules.parsed(messages.with_crlf(case.message))
        self.arc_fields = [field for field in self.fields if field[0].strip().lower() in arc_making.LOWER]
        self.records = case.records
        self.members = [[], [], []]  # by kind: (instance or 0, value), from the top
        for name, value in self.arc_fields:
            found = INSTANCE.search(value)
            self.members[arc_making.LOWER.index(name.strip().lower())].append((int(found.group(1)) if found else 0, value))
        self.newest = max((n for kind in self.members for n, _ in kind), default=0)

    def of(self, kind, n):
        return next((value for number, value in self.members[kind] if number == n), b"")

    def message(self):
        """The newest message signature."""
        return self.of(1, self.newest)

    def seals(self):
        return [value for _, value in self.members[2]]

    def messages(self):
        return [value for _, value in self.members[1]]

    def signatures(self):
        return self.seals() + self.messages()

    def all_values(self):
        return [value for kind in self.members for _, value in kind]


def tag(value, name, default=None):
    """The last of that name."""
    specs = (spec.partition(b"=") for spec in value.split(b";"))
    return {key.strip(): text.strip() for key, _, text in specs}.get(name, default)


def explain(peers, ours, theirs, key, sentence, holds):
    EXPLAINED[key] = sentence
    RULES.extend((peer, ours, theirs, key, holds) for peer in peers)


def reason(peer, ours, theirs, seen):
    """The key of the first rule that explains the difference, or None."""
    for rule_peer, rule_ours, rule_theirs, key, holds in RULES:
        if (peer, ours, theirs) == (rule_peer, rule_ours, rule_theirs) and holds(seen):
            return key
    return None


DKIMPY, MAIL_DKIM, BOTH = ["dkimpy"], ["Mail::DKIM"], ["dkimpy", "Mail::DKIM"]


# Both.


def has_ed25519(seen):
    return any(tag(value, b"a", b"") == b"ed25519-sha256" for value in seen.signatures())


def names_of_tags(value):
    return [spec.partition(b"=")[0].strip() for spec in value.split(b";") if spec.strip()]


def number(text):
    return int(text) if text and re.fullmatch(rb"[0-9]+", text) else 0


def faulty(value):
    """A message signature that cannot be read."""
    digest = re.sub(rb"\s", b"", tag(value, b"bh", b""))
    return (len(digest) != 44 or not re.fullmatch(rb"(simple|relaxed)(/(simple|relaxed))?", tag(value, b"c", b"relaxed"))
            or any(tag(value, name, b"") == b"" for name in (b"a", b"b", b"bh", b"d", b"h", b"s"))
            or any(tag(value, name) is not None and not re.fullmatch(rb"[0-9]+", tag(value, name)) for name in (b"t", b"x", b"l"))
            or tag(value, b"a") not in (b"rsa-sha256", b"ed25519-sha256") or tag(value, b"q", b"dns/txt") != b"dns/txt"
            or b"arc-seal" in tag(value, b"h").lower() or number(tag(value, b"x") or b"%d" % making.NOW) < making.NOW
            or number(tag(value, b"t")) > making.NOW or any(not re.fullmatch(rb"[A-Za-z0-9+/=\s]+", tag(value, name)) for name in (b"b", b"bh")))


def no_signature(seen):
    """Neither a seal nor a message signature that could be split into tags."""
    return all(any(b"=" not in spec for spec in value.split(b";") if spec.strip()) for value in seen.signatures())


explain(BOTH, "pass", "fail", "Ed25519", "neither has it for ARC; RFC 8617 Section 5.2 imports validation from DKIM, and so RFC 8463",
        has_ed25519)
explain(BOTH, "fail", "pass", "name of a tag", "they take any; RFC 6376 Section 3.2: a letter, then letters, digits and '_'",
        lambda seen: any(not re.fullmatch(rb"[A-Za-z][A-Za-z0-9_]*", name)
                         for value in seen.signatures() for name in names_of_tags(value)))
explain(BOTH, "fail", "pass", "i= of the results", "they find it anywhere and anyhow; RFC 8617 Section 4.1.1: a small i, first, with a ';'",
        lambda seen: any(not re.match(rb"\s*i\s*=\s*[0-9]{1,2}\s*;", re.sub(rb"\([^()]*\)", b"", value)) for _, value in seen.members[0]))
explain(BOTH, "fail", "pass", "clocks", "dkimpy tolerates ten hours, Mail::DKIM any t=; RFC 6376 Section 3.5 leaves it open, five minutes here",
        lambda seen: any(number(tag(value, b"t")) > making.NOW + SKEW for value in seen.signatures())
        or tag(seen.message(), b"x") is not None and number(tag(seen.message(), b"x")) < making.NOW - SKEW)
explain(BOTH, "fail", "pass", "t= or x= is no time", "Mail::DKIM does not read it, dkimpy any number of digits; RFC 6376 Section 3.5: one to twelve",
        lambda seen: any(not re.fullmatch(rb"[0-9]{1,12}", tag(value, name, b"1")) for value in seen.signatures() for name in (b"t", b"x")))
explain(MAIL_DKIM, "pass", "fail", "its own clock", "it tolerates no difference behind x=; RFC 6376 Section 3.5 leaves it open, five minutes here",
        lambda seen: making.NOW - SKEW <= number(tag(seen.message(), b"x")) < making.NOW)
explain(BOTH, "pass", "fail", "a tag that seals do not have", "they heed it; RFC 8617 Section 4.1.3 has seven tags, and others are ignored",
        lambda seen: any(tag(value, name) is not None for value in seen.seals() for name in (b"c", b"bh", b"q", b"x", b"v", b"l")))
explain(BOTH, "pass", "fail", "v= of a message signature", "they want it to be 1; by RFC 8617 Section 4.1.2 it is ignored",
        lambda seen: any(tag(value, b"v") not in (None, b"1") for value in seen.messages()))
explain(BOTH, "pass", "fail", "q= written otherwise", "they want dns/txt alone and in small letters; RFC 6376 Section 3.5 has a list of them, and of "
        "ABNF's strings", lambda seen: any(tag(value, b"q", b"dns/txt") != b"dns/txt" for value in seen.messages()))
explain(BOTH, "pass", "fail", "an older message signature", "they give up when one cannot be read; by RFC 8617 Section 5.2 step 5 it makes no "
        "difference to the chain", lambda seen: any(faulty(value) for n, value in seen.members[1] if n != seen.newest))
explain(BOTH, "fail", "pass", "l=", "what it leaves of the body unsigned anybody may replace, RFC 6376 Section 8.2: refused here",
        lambda seen: tag(seen.message(), b"l") is not None)
explain(BOTH, "fail", "none", "no instance", "they pass over a field of ARC whose instance they cannot read; with one, the set is not "
        "complete, RFC 8617 Section 5.2 step 3",
        lambda seen: all(number == 0 for kind in seen.members for number, _ in kind))


# dkimpy.


def out_of_order(seen):
    return any([n for n, _ in kind] != sorted((n for n, _ in kind), reverse=True) for kind in seen.members)


def more_from(seen):
    listed = [name.strip().lower() for name in tag(seen.message(), b"h", b"").split(b":")].count(b"from")
    return 0 < listed < sum(name.strip().lower() == b"from" for name, _ in seen.fields)


def spaced(fields):
    return any(name != name.strip() for name, _ in fields)


for ours in ["pass", "none"]:
    explain(DKIMPY, ours, "fail", "white space before a colon", "it does not read such a message; RFC 5322 Section 4.5 allows it",
            lambda seen: spaced(seen.fields))
explain(DKIMPY, "pass", "fail", "order of fields", "it takes what a seal covers from the bottom up; RFC 8617 Section 5.1.1 goes by i=",
        out_of_order)
explain(DKIMPY, "pass", "fail", "i= as dkimpy seeks it", "' i=N;' as it stands in a message signature, else it gives up; "
        "RFC 6376 Section 3.2 allows white space and any order",
        lambda seen: any(b" i=%d;" % n not in value.lower() for n, value in seen.members[1]))
explain(DKIMPY, "pass", "fail", "white space behind b=", "it leaves it in; RFC 6376 Section 3.5 deletes what surrounds the value too",
        lambda seen: any(re.search(rb"(?:^|;)\s*b\s*=[^;]*\s;", value + b";") for value in seen.signatures()))
explain(BOTH, "fail", "pass", "i= is no position", "dkimpy reads the digits it finds, Mail::DKIM any number of them; RFC 8617 Section 4.2.1 "
        "has one or two, and nothing else",
        lambda seen: any(not re.fullmatch(rb"[0-9]{1,2}", tag(value, b"i", b"")) for value in seen.signatures()))
explain(DKIMPY, "fail", "pass", "h= of a key", "it does not read it; RFC 6376 Section 3.6.1 names the hashes that may be used",
        lambda seen: any(text.startswith("h=sha1;") for record in seen.records.values() for text in record if isinstance(record, list)))
explain(DKIMPY, "pass", "fail", "a further From", "it adds From to h= once more; RFC 6376 Section 5.4.2 takes h= as it is", more_from)


# Mail::DKIM.


def hidden(seen):
    """A field whose instance Mail::DKIM does not see when it gathers what a seal covers."""
    return any(arc_making.as_mail_dkim_sees(value) != n for kind in seen.members for n, value in kind)


explain(MAIL_DKIM, "pass", "fail", "white space before the colon", "it does not see such a field of ARC; RFC 5322 Section 4.5 allows it",
        lambda seen: spaced(seen.arc_fields))
explain(MAIL_DKIM, "pass", "fail", "i= as Mail::DKIM seeks it", "'i=N' without white space, and the last such; by RFC 8617 Section 4.2.1 "
        "white space is allowed and the one at the beginning counts", hidden)
explain(MAIL_DKIM, "pass", "fail", "no c=", "it takes simple/simple, as RFC 6376 Section 3.5 has it; sealers in use and the public "
        "suite (ams_fields_c_na) mean relaxed/relaxed", lambda seen: tag(seen.message(), b"c") is None)
explain(MAIL_DKIM, "fail", "pass", "empty c=", "it reads no value as no tag; RFC 6376 Section 3.5 wants a value",
        lambda seen: tag(seen.message(), b"c") == b"")
explain(MAIL_DKIM, "fail", "pass", "unsupported, passed over", "it does not count a signature whose a= or q= it does not know; RFC 8617 "
        "Section 5.2 steps 3 and 6", lambda seen: has_ed25519(seen) or any(
            tag(value, b"q", b"dns/txt") != b"dns/txt" for value in seen.signatures()))
explain(MAIL_DKIM, "fail", "pass", "a set without a seal", "it passes over a message signature that lacks s= or d=, and with it the "
        "set; RFC 8617 Section 5.2 step 3: each has its seal",
        lambda seen: any(n not in {sealed for sealed, _ in seen.members[2]} and None in (tag(value, b"s"), tag(value, b"d"))
                         for n, value in seen.members[1]))
explain(MAIL_DKIM, "fail", "none", "no signature", "it sees no chain where it can read neither seal nor message signature; with a field "
        "of ARC, the set is not complete, RFC 8617 Section 5.2 step 3", no_signature)
explain(MAIL_DKIM, "fail", "pass", "a= or c= in capitals", "RFC 6376 Section 3.2: values are case-sensitive",
        lambda seen: any(tag(value, name, b"") != tag(value, name, b"").lower() for value in seen.signatures() for name in (b"a", b"c")))
explain(MAIL_DKIM, "fail", "pass", "d= is no name", "it asks for it all the same; RFC 6376 Section 3.5: without a final dot",
        lambda seen: any(tag(value, b"d", b"").endswith(b".") for value in seen.signatures()))
explain(MAIL_DKIM, "fail", "pass", "h= of a seal", "it does not mind; RFC 8617 Section 4.1.3: the chain fails",
        lambda seen: any(tag(value, b"h") is not None for value in seen.seals()))
explain(MAIL_DKIM, "fail", "pass", "no h=", "it does not miss it; RFC 6376 Section 3.5: required",
        lambda seen: tag(seen.message(), b"h") is None)
explain(MAIL_DKIM, "fail", "pass", "q=dns", "what q= was before RFC 4871; RFC 6376 Section 3.5 has dns/txt",
        lambda seen: tag(seen.message(), b"q") == b"dns")
