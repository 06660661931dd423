"""The keys of a run, made once and shared by all of its worlds."""

import base64
import subprocess
from typing import NamedTuple

# RFC 8032 Section 7.1, test 1.
ED25519_SEED = base64.b64encode(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")).decode()
ED25519_PUBLIC = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


class Key(NamedTuple):
    private: str  # PEM
    public: str   # p=


def new_key(bits):
    pem = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], check=True, capture_output=True, text=True)
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], check=True, capture_output=True,
                         input=pem.stdout.encode()).stdout
    return Key(pem.stdout, "p=" + base64.b64encode(der).decode())


class Keys:
    def __init__(self):
        self.amazon, self.upstream, self.owner, self.next, *self.identities = [new_key(1024) for _ in range(7)]
        self.long, self.short = new_key(2048), new_key(512)
