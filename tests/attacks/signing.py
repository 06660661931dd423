"""Signatures with any tags, by python3-dkim's canonical forms and its RSA."""

import base64
import hashlib
import subprocess

import dkim
import dkim.canonicalization
import dkim.crypto

import keys

TAGS = {"v": "1", "a": "rsa-sha256", "c": "relaxed/relaxed", "d": "legit.example", "s": "s1", "h": "from:to:subject"}


def tags(*more, **changed):
    """The value of a DKIM-Signature field still to be made: the usual tags, some of them changed, and these more."""
    usual = [f"{name}={value}" for name, value in {**TAGS, **changed}.items()]
    return "; ".join([*usual, *more, "bh={bh}", "b="])


class Key:
    """An RSA key of its own for each run."""

    def __init__(self, bits=1024):
        self.pem = keys.private_key(bits)
        self.public = keys.public_key(self.pem)

    def record(self, tags="v=DKIM1; k=rsa"):
        return f"{tags}; p={self.public}"


def value_of(text, name, default=""):
    found = [tag.split("=", 1)[1] for tag in text.split(";") if tag.split("=")[0].strip() == name]
    return found[0].strip() if found else default


def sign(letter, key, text=tags(), hasher=hashlib.sha256, name="DKIM-Signature", form=None, names=None, tail=""):
    """The letter with a signature on top. `text` is the field's value up to an empty b=, which comes last but for the
    `tail`; {bh} in it is replaced. The canonical forms and the fields signed are those it names, unless given."""
    form = form or value_of(text, "c", "simple/simple")
    policy = dkim.canonicalization.CanonicalizationPolicy.from_c_value(form.encode())
    headers, body = dkim.rfc822_parse(letter.octets())
    length = value_of(text, "l")
    canonical = policy.canonicalize_body(body)[:int(length) if length else None]
    value = " " + text.format(bh=base64.b64encode(hasher(canonical).digest()).decode())
    names = names or value_of(text, "h").split(":")
    # RFC 6376 Section 3.7: white space around the value of b= is no part of what is hashed.
    field = (name.encode(), (value + tail.lstrip()).encode("utf-8", "surrogateescape"))
    hashed = dkim.HashThrough(hasher())
    dkim.hash_headers(hashed, policy, policy.canonicalize_headers(headers),
                      [each.strip().lower().encode() for each in names],
                      field, {})
    signature = dkim.crypto.RSASSA_PKCS1_v1_5_sign(hashed, dkim.crypto.parse_pem_private_key(key.pem))
    return letter.above(f"{name}:{value}{base64.b64encode(signature).decode()}{tail}")


def seal(letter, key, results="spf=pass", domain="sealer.example", cv=None, more="", tail=""):
    """The letter with one more ARC set, whose seal has these tags `more`; `tail` ends both of its signatures."""
    instance = 1 + sum(line.startswith("ARC-Seal:") for line in letter.lines)
    cv = cv or ("none" if instance == 1 else "pass")
    letter = letter.above(f"ARC-Authentication-Results: i={instance}; {results}")
    text = f"i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1; h=from:to:subject; bh={{bh}}; b="
    letter = sign(letter, key, text, name="ARC-Message-Signature", tail=tail)
    sets = ["arc-authentication-results", "arc-message-signature", "arc-seal"] * instance
    text = f"i={instance}; a=rsa-sha256; cv={cv}; d={domain}; s=s1; {more}b="
    return sign(letter, key, text, name="ARC-Seal", form="relaxed/relaxed", names=sets[:-1], tail=tail)


def public_key_of(bits):
    """The p= of an RSA key of this size; its modulus is no product of primes, which nobody can see."""
    modulus = (1 << bits) - 159
    done = subprocess.run(["openssl", "asn1parse", "-genconf", "/dev/stdin", "-noout", "-out", "/dev/stdout"],
                          input=ASN1.format(modulus=hex(modulus)).encode(), capture_output=True, check=True)
    return base64.b64encode(done.stdout).decode()


ASN1 = """
asn1 = SEQUENCE:info
[info]
algorithm = SEQUENCE:algorithm
key = BITWRAP,SEQUENCE:key
[algorithm]
oid = OID:rsaEncryption
parameter = NULL
[key]
n = INTEGER:{modulus}
e = INTEGER:0x10001
"""
