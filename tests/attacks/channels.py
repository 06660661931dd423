#!/usr/bin/python3
"""X: one client after the other on one channel of the MTA (QUIT_NC, CONNECT). libmilter passes over both after the filter
accepted, and in the middle of a message; what is known of one client must never be held for the next."""

import struct
import unittest

from attack import ATTACKER, Attack, letter
from mta import Connection, Reply, texts

TRUSTED = "192.0.2.66"
OURS = '[outbound]\nnetworks = ["192.0.2.66"]\n'
IGNORED_CLIENT = '[ignore]\nnetworks = ["192.0.2.66"]\n'
IGNORED_AUTHOR = '[ignore]\nfrom_domains = ["ours.example"]\n'
QUIT_NC, ABORT = "K", "A"


def greet(channel, ip, helo):
    channel.step("C", texts(helo) + (b"6" if ":" in ip else b"4") + struct.pack("!H", 25) + texts(ip), Reply())
    channel.step("H", texts(helo), Reply())


class Channels(Attack):
    def second(self, settings, between, ip=ATTACKER["ip"], whole=True):
        """The event about a message of the attacker's, after one of a trusted client's on the same channel."""
        with self.daemon(settings) as daemon:
            channel = Connection(str(daemon.socket))
            greet(channel, TRUSTED, "ours.example")
            if whole:
                channel.send(letter("a@ours.example").fields(), mail_from="a@ours.example")
            else:
                channel.write("D", b"M" + texts("{auth_authen}", "user"))
                channel.step("M", texts("<a@ours.example>"), Reply())
                channel.step("R", texts("<b@example.net>"), Reply())
            for command in between:
                channel.write(command)
            greet(channel, ip, ATTACKER["helo"])
            reply = channel.send(letter("a@legit.example").fields(), mail_from=ATTACKER["mail_from"],
                                 macros={"{mail_addr}": ATTACKER["mail_from"]})
            channel.close()
            self.assertEqual(reply.final, "continue")
            self.assertEqual(reply.inserted()[0].name, "Authentication-Results")
            return daemon.event()

    def check(self, event, ip=ATTACKER["ip"]):
        self.assertEqual((event["direction"], event["client"]), ("inbound", ip))
        self.assertEqual(event["dmarc"]["result"], "fail")

    def test_x05_after_a_client_that_is_ignored(self):
        for settings in (IGNORED_CLIENT, IGNORED_AUTHOR):
            for between in (QUIT_NC, ABORT + QUIT_NC, ""):
                self.check(self.second(settings, between))

    def test_x05_after_a_client_of_ours(self):
        for between in (QUIT_NC, ABORT + QUIT_NC, ""):
            self.check(self.second(OURS, between))
        self.check(self.second(OURS, ABORT + QUIT_NC, whole=False))
        self.check(self.second(OURS, QUIT_NC, whole=False))
        self.check(self.second(OURS, QUIT_NC, ip="2001:db8::1"), "2001:db8::1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
