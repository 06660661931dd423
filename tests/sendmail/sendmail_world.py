"""The world of tests/e2e with Sendmail as the MTA that relays to SES."""

import rows
import sendmail
from world import World, free_port


class SendmailWorld(World):
    def _start_sender(self, milter_port):
        # Postfix chooses the relay by the sender, Sendmail by the recipient.
        relays = {row.name: host for row in rows.ROWS for sender, host in rows.FAR_RELAYS.items()
                  if row.author.endswith(sender)}
        instance = sendmail.Sendmail(self.directory / "sender", free_port(), rows.SENDER_ID, self._binary("sendmail-hostname.so"),
                                     milter_port, self.ses_port, relays, lambda: self.events(self.outbound_log))
        return self._begin("sender", instance)
