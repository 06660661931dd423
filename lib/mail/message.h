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

// Splits header and body. An LF alone becomes CRLF, as an MTA reads it; in a file without any CRLF it is the line end
// of the system, and no bare one. In the header a CR alone ends a line, too, so that no field hides behind it; in a
// file without any LF it does so everywhere. An mbox "From " line at the top is skipped. A line in the header that is
// no field and no continuation ends the header and begins the body, as Postfix has it.
Message read_message(std::string_view text);

}  // namespace sesame::mail
