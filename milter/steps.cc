#include "milter/steps.h"

#include <libmilter/mfapi.h>

namespace sesame::milter {

// An answer costs the MTA a wait and both sides system calls, so that none is given where it can say nothing but "go
// on". Steps that may end the filtering of a message early keep theirs where the configuration lets them: an ignored
// client at MAIL, an ignored author at the end of the header. libmilter offers to leave out all answers and gives those
// an older MTA waits for itself.
// Without answers to its pieces no body can be skipped. Mail of usual size (80 KB) that is skipped after the first
// piece costs as much as if all of it came unanswered, and most mail is signed and has to be read to its end.
unsigned long steps_to_ask_for(unsigned long offered, const config::Config& config) {
  unsigned long wanted = SMFIP_HDR_LEADSPC | SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NR_CONN | SMFIP_NR_HELO |
                         SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_BODY;
  if (config.directions.ignore_networks.empty()) wanted |= SMFIP_NR_MAIL;
  if (config.directions.ignore_from_domains.empty()) wanted |= SMFIP_NR_EOH;
  return wanted & offered;
}

Peer peer_of(unsigned long steps) {
  Peer peer;
  if ((steps & SMFIP_HDR_LEADSPC) == 0) peer.leading_space = Peer::LeadingSpace::stripped;
  return peer;
}

}  // namespace sesame::milter
