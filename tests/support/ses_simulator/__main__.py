"""A simulated Amazon SES: see README.md."""

import argparse
import asyncio
import json
import os
import signal
import smtplib

from aiosmtpd.smtp import SMTP

from account import Account
from rewrite import emit, split_message
from rules import INVALID_SENDER, MAX_RECIPIENTS, MAX_SIZE, TOO_MANY_RECIPIENTS, refusal


class Simulator:
    def __init__(self, options):
        self.options = options
        self.account = Account.load(options.state)

    def reload(self):
        self.account = Account.load(self.options.state)

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if address in ("", "<>"):
            return INVALID_SENDER
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 Ok"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        return "250 Ok"

    async def handle_DATA(self, server, session, envelope):
        fields, body = split_message(envelope.original_content)
        reply = refusal(self.account, envelope.mail_from, envelope.rcpt_tos, fields, body)
        if reply:
            self.log(envelope, reply=reply)
            return reply
        emission = emit(self.account, fields, body, self.options.source)
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(None, self.relay, emission, envelope.rcpt_tos)
        reply = f"250 Ok {emission.message_id}"
        self.log(envelope, reply=reply, sender=emission.sender, receiver=outcome)
        return reply

    def relay(self, emission, recipients):
        """Hands the message to the receiver, which sees the client that XCLIENT names. SES reports a failure here to
        the feedback address and not in its reply, so it is logged only."""
        host, port = self.options.relay.rsplit(":", 1)
        name = f"a{self.options.source.rsplit('.', 1)[1]}.smtp-out.amazonses.com"
        try:
            with smtplib.SMTP(host, int(port), local_hostname=name, timeout=60) as client:
                client.ehlo()
                code, text = client.docmd("XCLIENT", f"ADDR={self.options.source} NAME={name} HELO={name} PROTO=ESMTP")
                if code != 220:
                    return f"{code} {text.decode(errors='replace')}"
                client.ehlo()
                client.sendmail(emission.sender, recipients, emission.message, mail_options=["BODY=8BITMIME"])
        except (OSError, smtplib.SMTPException) as error:
            return str(error)
        return "delivered"

    def log(self, envelope, **what):
        if self.options.log:
            with open(self.options.log, "a", encoding="utf-8") as file:
                entry = {"mail_from": envelope.mail_from, "recipients": envelope.rcpt_tos, **what}
                file.write(json.dumps(entry) + "\n")


async def serve(options):
    simulator = Simulator(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(simulator, hostname="email-smtp.simulated.test", data_size_limit=MAX_SIZE, loop=loop),
        "127.0.0.1",
        options.port,
    )
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_signal_handler(signal.SIGINT, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, simulator.reload)
    # Written whole or not at all: a reader never sees half a number.
    with open(options.port_file + ".new", "w", encoding="ascii") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    os.rename(options.port_file + ".new", options.port_file)
    await stopped.wait()
    server.close()


def main():
    parser = argparse.ArgumentParser(prog="ses_simulator", description=__doc__)
    parser.add_argument("--state", required=True, help="the account's state, JSON; SIGHUP reads it again")
    parser.add_argument("--relay", required=True, metavar="HOST:PORT", help="the receiver")
    parser.add_argument("--source", required=True, metavar="ADDRESS", help="the client address the receiver shall see")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--log", help="one JSON object per message")
    asyncio.run(serve(parser.parse_args()))


main()
