"""Where dkimpy and Mail::DKIM differ from RFC 6376, told from the message and its DNS alone, never from the results."""

import base64
import re

import dkim_making as making
import messages

SKEW = 300
SLOP = 36000  # dkimpy's


def parsed(wire):
    """(fields, body) of a message with CRLF line ends."""
    header, _, body = wire.partition(b"\r\n\r\n")
    fields = []
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\r\n" + line)
        else:
            name, _, value = line.partition(b":")
            fields.append((name, value))
    return fields, body


def is_signature(field):
    return field[0].strip().lower() == b"dkim-signature"


def signatures(wire):
    return sum(is_signature(field) for field in parsed(wire)[0])


def tag_pairs(text):
    """[(name, value)] of what may be a tag list, without white space around them."""
    return [(name.strip(), value.strip()) for name, _, value in (spec.partition(b"=") for spec in text.split(b";"))]


def is_tag_list(text):
    """RFC 6376 Section 3.2, with hyphens in names and octets over 0x7f in values."""
    specs = text.split(b";")
    if len(specs) > 1 and not specs[-1].strip(b" \t\r\n"):
        specs.pop()
    return all(re.fullmatch(rb"[ \t\r\n]*[A-Za-z][A-Za-z0-9_-]*[ \t\r\n]*=[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*", spec) for spec in specs)


def has_twice(pairs):
    names = [name for name, _ in pairs]
    return len(set(names)) < len(names)


def without_space(text):
    return re.sub(rb"\s", b"", text)


def is_base64(text):
    return re.fullmatch(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", without_space(text)) is not None


class Seen:
    """One signature of a case, read without judging it."""

    def __init__(self, case, index):
        self.fields, self.body = parsed(messages.with_crlf(case.message))
        self.own = [i for i, field in enumerate(self.fields) if is_signature(field)][index]
        self.field = self.fields[self.own][1]
        self.tags = tag_pairs(self.field)
        name = without_space(self.tag(b"s")) + b"._domainkey." + without_space(self.tag(b"d")).rstrip(b".")
        self.records = case.records.get(name.decode("latin-1").lower(), [])
        self.record = self.text_of(self.records[0]) if isinstance(self.records, list) and self.records else b""
        self.key = tag_pairs(self.record)

    @staticmethod
    def text_of(record):
        return ("".join(record) if isinstance(record, list) else record).encode()

    def has(self, name):
        return name in dict(self.tags)

    def tag(self, name, default=b""):
        """The last of that name."""
        return dict(self.tags).get(name, default)

    def key_tag(self, name, default=b""):
        return dict(self.key).get(name, default)

    def names(self):
        return [name.strip().lower() for name in self.tag(b"h").split(b":")]

    def number(self, name):
        return int(self.tag(name)) if re.fullmatch(rb"[0-9]{1,12}", self.tag(name)) else None

    def canonical_body(self):
        words = (self.tag(b"c") or b"simple").lower().split(b"/")
        return making.canonical(words[1] if len(words) > 1 else b"simple", "body")(self.body)


# Each rule: what it is called, whose deviation it is, the results of Sesame and of the peer it explains, when it holds.
RULES = []
EXPLAINED = {}


def rule(key, peers, results, sentence):
    def keep(holds):
        EXPLAINED[key] = sentence
        for peer in peers.split():
            RULES.append((peer, *results, key, holds))
        return holds
    return keep


# Sesame gives up where the peer goes on, perhaps to find something else, and the other way round.
STRICTER = ["refused", "body hash", "signature"], ["pass", "body hash", "signature"]
LAXER = ["pass", "temperror", "body hash", "signature"], ["refused", "body hash", "signature"]
BOTH = "dkimpy Mail::DKIM"


def reason(peer, ours, theirs, seen):
    """The key of the first rule that explains the difference, or None."""
    for rule_peer, rule_ours, rule_theirs, key, holds in RULES:
        if peer == rule_peer and ours in rule_ours and theirs in rule_theirs and holds(seen):
            return key
    return None


@rule("certain without DNS", BOTH, (["refused", "body hash"], ["temperror"]), "6.1: what is wrong without the key is wrong whatever DNS says; the peers ask first")
def _(seen):
    return seen.records in ("SERVFAIL", "REFUSED")


# The tag list of the signature.


@rule("no tag list", BOTH, STRICTER, "3.2: nothing between two semicolons, no =, not a tag name, control characters; the peers skip it")
def _(seen):
    return not is_tag_list(seen.field)


@rule("duplicate tag", "Mail::DKIM", STRICTER, "3.2: duplicate tags spoil the list; the last one counts for Mail::DKIM")
def _(seen):
    return has_twice(seen.tags)


@rule("v=", "Mail::DKIM", STRICTER, "3.5, v=: is there and 1; Mail::DKIM takes 0.5 and none")
def _(seen):
    return seen.tag(b"v") != b"1"


@rule("case of a= and c=", "Mail::DKIM", STRICTER, "3.2: values are case-sensitive unless said otherwise")
def _(seen):
    return any(seen.tag(name) != seen.tag(name).lower() for name in (b"a", b"c"))


@rule("empty c=", "Mail::DKIM", STRICTER, "3.5, c=: a value is two known words or one; Mail::DKIM takes its default for an empty one")
def _(seen):
    return seen.has(b"c") and seen.tag(b"c") == b""


@rule("nowsp", "Mail::DKIM", STRICTER, "3.4: simple and relaxed; Mail::DKIM knows nowsp of an early draft")
def _(seen):
    return b"nowsp" in seen.tag(b"c").lower().split(b"/")


@rule("no h= or b=", "Mail::DKIM", STRICTER, "3.5, 6.1.1: h= and b= are required")
def _(seen):
    return not seen.has(b"h") or not seen.has(b"b")


@rule("no bh=", "Mail::DKIM", STRICTER, "3.5, 6.1.1: bh= is required and the base64 of a digest")
def _(seen):
    return not without_space(seen.tag(b"bh"))


@rule("h= without From", BOTH, STRICTER, "5.4, 6.1.1: h= lists From")
def _(seen):
    return b"from" not in seen.names()


@rule("names in h=", BOTH, STRICTER, "3.5, h=: field names have no white space within")
def _(seen):
    return any(re.search(rb"[^!-9;-~]", name) for name in seen.names())


@rule("rsa-sha1", "dkimpy", STRICTER, "RFC 8301 3.1: rsa-sha1 must not verify")
def _(seen):
    return seen.tag(b"a") == b"rsa-sha1"


@rule("a= and k= differ", "dkimpy", STRICTER, "6.1.2 step 7: the key is of the kind a= names; dkimpy goes by the key alone")
def _(seen):
    return seen.tag(b"a").startswith(b"ed25519") != (seen.key_tag(b"k") == b"ed25519")


@rule("single label in d=", BOTH, STRICTER, "6.1.1: a top-level domain signs for nobody")
def _(seen):
    return b"." not in seen.tag(b"d").strip(b".")


@rule("d= or s= no name", BOTH, STRICTER, "3.5: d= and s= are domain names as RFC 5321 has them, without a final dot")
def _(seen):
    label = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    return not all(re.fullmatch(rb"(?:%s\.)*%s" % (label, label), seen.tag(name)) for name in (b"d", b"s"))


@rule("i= of Mail::DKIM", "Mail::DKIM", STRICTER, "2.11, 3.5, i=: quoted-printable, without a lone =; the domain after the last @ is a name")
def _(seen):
    return re.search(rb"=(?![0-9A-Fa-f]{2})|@[^@]*[^A-Za-z0-9._@-]", seen.tag(b"i")) is not None


@rule("i= of dkimpy, stricter", "dkimpy", STRICTER, "2.11, 3.5, i=: has an @ and is quoted-printable; dkimpy compares the ends of texts")
def _(seen):
    return seen.has(b"i") and re.search(rb"^[^@]*$|=(?![0-9A-Fa-f]{2})|@[^@]*[^A-Za-z0-9._@-]", seen.tag(b"i")) is not None


@rule("i= of Mail::DKIM, folded", "Mail::DKIM", LAXER, "2.11, 3.5, i=: may be folded")
def _(seen):
    return re.search(rb"\s", seen.tag(b"i")) is not None


@rule("i= of dkimpy, laxer", "dkimpy", LAXER, "2.11, 3.5, i=: is quoted-printable and may be folded; dkimpy compares the ends of texts")
def _(seen):
    return re.search(rb"=[0-9A-Fa-f]{2}|\s", seen.tag(b"i")) is not None


@rule("q=, list of dkimpy", "dkimpy", LAXER, "3.5, q=: a list, of which unknown methods are ignored, in any case")
def _(seen):
    return seen.has(b"q") and seen.tag(b"q") != b"dns/txt"


@rule("q=, list of Mail::DKIM", "Mail::DKIM", LAXER, "3.5, q=: a list with white space between, in any case")
def _(seen):
    return re.search(rb"[\sA-Z]", seen.tag(b"q")) is not None


@rule("times that are none", BOTH, STRICTER, "3.5, t=, x=: one to twelve digits, x= after t=")
def _(seen):
    t, x = seen.number(b"t"), seen.number(b"x")
    return (seen.has(b"t") and t is None) or (seen.has(b"x") and x is None) or None not in (t, x) and x <= t


@rule("clock of dkimpy", "dkimpy", STRICTER, "3.5, t=, x=: how much clocks may differ is ours to choose; dkimpy has ten hours")
def _(seen):
    t, x = seen.number(b"t") or 0, seen.number(b"x") or making.NOW
    return making.NOW + SKEW < t <= making.NOW + SLOP or making.NOW - SLOP <= x < making.NOW - SKEW


@rule("clock of Mail::DKIM, t=", "Mail::DKIM", STRICTER, "3.5, t=: the future may be refused; Mail::DKIM does not look at t=")
def _(seen):
    return (seen.number(b"t") or 0) > making.NOW + SKEW


@rule("clock of Mail::DKIM, x=", "Mail::DKIM", LAXER, "3.5, x=: clocks may differ; Mail::DKIM's must not")
def _(seen):
    return making.NOW - SKEW <= (seen.number(b"x") or making.NOW) < making.NOW


@rule("base64", BOTH, STRICTER, "2.10: b= and bh= are base64; the peers' decoders skip other octets")
def _(seen):
    return not is_base64(seen.tag(b"b")) or not is_base64(seen.tag(b"bh"))


@rule("base64 without padding", "dkimpy", LAXER, "2.10: the final = may be left out; dkimpy wants them")
def _(seen):
    return not is_base64(seen.tag(b"b")) or not is_base64(seen.tag(b"bh"))


@rule("size of bh=", BOTH, STRICTER, "3.5, bh=: is a digest of the size of the hash; the peers find that it differs")
def _(seen):
    return is_base64(seen.tag(b"bh")) and len(base64.b64decode(seen.tag(b"bh"))) != 32


@rule("size of an Ed25519 signature", "dkimpy", LAXER, "RFC 8463 3: what has not 64 octets does not verify; dkimpy stumbles over it")
def _(seen):
    text = without_space(seen.tag(b"b"))
    return seen.tag(b"a").startswith(b"ed25519") and is_base64(text) and len(base64.b64decode(text)) != 64


# The hashes.


@rule("l= more than the body", BOTH, STRICTER, "3.5, l=: must not be more than there is")
def _(seen):
    return re.fullmatch(rb"[0-9]+", seen.tag(b"l")) is not None and int(seen.tag(b"l")) > len(seen.canonical_body())


@rule("l= no number", "Mail::DKIM", STRICTER, "3.5, l=: one to 76 digits")
def _(seen):
    return seen.has(b"l") and re.fullmatch(rb"[0-9]{1,76}", seen.tag(b"l")) is None


@rule("l=0, laxer", "Mail::DKIM", LAXER, "3.5, l=: 0 is a length; Mail::DKIM takes it for none")
def _(seen):
    return re.fullmatch(rb"0+", seen.tag(b"l")) is not None


@rule("l=0, stricter", "Mail::DKIM", STRICTER, "3.5, l=: 0 is a length; Mail::DKIM takes it for none")
def _(seen):
    return re.fullmatch(rb"0+", seen.tag(b"l")) is not None


@rule("l=1 of an empty body", "Mail::DKIM", STRICTER, "3.4.3, 3.5, l=: cuts the CRLF of an empty body, too; Mail::DKIM does not")
def _(seen):
    return seen.tag(b"l") == b"1" and seen.canonical_body() == b"\r\n"


@rule("more From than h= mentions", "dkimpy", LAXER, "5.4.2: h= says how many; dkimpy looks for one From more (8.15 leaves that to policy)")
def _(seen):
    return sum(name.strip().lower() == b"from" for name, _ in seen.fields) > seen.names().count(b"from")


@rule("white space before a colon", "dkimpy", LAXER, "3.4.2, RFC 5322 4.5.8: white space before the colon is allowed; dkimpy reads no such message")
def _(seen):
    return any(name != name.strip() for name, _ in seen.fields)


@rule("white space before the colon of a signature, stricter", "Mail::DKIM", STRICTER, "3.5: the name is no part of the first tag; Mail::DKIM does not know that tag then")
@rule("white space before the colon of a signature, laxer", "Mail::DKIM", LAXER, "3.4.2: is hashed as it stands; Mail::DKIM writes the name anew")
def _(seen):
    return seen.fields[seen.own][0] != seen.fields[seen.own][0].strip()


@rule("white space at the end of a signature, stricter", "dkimpy", STRICTER, "3.4.1: simple changes nothing; dkimpy cuts the end of its own field")
@rule("white space at the end of a signature, laxer", "dkimpy", LAXER, "3.4.1: simple changes nothing; dkimpy cuts the end of its own field")
def _(seen):
    return seen.field != seen.field.rstrip() and seen.tag(b"c", b"simple").startswith(b"simple")


@rule("white space around b=", "dkimpy", LAXER, "3.7: the value of b= goes with the white space around it; dkimpy leaves what follows it")
def _(seen):
    return re.search(rb"(?:^|;)\s*b\s*=[^;]*\s(?:;|$)", seen.field) is not None


@rule("b= at the beginning", "dkimpy", LAXER, "3.5: tags may stand in any order; dkimpy does not see a b= that nothing precedes")
def _(seen):
    return re.match(rb"b\s*=", seen.field) is not None


@rule("b= within another tag", "dkimpy", LAXER, "3.7: only the tag b= is emptied; dkimpy empties what looks like it, too")
def _(seen):
    return re.search(rb"=[^;]*\sb\s*=", seen.field) is not None


@rule("control characters as white space, stricter", BOTH, STRICTER, "3.4.2: white space is space and tab; the peers drop vertical tabs and form feeds, too")
@rule("control characters as white space, laxer", BOTH, LAXER, "3.4.2: white space is space and tab; the peers drop vertical tabs and form feeds, too")
def _(seen):
    return any(re.search(rb"[\x0b\x0c]", value) for _, value in seen.fields)


@rule("its own field in h=", BOTH, LAXER, "3.5, h=: never means the signature itself; the peers may take it for one of the fields")
def _(seen):
    if b"dkim-signature" not in seen.names():
        return False
    below = sum(is_signature(field) for field in seen.fields[seen.own + 1:])
    return seen.names().count(b"dkim-signature") > below


# The key.


@rule("several records, laxer", BOTH, LAXER, "6.1.2 step 4: undefined; each is tried, the peers take the first they get")
def _(seen):
    return len(seen.records) > 1


@rule("several records, stricter", BOTH, STRICTER, "6.1.2 step 4: undefined; each is tried, the peers take the first they get")
def _(seen):
    return len(seen.records) > 1


@rule("no tag list of a key", BOTH, STRICTER, "3.2, 3.6.1: nothing between two semicolons, no =, not a tag name; the peers skip it")
def _(seen):
    return not is_tag_list(seen.record)


@rule("duplicate tag of a key", "Mail::DKIM", STRICTER, "3.2: duplicate tags spoil the list; the last one counts for Mail::DKIM")
def _(seen):
    return has_twice(seen.key)


@rule("v= of a key", BOTH, STRICTER, "3.6.1, v=: DKIM1, and first")
def _(seen):
    return b"v" in dict(seen.key) and seen.key[0] != (b"v", b"DKIM1")


@rule("case of k=", BOTH, LAXER, "3.6.1, k=: in use in upper case; read without case")
def _(seen):
    return seen.key_tag(b"k") != seen.key_tag(b"k").lower()


@rule("empty k=", "Mail::DKIM", STRICTER, "3.6.1, k=: an unknown type; Mail::DKIM takes its default for an empty one")
def _(seen):
    return b"k" in dict(seen.key) and seen.key_tag(b"k") == b""


@rule("h= of a key", BOTH, STRICTER, "3.6.1, h=: the hashes that may be used; dkimpy does not look, Mail::DKIM not at an empty one")
def _(seen):
    return b"h" in dict(seen.key) and b"sha256" not in [word.strip() for word in seen.key_tag(b"h").lower().split(b":")]


@rule("list of hashes of a key", "Mail::DKIM", LAXER, "3.6.1, h=: a list with white space between; in any case")
def _(seen):
    return b"sha256" not in seen.key_tag(b"h", b"sha256").split(b":")


@rule("s= of a key", BOTH, STRICTER, "3.6.1, s=: without * or email not for mail; the peers let an empty one pass")
def _(seen):
    return b"s" in dict(seen.key) and seen.key_tag(b"s") == b""


@rule("list of services of a key", BOTH, LAXER, "3.6.1, s=: a list with white space between, in any case; dkimpy knows no list")
def _(seen):
    return re.search(rb"[:\sA-Z]", seen.key_tag(b"s")) is not None


@rule("t=s", "dkimpy", STRICTER, "3.6.1, t=s: the domain of i= is d=; dkimpy does not look at t=")
def _(seen):
    return b"s" in [word.strip().lower() for word in seen.key_tag(b"t").split(b":")]


@rule("list of flags of a key", "Mail::DKIM", STRICTER, "3.6.1, t=: a list with white space between, in any case")
def _(seen):
    return re.search(rb"[\sA-Z]", seen.key_tag(b"t")) is not None


@rule("g= of a key", "Mail::DKIM", LAXER, "RFC 6376 C: g= is gone, ignored as unknown tags are")
def _(seen):
    return b"g" in dict(seen.key)


@rule("base64 of a key", BOTH, STRICTER, "2.10, 3.6.1: p= is base64; dkimpy skips other octets, Mail::DKIM quotes")
def _(seen):
    return not is_base64(seen.key_tag(b"p"))


@rule("octets after a key", "Mail::DKIM", STRICTER, "3.6.1, RFC 5280: p= is a SubjectPublicKeyInfo to its last octet")
def _(seen):
    return is_base64(seen.key_tag(b"p")) and any(
        base64.b64decode(seen.key_tag(b"p")).startswith(base64.b64decode(key.p) + b"\0") for key in making.KEYS.values())


@rule("short RSA key", "dkimpy", STRICTER, "RFC 8301 3.2: too short a key is not used; dkimpy verifies first")
def _(seen):
    return without_space(seen.key_tag(b"p")) == making.KEYS["768"].p.encode()


@rule("DER of a key", "dkimpy", STRICTER, "3.6.1, RFC 5280: p= is a SubjectPublicKeyInfo of RSA to its last octet; dkimpy looks at neither the kind nor the end")
def _(seen):
    return is_base64(seen.key_tag(b"p")) and base64.b64decode(seen.key_tag(b"p")) not in [
        base64.b64decode(key.p) for key in making.KEYS.values()]


@rule("bare RSAPublicKey", "Mail::DKIM", LAXER, "3.6.1: published in both forms; read in both")
def _(seen):
    return without_space(seen.key_tag(b"p")) in [
        base64.b64encode(key.bare) for key in making.KEYS.values() if isinstance(key, making.Rsa)]
