// What of the milter protocol is agreed upon with an MTA, as SMFIP_* of libmilter.
#pragma once

#include "config/config.h"
#include "milter/session.h"

namespace sesame::milter {

// Of the steps and manners an MTA offers, those to ask for.
unsigned long steps_to_ask_for(unsigned long offered, const config::Config& config);

// What a session has to know of them.
Peer peer_of(unsigned long steps);

}  // namespace sesame::milter
