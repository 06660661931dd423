// A message read from a file.
#pragma once

#include <string>
#include <string_view>

#include "mail/field.h"
#include "mail/line_ends.h"

namespace sesame::mail {

struct Message {
  Fields fields;
  std::string body;        // CRLF line ends; a bare CR stays what it is
  BareLineEnds bare_ends;  // in the body of the file
};

// Splits header and body. An LF alone ends a line as CRLF does, as an MTA reads it; in a file without any CRLF it is
// the line end of the system, and no bare one. A CR alone ends a line only in a file without any LF; elsewhere it
// stays, in a field (see for_each_hidden_field) as in the body. An mbox "From " line at the top is skipped. A line in
// the header that is no field and no continuation ends the header and begins the body, as Postfix has it.
Message read_message(std::string_view text);

}  // namespace sesame::mail
