// What the MTA sends, read ahead.
//
// libmilter asks poll(2) three times and read(2) twice for each packet, a header field or less, and an MTA that waits
// for no reply sends all packets of a message in one go. So poll, read and close are defined here, where the dynamic
// linker finds them before the C library's: for the connections begun below, read() takes everything that has come and
// hands out the next calls' shares from memory; for everything else they are the system calls.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sesame::milter {

// A connection that libmilter accepted: from here to its close() it is read ahead. It must be read with read() alone,
// and by one thread at a time. Without memory, or where the number of the descriptor is very large, it is read as ever.
void read_ahead(int connection) noexcept;

// The data of the CONNECT that came last on the connection this thread has read from last, once.
std::optional<std::string> connect_seen();

// From now on poll(2) of one such connection for input waits at least so long on this thread.
void wait_for_input(std::chrono::milliseconds at_least) noexcept;

}  // namespace sesame::milter
