// The ways by which notices reach people.
#include <fmt/core.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "dns/name.h"
#include "http/http.h"
#include "util/text.h"
#include "watch/child.h"
#include "watch/mail_text.h"
#include "watch/notice.h"

namespace sesame::watch {
namespace {

constexpr std::size_t kMaxAnswer = 65536;

// sysexits.h: what sendmail and its likes end with.
const char* meaning_of(int status) {
  switch (status) {
    case EX_USAGE:
      return " (bad usage)";
    case EX_DATAERR:
      return " (bad message)";
    case EX_NOUSER:
      return " (no such recipient)";
    case EX_NOHOST:
      return " (no such host)";
    case EX_UNAVAILABLE:
      return " (service unavailable)";
    case EX_OSERR:
      return " (the system failed)";
    case EX_CANTCREAT:
      return " (cannot create a file)";
    case EX_TEMPFAIL:
      return " (temporary failure)";
    case EX_NOPERM:
      return " (not permitted)";
    case EX_CONFIG:
      return " (bad configuration)";
    default:
      return "";
  }
}

// What a program that ended amounts to; `who` begins the sentence.
Result<void> judge(const std::string& who, const Result<Ended>& result, std::chrono::seconds timeout) {
  if (!result) return failure(fmt::format("{}: {}", who, result.error().message));
  const auto said = result->output.empty() ? "" : ": " + result->output;
  switch (result->how) {
    case Ended::How::exited:
      if (result->number == 0) return {};
      return failure(fmt::format("{} ended with status {}{}{}", who, result->number, meaning_of(result->number), said));
    case Ended::How::killed:
      return failure(fmt::format("{} was ended by signal {}{}", who, result->number, said));
    case Ended::How::too_late:
      return failure(fmt::format("{} did not end within {} s and was terminated{}", who, timeout.count(), said));
    case Ended::How::stopped:
      break;
  }
  return failure(who + " was terminated, as the watch ends");
}

class Hook : public Channel {
 public:
  Hook(std::vector<std::string> words, std::chrono::seconds timeout, const std::atomic<bool>& stop)
      : words_(std::move(words)), timeout_(timeout), stop_(stop) {}
  std::string name() const override { return "hook"; }
  Result<void> deliver(const Notice& notice) override {
    return judge("the hook " + printable(words_.front()), run_child(words_, to_json(notice) + "\n", timeout_, stop_),
                 timeout_);
  }

 private:
  const std::vector<std::string> words_;
  const std::chrono::seconds timeout_;
  const std::atomic<bool>& stop_;
};

// Two mails never have the same one.
std::string message_id(const std::string& domain) {
  std::random_device random;
  std::string digits;
  for (int i = 0; i < 4; ++i) digits += fmt::format("{:08x}", random());
  return fmt::format("sesame.{}@{}", digits, domain);
}

std::string domain_of(const std::string& mailbox) {
  return mailbox.substr(mailbox.rfind('@') + 1);
}

std::string this_host(const std::string& otherwise) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || !dns::is_hostname(name.data())) return otherwise;
  return name.data();
}

class Mail : public Channel {
 public:
  Mail(const AlertOptions& options, const std::atomic<bool>& stop)
      : sendmail_(options.sendmail),
        from_(options.mail_from),
        to_(options.mail_to),
        id_domain_(from_.empty() ? this_host(domain_of(to_)) : domain_of(from_)),
        timeout_(options.timeout),
        stop_(stop) {}
  std::string name() const override { return "mail"; }
  Result<void> deliver(const Notice& notice) override {
    // A line that is a dot is no end. The recipient is told here, and not looked for in the message.
    std::vector<std::string> words = {sendmail_, "-i"};
    if (!from_.empty()) words.insert(words.end(), {"-f", from_});
    words.insert(words.end(), {"--", to_});
    const auto text = mail_text(notice, from_, to_, message_id(id_domain_));
    return judge("the mail to " + to_ + ": " + printable(sendmail_), run_child(words, text, timeout_, stop_), timeout_);
  }

 private:
  const std::string sendmail_, from_, to_, id_domain_;
  const std::chrono::seconds timeout_;
  const std::atomic<bool>& stop_;
};

class Webhook : public Channel {
 public:
  Webhook(http::Url url, std::chrono::seconds timeout, std::unique_ptr<http::Client> client)
      : url_(std::move(url)), timeout_(timeout), client_(std::move(client)) {}
  std::string name() const override { return "webhook"; }
  Result<void> deliver(const Notice& notice) override {
    const auto answer = client_->send({.method = http::Request::Method::post,
                                       .base = url_.base,
                                       .path = url_.path,
                                       .headers = {"Content-Type: application/json"},
                                       .body = to_json(notice),
                                       .timeout = timeout_,
                                       .max_answer = kMaxAnswer});
    // The path is left out: with many services it is the password.
    const auto who = "the webhook at " + printable(url_.base);
    if (answer.status == 0) return failure(fmt::format("{}: {}", who, answer.trouble));
    // RFC 9110 Section 15.3.
    if (answer.status >= 200 && answer.status < 300) return {};
    return failure(fmt::format("{} answered with status {}{}", who, answer.status,
                               answer.body.empty() ? "" : ": " + printable(trim(answer.body))));
  }

 private:
  const http::Url url_;
  const std::chrono::seconds timeout_;
  const std::unique_ptr<http::Client> client_;
};

bool is_absolute(const std::string& path) {
  return path.starts_with('/') && path.find('\0') == std::string::npos;
}

// RFC 5322 Section 3.2.3: the dot-atom that a mailbox is made of; nothing that a header field or a shell may mistake.
bool is_mailbox(const std::string& text) {
  const auto at = text.rfind('@');
  return at != std::string::npos && at > 0 && dns::is_hostname(text.substr(at + 1)) &&
         std::ranges::all_of(text.substr(0, at), [](char c) {
           return is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
         });
}

Result<std::unique_ptr<Channel>> make_webhook(const AlertOptions& options, const std::atomic<bool>& stop) {
  auto url = http::parse_url(options.webhook);
  if (!url || (url->scheme != "https" && url->scheme != "http"))
    return failure("watch.webhook: is no URL that begins with https:// or http://");
  auto client = http::make_client(stop);
  if (!client) return failure("watch.webhook: " + client.error().message);
  return std::make_unique<Webhook>(*std::move(url), options.timeout, *std::move(client));
}

}  // namespace

Result<std::vector<std::unique_ptr<Channel>>> make_channels(const AlertOptions& options,
                                                            const std::atomic<bool>& stop) {
  std::vector<std::unique_ptr<Channel>> channels;
  if (!options.hook.empty()) {
    if (!is_absolute(options.hook.front())) return failure("watch.hook: the program has to be an absolute path");
    channels.push_back(std::make_unique<Hook>(options.hook, options.timeout, stop));
  }
  if (!options.mail_to.empty()) {
    if (!is_mailbox(options.mail_to)) return failure("watch.mail_to: is no address such as user@example.com");
    if (!options.mail_from.empty() && !is_mailbox(options.mail_from))
      return failure("watch.mail_from: is no address such as user@example.com");
    if (!is_absolute(options.sendmail)) return failure("watch.sendmail: has to be an absolute path");
    channels.push_back(std::make_unique<Mail>(options, stop));
  }
  if (!options.webhook.empty()) {
    auto webhook = make_webhook(options, stop);
    if (!webhook) return tl::unexpected(webhook.error());
    channels.push_back(*std::move(webhook));
  }
  return channels;
}

}  // namespace sesame::watch
