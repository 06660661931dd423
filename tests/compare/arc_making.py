"""What arc.py compares: chains that two sealers and we ourselves seal, with odd fields, and what damages them."""

import base64
import hashlib
import re

import dkim
import dkim.canonicalization

import dkim_making as making
import harness
import messages

DOMAINS = [b"example.org", b"example.com", b"lists.example.net"]
NAMES = [b"ARC-Authentication-Results", b"ARC-Message-Signature", b"ARC-Seal"]  # in the order a seal covers them
LOWER = [name.lower() for name in NAMES]
PAYLOADS = [b"; spf=pass smtp.mailfrom=a@example.com", b"; dkim=pass header.d=example.com; dmarc=pass header.from=example.com",
            b"; none", b";\r\n\tspf=softfail (why; not) smtp.helo=x.example; x-odd=(null)"]

ODD_NUMBERS = [b"0", b"51", b"50", b"", b"x", b"01", b"001", b"-1", b"+1", b"1 2", b"1x", b"99999999999999999999", b"1.0"]
ODD_MESSAGE = {**making.ODD, b"i": ODD_NUMBERS, b"v": [b"1", b"2", b"x", b""]}
ODD_SEAL = {b"i": ODD_NUMBERS, b"cv": [b"none", b"pass", b"fail", b"", b"None", b"PASS", b"Fail", b"none pass", b"invalid", b"p\r\n ass"],
            b"h": [b"from", b"", b"arc-seal"], b"c": [b"simple/simple", b"relaxed/relaxed", b"x", b""], b"q": [b"x/y", b"dns/txt"],
            b"l": [b"0", b"x"], b"bh": [b"AAAA", b""], b"v": [b"1", b"2"],
            **{name: making.ODD[name] for name in [b"a", b"d", b"s", b"t", b"x", b"r", b"z", b"x-y", b"1x", b"x y", b""]}}


# Records of which all three say the same but for what Section 5.2.1 is about: dkim_messages.py looks into keys.


def good_record(rng, key):
    extra = rng.choice(["", "", "", "n=a note; ", "t=y; ", "t=s; ", "s=email; ", "h=sha256; "])
    return [rng.choice(["v=DKIM1; ", "v=DKIM1; ", ""]) + extra + key.record]


def bad_record(rng, key):
    return rng.choice([["v=DKIM1; p="], ["v=DKIM1; k=rsa"], ["hello"], ["v=DKIM1; k=rsa; p=" + key.p[:-8]], ["v=DKIM2; " + key.record],
                       [making.bystander(key).record], ["h=sha1; " + key.record], "NXDOMAIN", "NODATA", "SERVFAIL", "REFUSED"])


def odd_results(rng, n):
    """The value of an ARC-Authentication-Results field that is not what sealers write."""
    head = rng.choice([b" i=%d;", b"i=%d;", b" I=%d;", b" i = %d ;", b" i=%d (c);", b" (a;b) i=%d;", b" i=0%d;", b" i=00%d;", b" i=%d",
                       b" i=;", b" x=y; i=%d;", b" i=%d,", b" i=%d; i=%d;", b"\r\n\ti=%d;", b" i=%d;;", b" ;i=%d;", b" i=%dx;"])
    head = head.replace(b"%d", str(n).encode())
    return head + rng.choice([b"", b" ", b" none", b" (null)=pass", b" mx.example.org", b" mx.example.org; foo=bar", b" mx; arc=",
                              b" caf\xe9; spf=pass", b" mx.example.org; spf=pass; i=7; cv=fail", b" x" * 200, b" mx.example.org;",
                              b" mx.example.org 1; none", b" \x01"])


def odd(rng, tags, choices):
    """One oddity among the tags of a message signature or a seal."""
    kind = rng.random()
    if kind < 0.15:
        gone = rng.choice([name for name, _ in tags])
        return [tag for tag in tags if tag[0] != gone]
    if kind < 0.25:
        again = rng.choice([tag for tag in tags if tag[0] not in (b"b", b"bh")])
        tags.insert(rng.randrange(len(tags) + 1), [again[0], rng.choice([again[1], b"x", b"1"])])
        return tags
    if kind < 0.3:
        chosen = rng.choice([tag for tag in tags if tag[0] != b"b"])
        chosen[0] = rng.choice([chosen[0].upper(), chosen[0] + b" ", chosen[0] + b"_", chosen[0] + b"\r\n\t"])
        return tags
    name = rng.choice(list(choices))
    at = next((i for i, tag in enumerate(tags) if tag[0] == name), None)
    text = rng.choice(choices[name])
    if at is None:
        tags.insert(rng.randrange(len(tags) + 1), [name, text])
    else:
        tags[at] = [name, text]
    return tags


def written(rng, tags):
    """The value of a field over these tags."""
    plain = rng.random() < 0.85
    between = b"; " if plain else rng.choice([b";", b";\r\n\t", b" ; ", b";\r\n "])
    equals = b"=" if plain else rng.choice([b"=", b"=", b" = ", b"= "])
    specs = [text if name == b"" else name + equals + text for name, text in tags]
    return (b" " if plain else rng.choice([b" ", b"", b"\r\n\t"])) + between.join(specs) + rng.choice([b"", b"", b";", b" ;"])


def signed(rng, name, value, lines, form, hasher, key):
    """The field with b= over these lines (canonical, with CRLF) and itself."""
    for line in lines:
        hasher.update(line)
    without_b = re.sub(rb"((?:^|;)\s*b\s*=)\s*(?=;|$)", rb"\1", value)
    hasher.update(canonical_lines(form, [(name, without_b)])[0][:-2])
    signature = making.fold_some(rng, base64.b64encode(key.sign(hasher)))
    return name, re.sub(rb"(?:^|;)\s*b\s*=", lambda match: match.group() + signature, value, count=1)


def canonical_lines(form, fields):
    with_ends = [(name, value + b"\r\n") for name, value in fields]
    return [name + b":" + value for name, value in making.canonical(form, "header")(with_ends)]


def value_of(tags, name, default):
    return next((text for other, text in tags if other.strip() == name), default)


class Chain:
    """A message on its way through sealers."""

    def __init__(self, fields, body):
        self.fields, self.body, self.sets = fields, body, []

    def add(self, fields):
        """A set, given as results, message signature, seal."""
        self.sets.append(fields)
        self.fields[0:0] = reversed(fields)


def as_mail_dkim_sees(value):
    """The instance of a field by which Mail::DKIM gathers what a seal covers, as it seals and as it verifies."""
    found = re.match(rb"\s*(?:[^;]*;\s*)*i=([0-9]+)", value, re.I)
    return int(found.group(1)) if found else None


class Sealers:
    def __init__(self, perl):
        self.perl = perl

    def seal(self, rng, chain, key, domain, selector, cv, oddity):
        if not oddity and isinstance(key, making.Rsa) and rng.random() < 0.35:
            fields = self.dkimpy(rng, chain, key, domain, selector, cv)
        elif not oddity and isinstance(key, making.Rsa) and rng.random() < 0.5:
            fields = self.mail_dkim(rng, chain, key, domain, selector, cv)
        else:
            fields = None
        chain.add(fields or by_hand(rng, chain, key, domain, selector, cv, oddity))

    def reported(self, rng, chain, cv):
        """Both sealers want to be told by an Authentication-Results field of their own."""
        server = b"mx%d.example.org" % (len(chain.sets) + 1)
        chain.fields.insert(0, (b"Authentication-Results", b" " + server + b"; arc=" + cv + rng.choice(PAYLOADS[:2])))
        return server

    def dkimpy(self, rng, chain, key, domain, selector, cv):
        server = self.reported(rng, chain, cv)
        signer = dkim.ARC(messages.join(chain.fields, chain.body))
        signer.should_not_sign = set()
        names = None
        if rng.random() < 0.7:
            skipped = (b"authentication-results", *LOWER)
            names = [name.strip() for name, _ in chain.fields if name.strip().lower() not in skipped and rng.random() < 0.7]
            names += [b"from"] * rng.randrange(1, 3)
        try:
            lines = signer.sign(selector, domain, key.pem, server, include_headers=names, timestamp=making.NOW - 5)
        except dkim.DKIMException:  # a chain it will not go on with
            return None
        return [making.parsed_field(line) for line in reversed(lines)]

    def mail_dkim(self, rng, chain, key, domain, selector, cv):
        if any(as_mail_dkim_sees(value) != n for n, each in enumerate(chain.sets, 1) for _, value in each):
            return None
        server = self.reported(rng, chain, cv)
        answer = self.perl.ask({
            "op": "seal", "now": making.NOW, "message": harness.octets(messages.join(chain.fields, chain.body)),
            "Method": rng.choice(making.FORMS), "key": key.private, "Chain": cv.decode(), "Domain": domain.decode(),
            "SrvId": server.decode(), "Selector": selector.decode(), "Timestamp": making.NOW - 5,
            "Expiration": rng.choice([None, None, making.NOW + making.DAY])})
        if "error" in answer:  # a header it will not have
            return None
        return [making.parsed_field(base64.b64decode(field) + b"\r\n") for field in reversed(answer["fields"])]


def by_hand(rng, chain, key, domain, selector, cv, oddity):
    """A set whose hashes and signatures are right, whatever else is not; `oddity`: the position in NAMES, or None."""
    n = len(chain.sets) + 1
    results = (NAMES[0], odd_results(rng, n) if oddity == 0 else b" i=%d; mx.example.org" % n + rng.choice(PAYLOADS))
    chain.fields.insert(0, results)  # as a sealer does; add() brings it in anew
    message = message_signature(rng, chain, key, domain, selector, n, oddity == 1)
    chain.fields.pop(0)
    tags = [[b"i", b"%d" % n], [b"a", key.algorithm], [b"cv", cv], [b"d", domain], [b"s", selector], [b"b", b""]]
    if rng.random() < 0.8:
        tags.append([b"t", b"%d" % (making.NOW - rng.randrange(0, making.DAY))])
    if oddity == 2:
        tags = odd(rng, tags, ODD_SEAL)
    if rng.random() < 0.15:
        rng.shuffle(tags)
    # RFC 8617 Section 5.1.2: a seal that ends the chain covers its own set alone.
    below = [] if cv == b"fail" and rng.random() < 0.7 else [field for each in chain.sets for field in each]
    sha1 = value_of(tags, b"a", b"") == b"rsa-sha1"
    seal = signed(rng, messages.in_some_case(rng, NAMES[2]), written(rng, tags), canonical_lines(b"relaxed", [*below, results, message]),
                  b"relaxed", hashlib.sha1() if sha1 else hashlib.sha256(), key)
    return [results, message, seal]


def message_signature(rng, chain, key, domain, selector, n, is_odd):
    tags = [tag for tag in making.plain_tags(rng, key, selector, chain.fields, chain.body) if tag[0] not in (b"v", b"d", b"i", b"l")]
    tags[0:0] = [[b"i", b"%d" % n], [b"d", domain]]
    names = value_of(tags, b"h", b"").split(b":")
    kept = [name for name in names if name.strip().lower() not in (b"authentication-results", *LOWER)]
    tags = [[name, b":".join(kept) if name == b"h" else text] for name, text in tags]
    if is_odd:
        tags = odd(rng, tags, ODD_MESSAGE)
    if rng.random() < 0.15:
        rng.shuffle(tags)
    form = value_of(tags, b"c", b"relaxed/relaxed").split(b"/")
    sha1 = value_of(tags, b"a", b"") == b"rsa-sha1"
    hasher = hashlib.sha1 if sha1 else hashlib.sha256
    body = making.canonical(form[1].strip() if len(form) > 1 else b"simple", "body")(chain.body)
    length = re.sub(rb"\s", b"", value_of(tags, b"l", b""))
    if re.fullmatch(rb"[0-9]+", length):
        body = body[:int(length)]
    digest = base64.b64encode(hasher(body).digest())
    tags = [[name, making.fold_some(rng, digest) if text is None else text] for name, text in tags]
    covered = making.selected(chain.fields, (value_of(tags, b"h", b"")).split(b":"))
    return signed(rng, messages.in_some_case(rng, NAMES[1]), written(rng, tags), canonical_lines(form[0].strip(), covered),
                  form[0].strip(), hasher(), key)


# Damage.


def arc_positions(fields):
    return [i for i, (name, _) in enumerate(fields) if name.strip().lower() in LOWER]


def renumbered(value, new):
    return re.sub(rb"(^|;)(\s*i\s*=\s*)[0-9]+", lambda match: match.group(1) + match.group(2) + new, value, count=1)


def damage_arc(rng, fields):
    """One change to the fields of ARC."""
    own = arc_positions(fields)
    if not own:
        return fields + [(rng.choice(NAMES), rng.choice([b" x", b" i=1; none", b" i=1; a=rsa-sha256", b""]))]
    at = rng.choice(own)
    name, value = fields[at]
    kind = rng.randrange(14)
    if kind < 4:
        fields[at] = (name, making.damage_signature(rng, value))
    elif kind == 4:
        fields.pop(at)
    elif kind == 5:
        fields.insert(rng.randrange(len(fields) + 1), (name, rng.choice([value, renumbered(value, b"1")])))
    elif kind == 6:
        fields[at] = (name, renumbered(value, rng.choice([b"0", b"1", b"2", b"3", b"51", b"x", b"", b"01"])))
    elif kind == 7:  # where a field stands matters to nobody but simple readers
        rng.shuffle(fields)
    elif kind == 8:
        fields.insert(rng.randrange(len(fields) + 1), fields.pop(at))
    elif kind == 9:
        fields[at] = (name, re.sub(rb"\bcv\s*=\s*\w+", b"cv=" + rng.choice([b"none", b"pass", b"fail", b"x"]), value))
    elif kind == 10:
        fields[at] = (name, re.sub(rb"(;\s*b\s*=)", rng.choice([b"; h=from", b"; x=1", b"; r=y", b"; cv=pass"]) + rb"\1", value))
    elif kind == 11:
        fields[at] = (name, value + rng.choice([b";", b" ;", b";;", b"; ", b"; x"]))
    elif kind == 12:
        other = rng.choice(own)
        fields[at], fields[other] = (name, fields[other][1]), (fields[other][0], value)
    else:
        fields = without_top(rng, fields)
    return fields


def without_top(rng, fields):
    """A chain whose newest sets are gone, or all of it; or one whose first is."""
    own = [i for i in arc_positions(fields)]
    kept = rng.randrange(0, max(1, len(own) // 3))
    gone = own[:len(own) - 3 * kept] if rng.random() < 0.7 else own[-3:]
    return [field for i, field in enumerate(fields) if i not in gone]


def damaged(rng, fields, body):
    for _ in range(rng.choice([1, 1, 2])):
        kind = rng.random()
        if kind < 0.2:
            fields = making.damage_header(rng, fields)
        elif kind < 0.35:
            body = making.damage_body(rng, body)
        else:
            fields = damage_arc(rng, fields)
    # A bare CR or LF of a header, where damage hit a line end, is a matter of how a file is read.
    return messages.join([(name, re.sub(rb"\r(?!\n)|(?<!\r)\n", b"", value)) for name, value in fields], body)
