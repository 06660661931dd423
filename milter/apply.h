// From a decision to the edits and the reply the MTA is asked for.
#pragma once

#include <cstddef>
#include <string>

#include "policy/decide.h"
#include "util/result.h"

namespace sesame::milter {

// What to tell the MTA at the end of a step. `accept` ends the filtering of this message.
enum class Next { proceed, accept, reject, tempfail };

// What may be asked of the MTA at the end of a message; each call says whether it was taken. Values are as milters give
// them: folds are LF and white space, and the space after the colon is the implementation's affair.
class MtaEdits {
 public:
  virtual ~MtaEdits() = default;
  virtual bool remove(const std::string& name, std::size_t occurrence) = 0;
  virtual bool insert_at_top(const std::string& name, const std::string& value) = 0;
  virtual bool quarantine(const std::string& reason) = 0;
  // `text` is read as a format by the receiving end.
  virtual bool reply(const std::string& code, const std::string& enhanced_code, const std::string& text) = 0;
};

// The reply's text as smfi_setreply(3) takes it: one printable line within RFC 5321 Section 4.5.3.1.5, '%' doubled.
std::string reply_text(std::string_view reason);

// Does what was decided. Everything is looked at before the first edit is sent, as what was sent cannot be taken back;
// the error names the edit that was not possible, and then the message is to go on as it is.
Result<Next> apply(const policy::Decision& decision, MtaEdits& mta);

}  // namespace sesame::milter
