#include "sync/sesv2.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>

#include "http/sigv4.h"
#include "util/text.h"

namespace sesame::sync {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMaxTries = 6;
constexpr milliseconds kMaxBackoff{30000};
constexpr int kMaxRetryAfter = 10;  // times the timeout of one request
constexpr milliseconds kNap{50};    // how soon an interruption is noticed
constexpr std::size_t kMaxAnswer = 4u << 20;
constexpr const char* kInterrupted = "interrupted";

// What an answer means for what is done next.
enum class Verdict { good, gone, later, expired, bad };

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string without_secrets(std::string text, const Credentials& credentials) {
  constexpr std::string_view kInstead = "...";
  for (const auto& secret : {credentials.secret, credentials.session_token})
    for (auto at = secret.empty() ? text.npos : text.find(secret); at != text.npos;
         at = text.find(secret, at + kInstead.size()))
      text.replace(at, secret.size(), kInstead);
  return text;
}

// The error's name, from the header or from the body: "com.amazonaws.sesv2#NotFoundException:http://..." without the
// name space before it and the address behind it. Printable, and without secrets, which are whole before it is cut.
std::string error_type_of(const http::Answer& answer, const Credentials& credentials) {
  auto told = answer.error_type;
  const auto json = told.empty() ? parse_answer(answer.body) : Json();
  if (told.empty() && json) told = text_of(*json, "__type");
  if (told.empty() && json) told = text_of(*json, "code");
  told = without_secrets(std::move(told), credentials);
  const auto type = std::string_view(told).substr(0, told.find(':'));
  return printable(type.substr(type.find('#') + 1));
}

// Its first line: what follows when a signature is wrong is what was to be signed, session token and all.
std::string message_of(const http::Answer& answer, const Credentials& credentials) {
  const auto json = parse_answer(answer.body);
  if (!json) return "";
  auto text = text_of(*json, "message");
  if (text.empty()) text = text_of(*json, "Message");
  text = text.substr(0, text.find('\n'));
  return printable(without_secrets(std::move(text), credentials), 400);
}

Verdict judge(const http::Answer& answer, std::string_view type) {
  if (answer.status == 0) return answer.again == http::Answer::Again::useful ? Verdict::later : Verdict::bad;
  if (answer.status == 200) return Verdict::good;
  if (is_one_of(type, {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}))
    return Verdict::later;
  if (answer.status == 429 || answer.status >= 500) return Verdict::later;
  if (is_one_of(type, {"ExpiredTokenException", "ExpiredToken"})) return Verdict::expired;
  // A 404 of something between here and SES has no such name.
  if (answer.status == 404 && type == "NotFoundException") return Verdict::gone;
  return Verdict::bad;
}

// Nobody has us wait for longer than for some slow answers.
milliseconds asked_to_wait(const http::Answer& answer, const Pace& pace) {
  const auto longest = kMaxRetryAfter * pace.timeout;
  const auto most = static_cast<std::uint64_t>(longest.count());
  return std::min(longest, milliseconds(std::min(answer.retry_after.value_or(0), most) * 1000));
}

std::string host_suffix(const std::string& region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

}  // namespace

struct SesV2::Call {
  std::string region;
  const char* action;
  std::string path;
  std::string query;

  std::string describe(const http::Answer& answer, std::string_view type, const Credentials& credentials) const {
    if (answer.status == 0) return fmt::format("{} in {}: {}", action, region, answer.trouble);
    const auto message = message_of(answer, credentials);
    auto text = fmt::format("{} in {}: SES answered {}{}{}{}{}", action, region, answer.status, type.empty() ? "" : " ",
                            type, message.empty() ? "" : ": ", message);
    if (is_one_of(type, {"AccessDeniedException", "AccessDenied"}))
      text +=
          fmt::format("\nthe policy of these credentials must allow ses:{}; sesame(1) shows the one needed", action);
    else if (is_one_of(type, {"UnrecognizedClientException", "InvalidClientTokenId"}))
      text += "\nAWS does not know these keys: they were deleted, or belong to another partition";
    else if (is_one_of(type, {"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"}))
      text += "\nthe secret key is not that of the key id, or the clock of this host is wrong";
    return text;
  }
};

SesV2::SesV2(http::Client& client, CredentialChain& credentials, std::string endpoint, Pace pace,
             const std::atomic<bool>& stop)
    : client_(client), credentials_(credentials), endpoint_(std::move(endpoint)), pace_(pace), stop_(stop) {
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
}

Result<SesV2::Page> SesV2::list_identities(const std::string& region, const std::string& next) {
  auto query = next.empty() ? "" : fmt::format("NextToken={}&", http::percent_encode(next));
  const auto answer = perform({region, "ListEmailIdentities", "/v2/email/identities", query + "PageSize=1000"});
  if (!answer) return tl::unexpected(answer.error());
  const auto wrong = [&region](const char* what) {
    return failure(fmt::format("ListEmailIdentities in {}: the answer {}", region, what));
  };
  if (!*answer) return wrong("says that there is no list");
  // Without the list nothing is known of what exists, which is not that nothing exists.
  const auto list = (*answer)->find("EmailIdentities");
  if (list == (*answer)->end() || !list->is_array()) return wrong("has no EmailIdentities");
  const auto token = (*answer)->find("NextToken");
  if (token != (*answer)->end() && !token->is_null() && !token->is_string()) return wrong("has no text as NextToken");
  Page page{.next = text_of(**answer, "NextToken")};
  for (const auto& entry : *list) {
    auto name = entry.is_object() ? text_of(entry, "IdentityName") : "";
    if (name.empty())
      ++page.nameless;
    else
      page.names.push_back(std::move(name));
  }
  return page;
}

Result<std::optional<Json>> SesV2::get_identity(const std::string& region, const std::string& name) {
  auto answer = perform({region, "GetEmailIdentity", "/v2/email/identities/" + http::percent_encode(name), ""});
  if (!answer) return failure(fmt::format("{}: {}", printable(name), answer.error().message));
  return answer;
}

Result<Json> SesV2::get_account(const std::string& region) {
  auto answer = perform({region, "GetAccount", "/v2/email/account", ""});
  if (!answer) return tl::unexpected(answer.error());
  if (!*answer) return failure(fmt::format("GetAccount in {}: SES answered 404 NotFoundException", region));
  return std::move(**answer);
}

// An answer of nothing stands for NotFoundException.
Result<std::optional<Json>> SesV2::perform(const Call& call) {
  int renewed = 0;
  for (int tries = 1;; ++tries) {
    if (!wait_until(next_)) return failure(kInterrupted);
    const auto credentials = credentials_.get();
    if (stop_) return failure(kInterrupted);
    if (!credentials) return tl::unexpected(credentials.error());
    next_ = steady_clock::now() + pace_.interval;
    const auto answer = send(call, *credentials);
    if (stop_) return failure(kInterrupted);
    const auto type = answer.status == 200 ? "" : error_type_of(answer, *credentials);
    auto verdict = judge(answer, type);
    auto trouble = call.describe(answer, type, *credentials);
    if (verdict == Verdict::good) {
      auto json = parse_answer(answer.body);
      if (json) return std::optional(std::move(*json));
      trouble = fmt::format("{} in {}: the answer {}", call.action, call.region, json.error().message);
      verdict = Verdict::later;
    }
    if (verdict == Verdict::gone) return std::nullopt;
    if (verdict == Verdict::expired && renewed++ == 0) {
      credentials_.renew();
      continue;
    }
    if (verdict == Verdict::expired)
      return failure(fmt::format("{}\n{} gave them: renew them", trouble, credentials->source));
    if (verdict == Verdict::bad) return failure(trouble);
    if (tries == kMaxTries) return failure(fmt::format("{}; so ended {} tries", trouble, tries));
    const auto longest = std::min(pace_.interval * (1 << tries), kMaxBackoff);
    next_ += std::uniform_int_distribution<milliseconds::rep>(0, longest.count())(random_) * milliseconds(1);
    next_ = std::max(next_, steady_clock::now() + asked_to_wait(answer, pace_));
  }
}

http::Answer SesV2::send(const Call& call, const Credentials& credentials) {
  const http::Signature signature{credentials.key_id, credentials.secret, credentials.session_token, call.region};
  const http::Request request{
      .base = endpoint_.empty() ? fmt::format("https://email.{}.{}", call.region, host_suffix(call.region)) : endpoint_,
      .path = call.path,
      .query = call.query,
      .signature = &signature,
      .timeout = pace_.timeout,
      .max_answer = kMaxAnswer};
  ++requests_;
  owner_ = credentials.owner;
  return client_.send(request);
}

std::string SesV2::origin() const {
  return http::hashed(endpoint_ + '\n' + owner_);
}

// False: interrupted.
bool SesV2::wait_until(steady_clock::time_point when) const {
  while (!stop_ && steady_clock::now() < when)
    std::this_thread::sleep_for(std::min<steady_clock::duration>(kNap, when - steady_clock::now()));
  return !stop_;
}

}  // namespace sesame::sync
