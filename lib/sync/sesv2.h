// The three calls of the SESv2 API that a snapshot needs, at a pace that leaves room for others.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "http/http.h"
#include "sync/credentials.h"
#include "sync/json.h"
#include "util/clock.h"
#include "util/result.h"

namespace sesame::sync {

struct Pace {
  std::chrono::milliseconds interval{1000};  // between the beginnings of two requests
  std::chrono::milliseconds timeout{30000};  // of one request
};

class SesV2 {
 public:
  struct Page {
    std::vector<std::string> names{};
    std::size_t nameless = 0;  // entries without a name
    std::string next;          // "" = this was the last one
  };

  // `endpoint` stands in for https://email.REGION.amazonaws.com; "" = that.
  SesV2(http::Client& client, CredentialChain& credentials, std::string endpoint, Pace pace,
        const std::atomic<bool>& stop);

  // A failure has been tried again as often as it makes sense; the error says what SES answered.
  Result<Page> list_identities(const std::string& region, const std::string& next);
  // Nothing when the identity does not exist any more.
  Result<std::optional<Json>> get_identity(const std::string& region, const std::string& name);
  Result<Json> get_account(const std::string& region);

  std::size_t requests() const { return requests_; }
  // Stands for who answered the last request: another one for another endpoint, or keys that may be of another account.
  std::string origin() const;

 private:
  struct Call;
  Result<std::optional<Json>> perform(const Call& call);
  http::Answer send(const Call& call, const Credentials& credentials);
  bool wait_until(std::chrono::steady_clock::time_point when) const;

  http::Client& client_;
  CredentialChain& credentials_;
  std::string endpoint_;
  Pace pace_;
  const std::atomic<bool>& stop_;
  std::chrono::steady_clock::time_point next_{};  // when the next request may begin
  std::size_t requests_ = 0;
  std::string owner_{};  // of the last request's credentials
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sesame::sync
