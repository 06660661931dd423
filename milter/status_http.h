// HTTP: from the head of a request to the octets of the answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "milter/api.h"
#include "milter/status_request.h"
#include "milter/status_server.h"
#include "util/guarded.h"

namespace sesame::milter {

// What stands behind the page. Thread-safe.
struct StatusPages {
  std::function<bool()> is_draining;
  std::function<std::string()> metrics;
  std::function<Reply(std::string_view path, const std::map<std::string, std::string>& query)> others;
};

class StatusHttp {
 public:
  explicit StatusHttp(StatusPages pages) : pages_(std::move(pages)) {}

  void set_access(Access access);
  // Any thread; never throws.
  StatusServer::Answer answer(std::string_view head) const noexcept;

 private:
  Reply reply(const RequestHead& head, std::string_view method, std::string_view path,
              const std::map<std::string, std::string>& query) const;

  const StatusPages pages_;
  mutable Guarded<Access> access_;

  friend class Exchange;
};

}  // namespace sesame::milter
