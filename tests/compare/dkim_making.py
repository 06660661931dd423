"""What dkim_messages.py compares: keys and their records, signatures by two signers and by hand, and damage."""

import base64
import hashlib
import random
import re

import dkim
import dkim.canonicalization
import dkim.crypto
import nacl.signing

import harness
import messages

NOW = 1700000000
DAY = 86400
FORMS = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
SMALL_PRIMES = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]


# Keys, the same in every run.


def is_prime(rng, number):
    if any(number % small == 0 for small in SMALL_PRIMES):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(16):
        power = pow(rng.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(rng, bits):
    while True:
        number = rng.getrandbits(bits) | (3 << (bits - 2)) | 1
        if number % 65537 != 1 and is_prime(rng, number):
            return number


def der(tag, content):
    size = len(content)
    width = 0 if size < 128 else 1 if size < 256 else 2
    length = bytes([0x80 + width]) + size.to_bytes(width, "big") if width else bytes([size])
    return bytes([tag]) + length + content


def der_number(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


class Rsa:
    algorithm = b"rsa-sha256"

    def __init__(self, seed, bits):
        rng = random.Random(seed)
        p, q = prime(rng, bits // 2), prime(rng, bits // 2)
        n, e = p * q, 65537
        d = pow(e, -1, (p - 1) * (q - 1))
        self.numbers = {"modulus": n, "publicExponent": e, "privateExponent": d, "prime1": p, "prime2": q,
                        "exponent1": d % (p - 1), "exponent2": d % (q - 1), "coefficient": pow(q, -1, p)}
        private = der(0x30, der_number(0) + b"".join(der_number(number) for number in self.numbers.values()))
        self.private = base64.b64encode(private).decode()
        self.pem = ("--\n" + self.private + "\n--").encode()  # what dkimpy looks for in a PEM
        self.bare = der(0x30, der_number(n) + der_number(e))
        identifier = bytes.fromhex("300d06092a864886f70d0101010500")
        self.p = base64.b64encode(der(0x30, identifier + der(3, b"\0" + self.bare))).decode()
        self.record = "k=rsa; p=" + self.p

    def sign(self, hasher):
        return dkim.crypto.RSASSA_PKCS1_v1_5_sign(hasher, self.numbers)


class Ed25519:
    algorithm = b"ed25519-sha256"

    def __init__(self, seed):
        key = nacl.signing.SigningKey(hashlib.sha256(seed.encode()).digest())
        self.key, self.pem = key, base64.b64encode(bytes(key))
        self.p = base64.b64encode(bytes(key.verify_key)).decode()
        self.record = "k=ed25519; p=" + self.p

    def sign(self, hasher):
        return self.key.sign(hasher.digest()).signature


KEYS = {"1024": Rsa("a", 1024), "1024b": Rsa("b", 1024), "2048": Rsa("c", 2048), "768": Rsa("d", 768),
        "ed": Ed25519("e"), "edb": Ed25519("f")}


def bystander(key):
    """Another key of the same kind."""
    return KEYS["edb"] if isinstance(key, Ed25519) else KEYS["1024b"]


# Records, most of the bad ones to be refused: each is the list of TXT records at a name, or the word for a fault.


def good_record(rng, key):
    tail = rng.choice(["", "", ";", " ; "])
    plain = key.record if isinstance(key, Ed25519) or rng.random() < 0.5 else "p=" + key.p
    extra = "" if rng.random() < 0.6 else rng.choice(["", "n=a note; ", "t=y; ", "s=email; ", "s=*; ", "s=email:other; ", "s=other : *; ", "h=sha256; ",
                        "h=sha1:sha256; ", "h=sha256 : x; ", "t=s; ", "t=x:y; ", "t=y : s; ", "x=y; ", "g=*; ", "foo=; "])
    text = rng.choice(["v=DKIM1; ", "v=DKIM1;", "v = DKIM1 ; ", ""]) + extra + plain + tail
    if rng.random() < 0.1:
        text = text.replace("; ", ";\t ").replace("p=", "p= ")
    if rng.random() < 0.1:
        at = len(text) - rng.randrange(10, 40)
        text = text[:at] + " " + text[at:]
    if rng.random() < 0.2:
        at = rng.randrange(1, len(text))
        return [[text[:at][:255], *[part for part in chunks(text[at:] if at <= 255 else text[255:])]]]
    return [text]


def chunks(text):
    return [text[i:i + 255] for i in range(0, len(text), 255)]


def bad_record(rng, key):
    k = "k=ed25519; " if isinstance(key, Ed25519) else "k=rsa; "
    damaged = list(key.p)
    damaged[rng.randrange(len(damaged) - 4)] = rng.choice("AZaz09+/!-")
    bare = base64.b64encode(key.bare).decode() if isinstance(key, Rsa) else key.p
    return rng.choice([
        ["v=DKIM1; " + k + "p=" + bare], ["v=DKIM1; " + k + "p="], ["p="], ["v=DKIM1; " + k], [""], [" "], ["hello"], ["v=spf1 -all"], ["v=DKIM2; " + key.record],
        ["v=dkim1; " + key.record], [key.record + "; v=DKIM1"], ["v=DKIM1; k=dsa; p=" + key.p], ["v=; " + key.record],
        ["k=; p=" + key.p], ["v=DKIM1; k=" + ("rsa" if "ed" in k else "ed25519") + "; p=" + key.p], ["k=RSA; p=" + key.p],
        ["h=sha1; " + key.record], ["h=SHA256; " + key.record], ["h=; " + key.record], ["s=tlsrpt; " + key.record],
        ["s=; " + key.record], ["s=EMAIL; " + key.record], ["t=s:y; " + key.record], ["t=S; " + key.record], ["t=; " + key.record],
        ["g=x; " + key.record], ["g=; " + key.record], ["p=; " + key.record], [key.record + "; p="], ["n=1; n=2; " + key.record],
        [k + "p=" + "".join(damaged)], [k + "p=" + key.p[:-8]], [k + "p=" + key.p + "AAAA"], [k + "p=" + key.p.rstrip("=") + "=="],
        ["v=DKIM1; " + bystander(key).record], [bystander(key).record, key.record], ["something", key.record], ["p=", key.record],
        [key.record, key.record], [key.record, "p="], ["1x=y; " + key.record], ["x-y=z; " + key.record], ["; " + key.record],
        [key.record + ";;"], ["V=DKIM1; " + key.record], ["K=rsa; P=" + key.p], [k + 'p="' + key.p + '"'],
        ["n=caf\u00e9; " + key.record], "NXDOMAIN", "NODATA", "SERVFAIL", "REFUSED", "CNAME"])


# Signatures.


def canonical(form, of):
    """dkimpy's function for "simple" or "relaxed"; what cannot be read is signed as simple."""
    chosen = dkim.canonicalization.ALGORITHMS.get(form.lower(), dkim.canonicalization.Simple)
    return chosen.canonicalize_headers if of == "header" else chosen.canonicalize_body


def selected(fields, names):
    """RFC 6376 Section 5.4.2: of each name from the bottom."""
    left, chosen = list(fields), []
    for name in names:
        for i in range(len(left) - 1, -1, -1):
            if left[i][0].strip().lower() == name.strip().lower():
                chosen.append(left.pop(i))
                break
    return chosen


def by_hand(rng, key, fields, body, tags):
    """A field over these tags, [name, value], with a right bh= (where it is None) and a right b=, however odd they are."""
    value_of = dict(reversed([(name.strip(), text) for name, text in tags]))
    form = (value_of.get(b"c") or b"simple").split(b"/")
    hasher = hashlib.sha1 if value_of.get(b"a") == b"rsa-sha1" else hashlib.sha256
    canonical_body = canonical(form[1].strip() if len(form) > 1 else b"simple", "body")(body)
    length = re.sub(rb"\s", b"", value_of.get(b"l", b""))
    if re.fullmatch(rb"[0-9]+", length):
        canonical_body = canonical_body[:int(length)]
    digest = base64.b64encode(hasher(canonical_body).digest())
    between = rng.choice([b"; ", b";", b";\r\n\t", b"; ", b"; ", b";\r\n ", b"; ", b" ; "])
    equals = rng.choice([b"=", b"=", b"=", b" = ", b"= "])
    specs = []
    for name, text in tags:
        text = fold_some(rng, digest) if text is None else text
        specs.append(text if name == b"" else name + equals + text)
    field = [rng.choice([b"DKIM-Signature", b"DKIM-Signature", b"dkim-signature", b"DKIM-SIGNATURE"]),
             rng.choice([b" ", b"", b"\r\n\t"]) + between.join(specs) + rng.choice([b"", b"", b"", b";", b";", b";", b" ;", b"; "])]
    without_b = re.sub(rb"((?:^|;)\s*b\s*=)\s*(?=;|$)", rb"\1", field[1])  # white space around it included, Section 3.7
    header = hasher()
    lines = canonical(form[0].strip(), "header")([(name, text + b"\r\n") for name, text in selected(fields, (value_of.get(b"h") or b"").split(b":"))])
    for name, text in lines:
        header.update(name + b":" + text)
    (name, text), = canonical(form[0].strip(), "header")([(field[0], without_b + b"\r\n")])
    header.update(name + b":" + text[:-2])
    signature = fold_some(rng, base64.b64encode(key.sign(header)))
    field[1] = re.sub(rb"(?:^|;)\s*b\s*=\s*", lambda match: match.group() + signature, field[1], count=1)
    return tuple(field)


def fold_some(rng, text):
    if rng.random() < 0.6:
        return text
    ends = len(text) + (rng.random() < 0.1)  # at the very end only now and then
    spots = [i for i in range(ends) if b"\n" not in text[max(0, i - 1):i + 1]]
    for at in sorted(rng.sample(spots, min(len(spots), rng.randrange(1, 4))), reverse=True):
        text = text[:at] + rng.choice([b" ", b"\r\n ", b"\t", b"\r\n\t "]) + text[at:]
    return text


def plain_tags(rng, key, selector, fields, body):
    names = sorted({name.strip().lower() for name, _ in fields})
    chosen = [name for name in names if rng.random() < 0.7 and name != b"from"] + [b"from"]
    chosen += rng.choice([[], [], [b"from"], [rng.choice(names)], [b"absent"], [b"subject", b"subject"]])
    rng.shuffle(chosen)
    joint = rng.choice([b":", b":", b" : ", b":\r\n\t"])
    tags = [[b"v", b"1"], [b"a", key.algorithm], [b"d", b"example.com"], [b"s", selector], [b"h", joint.join(chosen)],
            [b"bh", None], [b"b", b""]]
    form = rng.choice(FORMS).encode()
    if rng.random() < 0.9:
        tags.append([b"c", form])
    if rng.random() < 0.2:
        size = len(canonical(form.split(b"/")[1] if [b"c", form] in tags else b"simple", "body")(body))
        tags.append([b"l", str(rng.choice([size, size, max(0, size - rng.randrange(1, 9)), 0])).encode()])
    if rng.random() < 0.5:
        tags.append([b"t", str(NOW - rng.randrange(0, 9 * DAY)).encode()])
    if rng.random() < 0.3:
        tags.append([b"x", str(NOW + rng.randrange(1, 9) * DAY).encode()])
    if rng.random() < 0.3:
        tags.append([b"i", rng.choice([b"@example.com", b"a@example.com", b"x@sub.example.com", b"@EXAMPLE.com"])])
    if rng.random() < 0.3:
        tags.append([b"q", b"dns/txt"])
    return tags


# One oddity of the tags: the name of a tag and the values it may get; b"" as the name is a spec that stands as it is.
ODD = {
    b"v": [b"2", b"0.5", b"01", b"", b"1.0"],
    b"a": [b"RSA-SHA256", b"rsa-sha1", b"rsa-sha512", b"", b"rsa", b"ed25519-sha256", b"rsa-sha256"],
    b"c": [b"relaxed", b"simple", b"Relaxed/Simple", b"relaxed/x", b"", b"nowsp", b"simple/simple/simple", b"relaxed /simple", b"/"],
    b"d": [b"EXAMPLE.com", b"com", b"example.com.", b"exa\r\n mple.com", b"exam(ple.com", b"", b".example.com", b"sub.example.com"],
    b"s": [b"", b"a b", b"a(b", b".a", b"a..b", b"a@b", b"a" * 64],
    b"h": [b"", b"subject", b"from:", b":from", b"from::to", b"from:dkim-signature", b"from:sub ject", b"FROM:from", b"Sender:to",
           b"from:dkim-signature:dkim-signature:dkim-signature:dkim-signature"],
    b"i": [b"@example.org", b"@notexample.com", b"a=40b@example.com", b"example.com", b"", b"@", b"@com", b"a@b@example.com",
           b"a@\r\n example.com", b"=40example.com", b"a@example.com.", b"a=zz@example.com", b"@sub.example.com", b"a b@example.com"],
    b"l": [b"999999999", b"", b"x", b"-1", b"00", b"1" * 77, b"0" * 76, b"1 0", b"9" * 30],
    b"q": [b"dns", b"dns/txt:x/y", b"x/y : dns/txt", b"x/y", b"DNS/TXT", b"", b"dns/txt/x"],
    b"t": [b"", b"x", b"-1", b"1" * 13, str(NOW + 5 * DAY).encode(), str(NOW + 7200).encode(), str(NOW + 60).encode(), b"0", b"1 0", b"000000000001"],
    b"x": [b"", b"x", b"-1", b"9" * 13, str(NOW - 5 * DAY).encode(), str(NOW - 7200).encode(), str(NOW - 60).encode(), b"0", b"1e11", b"9" * 12],
    b"z": [b"From:x|To:y", b"b=x", b"", b"caf\xc3\xa9"],
    b"r": [b"y", b"", b"\xff", b"b=1"],
    b"x-y": [b"z"],
    b"1x": [b"y"],
    b"x y": [b"z"],
    b"bh": [b"AAAA", b"", b"A" * 44, b"A" * 666, b"!!!!"],
    b"": [b"", b"foo", b" ", b"=x", b"\x01=y"],
}


def odd_tags(rng, tags):
    kind = rng.random()
    if kind < 0.15:
        name = rng.choice([b"v", b"a", b"d", b"s", b"h", b"bh", b"c", b"t", b"x"])
        return [tag for tag in tags if tag[0] != name]
    if kind < 0.25:
        again = rng.choice([tag for tag in tags if tag[0] not in (b"b", b"bh")])
        tags.insert(rng.randrange(len(tags) + 1), [again[0], rng.choice([again[1], b"x", b"from", b"1"])])
        return tags
    if kind < 0.3:
        chosen = rng.choice([tag for tag in tags if tag[0] != b"b"])
        chosen[0] = rng.choice([chosen[0].upper(), chosen[0] + b" ", chosen[0] + b"_", chosen[0] + b"\r\n\t"])
        return tags
    name = rng.choice(list(ODD))
    text = rng.choice(ODD[name])
    tags = [tag for tag in tags if tag[0] != name]
    tags.insert(rng.randrange(len(tags) + 1), [name, text])
    return tags


class Signers:
    """A field on top of the message, by one of three."""

    def __init__(self, perl):
        self.perl = perl

    def sign(self, rng, key, selector, fields, body, oddity):
        if not oddity and rng.random() < 0.35:
            return self.dkimpy(rng, key, selector, fields, body)
        if not oddity and rng.random() < 0.5 and isinstance(key, Rsa):
            return self.mail_dkim(rng, key, selector, fields, body)
        tags = plain_tags(rng, key, selector, fields, body)
        if oddity:
            tags = odd_tags(rng, tags)
        if rng.random() < 0.3:
            rng.shuffle(tags)
        return by_hand(rng, key, fields, body, tags)

    def dkimpy(self, rng, key, selector, fields, body):
        signer = dkim.DKIM(messages.join(fields, body))
        signer.should_not_sign = set()
        names = None
        if rng.random() < 0.7:
            names = [name for name, _ in fields if rng.random() < 0.7] + [b"from"] * rng.randrange(1, 3)
        field = signer.sign(selector, b"example.com", key.pem, signature_algorithm=key.algorithm, include_headers=names,
                            identity=rng.choice([None, b"a@example.com", b"@sub.example.com"]),
                            canonicalize=tuple(rng.choice(FORMS).encode().split(b"/")), length=rng.random() < 0.2)
        return parsed_field(field)

    def mail_dkim(self, rng, key, selector, fields, body):
        names = [name.strip().decode() for name, _ in fields if rng.random() < 0.7] + ["from"] * rng.randrange(1, 3)
        form = rng.choice(FORMS)
        size = len(canonical(form.split("/")[1].encode(), "body")(body))
        ask = {"op": "sign", "now": NOW, "message": harness.octets(messages.join(fields, body)), "Method": form,
               "Headers": ":".join(names), "Domain": "example.com", "Selector": selector.decode(), "key": key.private,
               "Timestamp": rng.choice([None, NOW - 5]), "Expiration": rng.choice([None, None, NOW + DAY]),
               "Identity": rng.choice([None, "a b@example.com", "@sub.example.com"]), "Query": rng.choice([None, "dns/txt"]),
               "length": rng.choice([0, 0, 0, size, max(1, size - 5)])}
        return parsed_field(base64.b64decode(self.perl.ask(ask)["field"]) + b"\r\n")


def parsed_field(text):
    name, _, value = text.partition(b":")
    assert value.endswith(b"\r\n")
    return name, value[:-2]


# Damage.


def changed_octet(rng, text):
    spots = [i for i, octet in enumerate(text) if octet not in b"\r\n" and text[max(0, i - 2):i] != b"\r\n"]
    if not spots:
        return text
    at = rng.choice(spots)
    new = rng.choice([b"x", b"X", b" ", b";", b"=", b"\xe9", b"\t", b"0", b"", bytes([text[at]]) * 2, b"\x00", b"\x0b", b":"])
    return text[:at] + new + text[at + 1:]


def refolded(rng, text):
    spots = [match.span() for match in re.finditer(rb"(\r\n)?[ \t]+", text)]
    if not spots:
        return text
    begin, end = rng.choice(spots)
    return text[:begin] + rng.choice([b" ", b"\t", b"\r\n ", b"\r\n\t ", b"  ", b" \r\n  "]) + text[end:]


def damage_header(rng, fields):
    at = rng.randrange(len(fields))
    name, value = fields[at]
    kind = rng.randrange(10)
    if kind < 2:
        fields[at] = (name, changed_octet(rng, value))
    elif kind < 4:
        fields[at] = (name, refolded(rng, value))
    elif kind == 4:
        fields[at] = (messages.in_some_case(rng, name), value)
    elif kind == 5:
        fields.insert(rng.randrange(len(fields) + 1), fields.pop(at))
    elif kind == 6 and len(fields) > 1:
        fields.pop(at)
    elif kind == 7:
        fields.insert(rng.randrange(len(fields) + 1), fields[at])
    elif kind == 8:
        fields[at] = (name + rng.choice([b" ", b"\t"]), value)
    else:
        added = rng.choice([b"From", b"Subject", b"X-New", b"To", b"from"])
        fields.insert(rng.randrange(len(fields) + 1), (added, b" b@example.org"))
    return fields


def damage_body(rng, body):
    return rng.choice([
        lambda: changed_octet(rng, body), lambda: body + b"\r\n\r\n", lambda: body + b"more\r\n", lambda: body + b" ", lambda: b"",
        lambda: body.replace(b" ", b"  ", 1), lambda: body.replace(b"\r\n", b" \r\n", 1), lambda: body.replace(b"\r\n", b"\r\n\r\n", 1),
        lambda: body.rstrip(b"\r\n"), lambda: body.replace(b"\t", b" "), lambda: body[:rng.randrange(len(body) + 1)],
        lambda: body.replace(b"\r\n", b"\n"), lambda: b"\r\n" + body, lambda: body.replace(b" \r\n", b"\r\n")])()


def damage_signature(rng, value):
    """The text of a signature that was right."""
    specs = value.split(b";")
    at = rng.randrange(len(specs))
    kind = rng.randrange(9)
    if kind == 0:
        specs.pop(at)
    elif kind == 1:
        specs.insert(at, specs[at])
    elif kind == 2:
        specs.insert(at, rng.choice([b" r=y", b"", b" foo", b" t=1", b" l=0", b" x=1"]))
    elif kind == 3:
        specs[at] = changed_octet(rng, specs[at])
    elif kind == 4:
        specs[at] = refolded(rng, specs[at])
    elif kind == 5:
        specs[at] = rng.choice([b" ", b"\r\n\t"]) + specs[at] + rng.choice([b"", b" ", b"\r\n "])
    elif kind == 6:
        specs.insert(at, specs.pop())
    elif kind == 7:
        specs[at] = specs[at][:max(1, len(specs[at]) - rng.randrange(1, 9))].rstrip(b"\r\n")
    else:
        specs = [re.sub(rb"^(\s*bh?\s*=)(.*)$", lambda match: match.group(1) + fold_some(rng, match.group(2)), spec, flags=re.S)
                 for spec in specs]
    return b";".join(specs)
