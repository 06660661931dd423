"""Keys and DKIM signatures of the benchmark's corpus. The canonical forms are dkimpy's, the arithmetic OpenSSL's."""

import base64
import functools
import hashlib
import itertools
import math

from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from dkim.canonicalization import CanonicalizationPolicy

SIGNED = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
SIGNED_AT = 1750000000  # Unix time
EXPONENT = 65537
SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n ** 0.5) + 1, 2))]
# Looking whether p and q are primes takes OpenSSL a hundred times longer than a signature.
default_backend()._rsa_skip_check_key = True


def prime(chance):
    """A probable prime of 1024 bits. Good enough for keys that protect nothing."""
    number = chance.getrandbits(1024) | 3 << 1022 | 1
    while (any(number % p == 0 for p in SMALL_PRIMES) or number % EXPONENT == 1
           or pow(2, number - 1, number) != 1):
        number += 2
    return number


class RsaKey:
    algorithm = "rsa-sha256"

    def __init__(self, p, q):
        d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
        public = rsa.RSAPublicNumbers(EXPONENT, p * q)
        self._numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
        der = public.public_key().public_bytes(serialization.Encoding.DER,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"

    @functools.cached_property
    def _key(self):
        return self._numbers.private_key()

    def sign(self, octets):
        return self._key.sign(octets, padding.PKCS1v15(), hashes.SHA256())


class Ed25519Key:
    algorithm = "ed25519-sha256"

    def __init__(self, chance):
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.record = f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"

    def sign(self, octets):
        return self._key.sign(hashlib.sha256(octets).digest())  # RFC 8463 Section 3


def rsa_keys(chance, count):
    """So many different keys of 2048 bits: every pair of a few primes is one. Finding primes is what takes time."""
    needed = math.isqrt(2 * count) + 2
    primes = [prime(chance) for _ in range(needed)]
    return [RsaKey(p, q) for p, q in itertools.islice(itertools.combinations(primes, 2), count)]


def body_hash(body, policy, known):
    """`known` keeps the hash per canonical form of one body."""
    form = policy.to_c_value().split(b"/")[1]
    if form not in known:
        known[form] = base64.b64encode(hashlib.sha256(policy.canonicalize_body(body)).digest()).decode()
    return known[form]


def signature_field(fields, body, signature, known):
    """The DKIM-Signature field of a message, with its line end. `fields` are (name, value) as text, values unfolded."""
    policy = CanonicalizationPolicy.from_c_value(signature.canonical.encode())
    value = (f" v=1; a={signature.key.algorithm}; c={signature.canonical}; d={signature.domain};\r\n"
             f"\ts={signature.selector}; t={SIGNED_AT}; h={':'.join(SIGNED)};\r\n"
             f"\tbh={body_hash(body, policy, known)};\r\n\tb=")
    held = dict(fields)
    covered = [(name.encode(), f" {held[name]}\r\n".encode()) for name in SIGNED if name in held]
    covered.append((b"DKIM-Signature", (value + "\r\n").encode()))
    octets = b"".join(name + b":" + text for name, text in policy.canonicalize_headers(covered))
    proof = base64.b64encode(signature.key.sign(octets.removesuffix(b"\r\n"))).decode()
    folded = "\r\n\t ".join(proof[at:at + 72] for at in range(0, len(proof), 72))
    return f"DKIM-Signature:{value}{folded}\r\n"
