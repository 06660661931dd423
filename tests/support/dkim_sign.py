#!/usr/bin/python3
"""Signs messages with dkimpy, for tests: a JSON list of jobs on stdin, a JSON list of messages on stdout.

A job: {"message": text with LF line ends, "signatures": [SIGNATURE, ...]}, applied in order. A SIGNATURE:
  method     "dkim" (default) or "arc"
  domain, selector
  key        PEM, or base64 of an Ed25519 seed
  algorithm  "rsa-sha256" (default), "ed25519-sha256", "rsa-sha1"
  c          "relaxed/relaxed" (default for dkim)
  headers    field names to sign, default dkimpy's choice
  length     true: write l=
  identity   i=
  srv_id     arc: the authserv-id whose Authentication-Results go into the set
  results    arc: such a field is added first, for example "arc=pass", without which no chain is gone on with
The messages have CRLF line ends. Exit status 77: dkimpy is not installed.
"""
import json
import sys

try:
    import dkim
except ImportError:
    sys.exit(77)


def sign(message, job):
    key = job["key"].encode()
    domain, selector = job["domain"].encode(), job["selector"].encode()
    headers = [name.encode() for name in job["headers"]] if "headers" in job else None
    if job.get("method") == "arc":
        if "results" in job:
            message = f"Authentication-Results: {job['srv_id']}; {job['results']}\r\n".encode() + message
        fields = dkim.arc_sign(message, selector, domain, key, job["srv_id"].encode(), include_headers=headers,
                               linesep=b"\r\n")
        if not fields:
            sys.exit("arc_sign refused")
        return b"".join(fields) + message
    field = dkim.sign(message, selector, domain, key, include_headers=headers, linesep=b"\r\n",
                      canonicalize=tuple(job.get("c", "relaxed/relaxed").encode().split(b"/")),
                      signature_algorithm=job.get("algorithm", "rsa-sha256").encode(),
                      identity=job["identity"].encode() if "identity" in job else None,
                      length=job.get("length", False))
    return field + message


def main():
    messages = []
    for job in json.load(sys.stdin):
        message = job["message"].replace("\n", "\r\n").encode("utf-8", "surrogateescape")
        for signature in job["signatures"]:
            message = sign(message, signature)
        messages.append(message.decode("utf-8", "surrogateescape"))
    json.dump(messages, sys.stdout)


main()
