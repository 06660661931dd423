"""Mail::SPF as a peer, and what it would say without its departures from RFC 7208; see spf_pyspf.py."""

import harness

REPAIRS = {
    "sender form": "judges senders of any form, or splits at the first '@'; RFC 7208 Sections 2.4 and 4.3, RFC 5321 "
                   "Section 4.1.2",
    "presentation": "has Net::DNS read marks in a name, as a backslash; RFC 7208 Section 4.8: its octets are meant",
    "address name": "has Net::DNS ask for the PTR of a name that looks like an address; RFC 7208 Section 4.8",
    "impossible name": "cuts labels to 63 octets, cannot ask for empty ones; RFC 7208 Sections 4.3 and 4.8",
    "single label": "looks for a policy at a single label; RFC 7208 Section 4.3",
    "alias void": "does not count a look-up that finds a CNAME alone; RFC 7208 Section 4.6.4",
    "mx limit": "uses the first ten of more exchanges; RFC 7208 Section 4.6.4: permerror",
    "mx order": "asks for exchanges in the order of the answer; RFC 5321 Section 5.1: by preference",
    "null mx": "counts or asks for the null MX as an exchange; RFC 7505 Section 3",
    "ip6 family": "matches IPv4 clients with ip6 networks that hold ::ffff:0:0/96; RFC 7208 Section 5",
    "ptr error": "makes a DNS error of the PTR look-up a temperror; RFC 7208 Section 5.5",
    "late target": "expands the target of ptr, and has its %{p} count, only when there is a name to compare; RFC 7208 "
                   "Sections 4.8 and 5.5",
    "ptr void": "counts names of the client that have no address as void look-ups: whoever owns the client chose them, "
                "not the record; RFC 7208 Section 4.6.4",
    "p term": "does not count %{p} among the ten terms; RFC 7208 Section 4.6.4",
    "idle redirect": "counts a redirect that is not followed; RFC 7208 Sections 4.6.4 and 6.1",
    "exp counts": "lets what an explanation asks count; RFC 7208 Section 4.6.4",
    "octets": "takes some octets that are not ASCII for letters, and a line end for the end; RFC 7208 Section 7.1",
    "capital r": "knows the transformer \"r\" in lower case only; RFC 7208 Section 7.1, RFC 5234 Section 2.3",
    "macro letters": "notices unknown letters and \"0\" only when a macro is expanded; RFC 7208 Section 4.6",
    "url escape": "does not escape for upper-case letters in a record; RFC 7208 Section 7.3",
    "colon": "takes a colon without a name, and a name behind \"/\" without a colon; RFC 7208 Sections 5.3 and 12",
    "split": "ignores delimiters without digits or \"r\", and empty parts at the end; RFC 7208 Section 7.3",
    "explanation text": "takes what is not an explain-string; RFC 7208 Sections 6.2 and 7.1",
}


class MailSpf:
    def __init__(self, port, receiver):
        self.receiver = receiver
        self.perl = harness.Perl("spf_peer.pl", port)

    def close(self):
        self.perl.close()

    def judge(self, world, sender, repairs=frozenset()):
        """As spf_pyspf.Pyspf.judge."""
        address = world.mail_from or "postmaster@" + world.helo
        if "sender form" in repairs:
            if sender is None:
                return "none", ""
            address = "@".join(sender)
        answer = self.perl.ask({"ip": world.ip, "helo": world.helo, "sender": address, "receiver": self.receiver,
                                "repairs": sorted(repairs)})
        return answer["result"], answer["explanation"]
