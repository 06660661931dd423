// The servers behind the cache: one question, one answer, no memory.
#pragma once

#include <functional>
#include <string>

#include "dns/record.h"

namespace sesame::dns {

class Upstream {
 public:
  virtual ~Upstream() = default;
  // Asks for exactly this type at exactly this canonical name. `done` is called once, on any thread, also when the
  // upstream is being destroyed (then with Status::timeout). CNAMEs in the answer are followed only as far as the same
  // packet answers them: an answer may end in `nodata` with a non-empty `cnames`, and the caller goes on from its last.
  virtual void ask(const std::string& name, Type type, std::function<void(Answer)> done) = 0;
};

}  // namespace sesame::dns
