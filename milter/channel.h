// What libmilter keeps for a channel to an MTA: the connection on it, and what was negotiated.
#pragma once

#include <libmilter/mfapi.h>

#include <chrono>

#include "milter/session.h"

namespace sesame::milter {

// An MTA keeps its connection while its client is idle; Postfix allows a client 300 s, Sendmail up to an hour.
inline constexpr std::chrono::seconds kIdle{3900};

// At the negotiation: the SMFIP_* that were agreed upon. They hold for every connection on the channel.
void begin_channel(SMFICTX* context, unsigned long steps);
unsigned long steps_of(SMFICTX* context);

// The session of the connection, begun when there is none; null when libmilter does not take it.
Session* session_of(SMFICTX* context, Service& service);
// Null when there is none.
Session* session_of(SMFICTX* context);
// The end of the connection. Another one may begin on the channel, as Sendmail does, without negotiating anew.
void end_connection(SMFICTX* context);
// Nothing is kept any more; libmilter complains of what it finds at the end. A connection may be left where nothing
// came for too long.
void end_channel(SMFICTX* context);

}  // namespace sesame::milter
