"""Makes the mail the benchmark sends, what the DNS says of it, and what is to be concluded: known by construction, not
by running any verifier. The same options give the same octets.

DIR/index.tsv       one message a line; tab separated, the columns in the first line
DIR/messages/*.eml  with CRLF
DIR/zone.txt        the form of tests/support/zone.h
DIR/dead.txt        domains that never answer, with all below them, once the DNS server is told to be silent
"""

import argparse
import base64
import hashlib
import json
import math
import multiprocessing
import pathlib
import random
import shutil

import senders
import signing

COLUMNS = ("file", "client_ip", "client_name", "helo", "mail_from", "rcpt", "size", "group", "spf", "dkim", "dmarc")
# Of 100 messages. Where `--plain` is given, all are "good".
KINDS = (("good", 80), ("unsigned", 4), ("body changed", 3), ("header changed", 2), ("other key", 2), ("no key", 2),
         ("not aligned", 3), ("spoofed", 3), ("null sender", 1))
SMALLEST, MEDIAN, LARGEST = 2 << 10, 29 << 10, 4 << 20  # octets
SPREAD = 1.42  # of the logarithm of the size
FURTHER = ("Reply-To", "References", "In-Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help",
           "Precedence", "Feedback-ID", "X-Mailer", "X-Campaign", "X-Report-Abuse", "X-Entity-Ref-ID",
           "X-Originating-IP", "X-Priority", "Auto-Submitted", "Organization", "X-MSFBL")
WORDS = ("the order account report meeting please find attached new price today thank you regards team project invoice "
         "number delivery update week customer service contact information offer details we have your with for and of "
         "to in on at is are will can not this that from by as it be or all if more about our which would").split()


class Material:
    """Text and attachments to cut bodies from, made once."""

    def __init__(self, chance):
        lines = []
        while len(lines) < 20000:
            line = " ".join(chance.choices(WORDS, k=chance.randint(3, 13)))
            forms = ((line, 75), ("", 15), (line.replace(" ", "  ", 2), 7), (line + "  ", 3))
            lines.append(senders.choose(chance, forms))
        self.text = "\r\n".join(lines).encode() + b"\r\n"
        self.markup = "".join(f'<tr><td class="cell" style="padding: 4px 8px; color: #334455">'
                              f'<a href="https://www.example/{number}">{line}</a></td></tr>\r\n'
                              for number, line in enumerate(lines)).encode()
        coded = base64.b64encode(chance.randbytes(3 << 20))
        self.attachment = b"".join(coded[at:at + 76] + b"\r\n" for at in range(0, len(coded), 76))

    @staticmethod
    def cut(source, chance, length):
        """Whole lines of about this length."""
        pieces = []
        while length > 0:
            start = source.index(b"\n", chance.randrange(len(source) // 2)) + 1
            end = source.find(b"\n", min(start + length, len(source) - 1)) + 1 or len(source)
            pieces.append(source[start:end])
            length -= end - start
        return b"".join(pieces)

    def body(self, chance, length, boundary):
        """A short text, a longer one in HTML, and an attachment for the rest."""
        edge = f"--{boundary}\r\n".encode()
        text = self.cut(self.text, chance, min(length // 4, chance.randrange(600, 6000)))
        markup = self.cut(self.markup, chance, min(length // 2, chance.randrange(3000, 80000)))
        parts = [edge, b"Content-Type: text/plain; charset=utf-8\r\n\r\n", text,
                 edge, b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><table>\r\n", markup,
                 b"</table></body></html>\r\n"]
        rest = length - sum(map(len, parts))
        if rest > 300:
            parts += [edge, b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                      self.cut(self.attachment, chance, rest - 150)]
        return b"".join(parts) + f"--{boundary}--\r\n".encode()


def size_of(chance, fixed):
    if fixed:
        return fixed
    return int(min(LARGEST, max(SMALLEST, MEDIAN * math.exp(chance.gauss(0, SPREAD)))))


class Mail:
    """One message: who sends it in which way, and what follows from that."""

    def __init__(self, chance, world, sender, kind):
        self.chance, self.world, self.sender, self.kind = chance, world, sender, kind
        name, relay = sender.name, sender.relay
        self.ip, self.helo = ((sender.address, f"mail.{name}") if sender.own_host else relay.host(chance.randrange(30)))
        self.author = f"news.{name}" if sender.news else name
        self.envelope = f"bounce.{name}" if sender.bounce else name
        self.spf = "pass"
        self.signatures = sender.signatures()
        if world.mixed and len(self.signatures) == 1 and sender.form == "include" and chance.random() < 0.3:
            self.signatures.append(senders.Signature(relay.key, relay.name, "r1", "relaxed/simple"))
        getattr(self, "make_" + kind.replace(" ", "_"), lambda: None)()
        self.mail_from = f"user{chance.randrange(1000)}@{self.envelope}" if self.envelope else ""

    def make_unsigned(self):
        self.signatures = []

    def make_body_changed(self):
        for signature in self.signatures:
            signature.outcome = "fail"

    make_header_changed = make_body_changed

    def make_other_key(self):
        if self.signatures[0].key.algorithm == "rsa-sha256":
            self.signatures[0].selector, self.signatures[0].outcome = "old", "fail"

    def make_no_key(self):
        self.signatures[0].selector, self.signatures[0].outcome = f"gone{self.chance.randrange(9)}", "permerror"

    def make_not_aligned(self):
        relay = self.sender.relay
        self.ip, self.helo = relay.host(self.chance.randrange(30))
        self.envelope = f"bounces.{relay.name}"
        self.signatures = [senders.Signature(relay.key, relay.name, "r1", "relaxed/relaxed")]

    def make_spoofed(self):
        self.ip, self.helo = f"203.0.113.{self.chance.randrange(1, 255)}", "host.spoofer.example"
        self.envelope, self.signatures = self.sender.name, []
        self.spf = senders.OUTCOME[self.sender.otherwise]

    def make_null_sender(self):
        self.envelope = ""

    def dmarc(self):
        if not self.sender.policy:
            return "none"
        name, strict = self.sender.name, self.sender.strict

        def aligned(domain):
            return domain == self.author if strict else domain == name or domain.endswith("." + name)

        authenticated = [each.domain for each in self.signatures if each.outcome == "pass"]
        if self.spf == "pass":
            authenticated.append(self.envelope or self.helo)
        return "pass" if any(map(aligned, authenticated)) else "fail"

    def octets(self, material, size):
        chance, boundary = self.chance, f"b{self.chance.getrandbits(64):016x}"
        fields = [("From", f"Sender <sender@{self.author}>"), ("To", "Recipient <user@recipient.example>"),
                  ("Subject", " ".join(chance.choices(WORDS, k=6))), ("Date", "Sun, 15 Jun 2025 15:06:40 +0000"),
                  ("Message-ID", f"<{chance.getrandbits(96):024x}@{self.author}>"), ("MIME-Version", "1.0"),
                  ("Content-Type", f'multipart/mixed; boundary="{boundary}"')]
        fields += [(name, f"<https://{self.author}/{chance.getrandbits(64):x}>")
                   for name in chance.sample(FURTHER, chance.randint(6, len(FURTHER)))]
        trace = "".join(f"Received: from host{n}.{self.sender.name} ([198.51.100.{n + 1}])\r\n"
                        f"\tby {self.helo} with ESMTPS id {chance.getrandbits(48):012X};\r\n"
                        f"\tSun, 15 Jun 2025 15:06:4{n} +0000\r\n"
                        for n in range(chance.randint(1, 4)))
        body = material.body(chance, max(400, size - 1200 - 700 * len(self.signatures)), boundary)
        known = {}
        proofs = "".join(signing.signature_field(fields, body, each, known) for each in self.signatures)
        if self.kind == "header changed":
            fields[2] = ("Subject", fields[2][1] + " (changed)")
        if self.kind == "body changed":
            body = body.replace(b"--\r\n", b"--\r\nchanged\r\n", 1)
        header = trace + proofs + "".join(f"{name}: {value}\r\n" for name, value in fields)
        return header.encode() + b"\r\n" + body

    def row(self, file, size):
        dkim = ",".join(each.outcome for each in self.signatures) or "none"
        group = "dead" if self.sender.dead else "live"
        name = "unknown" if self.kind == "spoofed" else self.helo
        return (file, self.ip, name, self.helo, self.mail_from, "user@recipient.example", str(size), group, self.spf,
                dkim, self.dmarc())


class Writer:
    """Writes messages by number, so that several processes can share the work."""

    def __init__(self, options):
        chance = random.Random(options.seed)
        self.options, self.material = options, Material(chance)
        self.world = senders.World(chance, options.domains, options.signatures, options.dead)
        # Every domain sends; beyond that, a few send most.
        order = list(range(options.domains))
        weights = [1 / (rank + 3) ** 0.7 for rank in order]
        rest = max(0, options.messages - options.domains)
        self.order = (order + chance.choices(order, weights, k=rest))[:options.messages]
        chance.shuffle(self.order)

    def write(self, number):
        chance = random.Random(f"{self.options.seed}/{number}")
        kind = "good" if self.options.plain else senders.choose(chance, KINDS)
        mail = Mail(chance, self.world, self.world.senders[self.order[number]], kind)
        file = f"{number:06}.eml"
        octets = mail.octets(self.material, size_of(chance, self.options.size))
        (self.options.out / "messages" / file).write_bytes(octets)
        return mail.row(file, len(octets))



def recipe(options):
    """What a corpus depends on: the options and these programs."""
    names = ("corpus.py", "senders.py", "signing.py")
    programs = [pathlib.Path(__file__).with_name(name).read_text() for name in names]
    return json.dumps({**vars(options), "out": "", "programs": hashlib.sha256("".join(programs).encode()).hexdigest()})


def make(options):
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "messages").mkdir(parents=True)
    global writer  # what the forked workers inherit
    writer = Writer(options)
    with multiprocessing.get_context("fork").Pool() as pool:
        rows = pool.map(write_number, range(options.messages), chunksize=16)
    table = "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows])
    (options.out / "index.tsv").write_text(table)
    (options.out / "zone.txt").write_text("\n".join(writer.world.zone.lines) + "\n")
    (options.out / "dead.txt").write_text("".join(each.name + "\n" for each in writer.world.senders if each.dead))
    return rows


def write_number(number):
    return writer.write(number)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--domains", type=int, default=200)
    parser.add_argument("--size", type=int, help="octets of every message (default: as mail is)")
    parser.add_argument("--signatures", type=int, help="of every message, all valid (default: mostly one or two)")
    parser.add_argument("--dead", type=float, default=0.2, help="share of the domains in dead.txt")
    parser.add_argument("--plain", action="store_true", help="no failures")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    stamp = options.out / "recipe"
    if stamp.exists() and stamp.read_text() == recipe(options):
        return
    rows = make(options)
    sizes = sorted(int(row[COLUMNS.index("size")]) for row in rows)
    signatures = sum(row[COLUMNS.index("dkim")].count(",") + (row[COLUMNS.index("dkim")] != "none") for row in rows)
    print(f"{options.out}: {len(rows)} messages of {sum(sizes) / len(sizes) / 1024:.0f} KiB on average (median "
          f"{sizes[len(sizes) // 2] / 1024:.0f}), {signatures} signatures, {options.domains} domains", flush=True)
    stamp.write_text(recipe(options))


if __name__ == "__main__":
    main()
