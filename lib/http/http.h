// HTTP requests, signed for AWS where that is asked for. http.cc is the only file that includes libcurl.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/result.h"

namespace sesame::http {

// What a request is signed with: AWS Signature Version 4, service "ses".
struct Signature {
  std::string key_id;
  std::string secret;
  std::string session_token;  // "" = none
  std::string region;
};

struct Request {
  enum class Method { get, put, post } method = Method::get;
  std::string base;     // "https://email.us-east-1.amazonaws.com": no slash at the end
  std::string path{};   // percent-encoded, as it goes over the wire
  std::string query{};  // parameters in the order of their names, percent-encoded; "" = none
  std::vector<std::string> headers{};
  std::string body{};                    // of a post
  const Signature* signature = nullptr;  // null: not signed
  enum class Proxy { as_usual, none } proxy = Proxy::as_usual;
  std::chrono::milliseconds timeout{};  // for all of it; connecting may take a third
  std::size_t max_answer = 0;           // bytes of the body
};

struct Answer {
  int status = 0;  // 0: there was no answer, and `trouble` says why
  std::string body{};
  std::string error_type{};                    // X-Amzn-ErrorType, as it came
  std::optional<std::uint64_t> retry_after{};  // seconds, where the header tells them
  std::string trouble{};
  // May the same request be answered the next time?
  enum class Again { useful, useless } again = Again::useful;
};

class Client {
 public:
  virtual ~Client() = default;
  virtual Answer send(const Request& request) = 0;
};

// Redirections are not followed, certificates are verified: against the file that AWS_CA_BUNDLE names, if it is set. A
// request under way ends soon after `stop` becomes true.
Result<std::unique_ptr<Client>> make_client(const std::atomic<bool>& stop);

// The parts of an absolute URL as they are asked for, read by who sends the request. Nothing for what is no URL, or one
// with a user in it.
struct Url {
  std::string scheme;  // lower case
  std::string host;    // lower case; an IPv6 address in brackets
  std::string base;    // as in Request: scheme, host and port
  std::string path;    // with the query
};
std::optional<Url> parse_url(const std::string& text);

// RFC 3986 Section 2: all but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

}  // namespace sesame::http
