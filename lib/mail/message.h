// A message read from a file.
#pragma once

#include <string>
#include <string_view>

#include "mail/field.h"

namespace sesame::mail {

struct Message {
  Fields fields;
  std::string body;  // CRLF line ends
};

// Splits header and body. Bare LF and bare CR become CRLF, as an MTA would send them; an mbox "From " line at the top
// is skipped. A line in the header that is no field and no continuation ends the header and begins the body, as
// Postfix has it.
Message read_message(std::string_view text);

}  // namespace sesame::mail
