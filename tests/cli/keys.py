"""RSA keys, made anew for each run by the openssl program."""

import base64
import subprocess


def private_key(bits):
    return subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], capture_output=True, check=True).stdout


def public_key(private):
    """As the p= of a DKIM key record."""
    done = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=private, capture_output=True,
                          check=True)
    return base64.b64encode(done.stdout).decode()
