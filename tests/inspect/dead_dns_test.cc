// Every upstream is dead for an hour: mail keeps flowing, what is known still serves, nothing grows, and it is over at
// once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "dns/caching_resolver.h"
#include "inspect/inspect.h"
#include "inspect/render.h"
#include "mail/message.h"
#include "support/dns_server.h"
#include "support/fake_resolver.h"
#include "support/signer.h"
#include "support/silent_server.h"

namespace sesame::inspect {
namespace {

using policy::Direction;
using testing::HasSubstr;
using namespace std::chrono_literals;

class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(now_.load()));
  }
  std::int64_t unix_now() const override { return now_; }
  void pass(std::chrono::seconds time) { now_ += time.count(); }

 private:
  std::atomic<std::int64_t> now_{1'700'000'000};
};

// Serves a zone while it lives. Dead, it is silent: a question ends without an answer when its time is up, or is
// answered when the servers are back.
class MortalUpstream final : public dns::Upstream {
 public:
  using Done = std::function<void(dns::Answer)>;
  static constexpr std::chrono::seconds kPatience{10};

  MortalUpstream(std::string_view zone, const Clock& clock) : zone_(zone), clock_(clock) {}
  ~MortalUpstream() override {
    for (auto& question : take(Deadline::max())) question.done(unanswered(question));
  }

  void ask(const std::string& name, dns::Type type, Done done) override {
    Question question{name, type, clock_.steady_now() + kPatience, std::move(done)};
    {
      const std::lock_guard lock(mutex_);
      ++asked_;
      if (!alive_) {
        open_.push_back(std::move(question));
        return;
      }
    }
    answer(question);
  }
  std::uint64_t recoveries() const override { return recoveries_; }

  void die() {
    const std::lock_guard lock(mutex_);
    alive_ = false;
  }
  void live() {
    {
      const std::lock_guard lock(mutex_);
      alive_ = true;
    }
    ++recoveries_;
    for (auto& question : take(Deadline::max())) answer(question);
  }
  // Ends what nobody waits for any longer.
  void expire() {
    for (auto& question : take(clock_.steady_now())) question.done(unanswered(question));
  }
  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  struct Question {
    std::string name;
    dns::Type type;
    Deadline until;
    Done done;
  };

  static dns::Answer unanswered(const Question& question) {
    dns::Answer answer;
    answer.name = question.name;
    answer.type = question.type;
    return answer;
  }
  void answer(const Question& question) { question.done(*zone_.lookup(question.name, question.type, Deadline::max())); }
  // Those whose time is up by then.
  std::vector<Question> take(Deadline then) {
    const std::lock_guard lock(mutex_);
    const auto rest = std::partition(open_.begin(), open_.end(), [&](const auto& q) { return q.until > then; });
    std::vector<Question> taken(std::make_move_iterator(rest), std::make_move_iterator(open_.end()));
    open_.erase(rest, open_.end());
    return taken;
  }

  test::FakeResolver zone_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  bool alive_ = true;
  std::size_t asked_ = 0;
  std::vector<Question> open_;
  std::atomic<std::uint64_t> recoveries_{0};
};

// Ours: example.com, set up with SES, and cold.example, which nobody asked about before. Strangers: sender.example.
std::string zone() {
  const auto key = test::Signer::rsa(1024).record();
  return "amazonses.com TXT v=spf1 ip4:198.51.100.0/24 -all\n"
         "t1._domainkey.example.com CNAME t1.dkim.amazonses.com\n"
         "t2._domainkey.example.com CNAME t2.dkim.amazonses.com\n"
         "t3._domainkey.example.com CNAME t3.dkim.amazonses.com\n"
         "t1.dkim.amazonses.com TXT " +
         key +
         "\n"
         "t2.dkim.amazonses.com TXT \"\"\n"
         "t3.dkim.amazonses.com TXT \"\"\n"
         "bounce.example.com MX 10 feedback-smtp.us-east-1.amazonses.com\n"
         "bounce.example.com TXT v=spf1 include:amazonses.com ~all\n"
         "_dmarc.example.com TXT v=DMARC1; p=reject\n"
         "_dmarc.cold.example TXT v=DMARC1; p=reject\n"
         "sender.example TXT v=spf1 ip4:192.0.2.0/24 -all\n"
         "_dmarc.sender.example TXT v=DMARC1; p=reject\n"
         "s._domainkey.sender.example TXT " +
         key +
         "\n"
         "*.stranger.example TXT v=spf1 ip4:192.0.2.0/24 -all\n"
         "_dmarc.stranger.example TXT v=DMARC1; p=reject\n";
}

ses::Identity identity(const std::string& name) {
  ses::Identity made;
  made.name = name;
  made.region = "us-east-1";
  made.dkim.status = ses::Status::success;
  made.dkim.tokens = {"t1", "t2", "t3"};
  made.mail_from.domain = "bounce." + name;
  made.mail_from.status = ses::Status::success;
  return made;
}

std::shared_ptr<Runtime> runtime_of(std::shared_ptr<dns::CachingResolver> cache, const Clock& clock) {
  auto runtime = std::make_shared<Runtime>();
  runtime->config = config::defaults();
  runtime->config.rules.authserv_id = "mx.example.net";
  runtime->config.ses.region = "us-east-1";
  runtime->config.ses.identities = {identity("example.com"), identity("cold.example")};
  runtime->accounts = std::make_shared<ses::Accounts>(runtime->config.ses, ses::Snapshot{}, 0);
  runtime->suffixes = dmarc::PublicSuffixList::system();
  runtime->cache = std::move(cache);
  runtime->resolver = runtime->cache;
  runtime->clock = &clock;
  return runtime;
}

struct Judged {
  policy::Report report;
  policy::Decision::Action action;
  std::string log;
};

Judged judge(const std::shared_ptr<Runtime>& runtime, const mail::Envelope& envelope, const std::string& message) {
  const auto parsed = mail::read_message(message);
  Inspection inspection(runtime, direction_of(runtime->config, envelope), envelope);
  for (const auto& field : parsed.fields) inspection.field(field);
  inspection.end_of_header();
  inspection.body(parsed.body);
  auto report = inspection.finish();
  const auto decision = policy::decide(report, runtime->config.rules);
  return {report, decision.action, log_text(report, decision)};
}

Judged send_from(const std::shared_ptr<Runtime>& runtime, const std::string& domain) {
  mail::Envelope envelope;
  envelope.auth_user = "someone";
  envelope.mail_from = "news@" + domain;
  envelope.recipients = {"reader@receiver.example"};
  return judge(runtime, envelope, "From: News <news@" + domain + ">\r\nSubject: hello\r\n\r\nHi\r\n");
}

Judged receive_from(const std::shared_ptr<Runtime>& runtime, const std::string& domain, const char* client,
                    const std::string& message) {
  mail::Envelope envelope;
  envelope.client = IpAddress::parse(client);
  envelope.helo = "mail." + domain;
  envelope.mail_from = "a@" + domain;
  envelope.recipients = {"b@example.net"};
  return judge(runtime, envelope, message);
}

Judged receive_from(const std::shared_ptr<Runtime>& runtime, const std::string& domain, const char* client) {
  return receive_from(runtime, domain, client, "From: a@" + domain + "\r\n\r\nHi\r\n");
}

std::string signed_by_sender() {
  return test::sign_simple(
      test::Signer::rsa(1024),
      {"v=1; a=rsa-sha256; d=sender.example; s=s; h=from;", {"From: a@sender.example\r\n"}, "", "Hi\r\n", ""});
}

std::size_t count_in(const char* directory) {
  const std::filesystem::directory_iterator entries(directory);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

class DeadDns : public testing::Test {
 protected:
  DeadDns() {
    dns::CacheOptions options;
    options.stale_after = 1ms;  // of real time, like the budget: only the test's clock is still
    auto upstream = std::make_unique<MortalUpstream>(zone(), clock_);
    upstream_ = upstream.get();
    runtime_ = runtime_of(std::make_shared<dns::CachingResolver>(std::move(upstream), options, clock_), clock_);
    runtime_->config.dns.budget = 4ms;
  }

  // What is known of warm names judges as ever; `stale`: whether by old answers.
  void expect_warm(ses::Confidence confidence, const char* stale) {
    const auto out = send_from(runtime_, "example.com");
    EXPECT_EQ(out.report.prediction->verdict, ses::Verdict::pass) << out.log;
    EXPECT_EQ(out.report.prediction->grade, ses::Grade::both_legs) << out.log;
    EXPECT_EQ(out.report.prediction->confidence, confidence) << out.log;
    const auto in = receive_from(runtime_, "sender.example", "192.0.2.7", signed_by_sender());
    EXPECT_EQ(in.report.dmarc.result, dmarc::Result::pass) << in.log;
    EXPECT_EQ(in.report.spf_mail_from->result, spf::Result::pass) << in.log;
    EXPECT_EQ(in.report.dkim.front().result, dkim::Result::pass) << in.log;
    const auto forged = receive_from(runtime_, "sender.example", "203.0.113.7");
    EXPECT_EQ(forged.report.dmarc.result, dmarc::Result::fail) << forged.log;
    for (const auto& judged : {out, in, forged}) {
      EXPECT_EQ(judged.report.dns.stale > 0, *stale != '\0') << judged.log;
      EXPECT_THAT(judged.log, HasSubstr(stale));
    }
  }

  // Of names nobody asked about in time nothing definite is said, the mail goes on, and the log names what is missing.
  void expect_cold(int number) {
    const auto out = send_from(runtime_, "cold.example");
    EXPECT_EQ(out.report.prediction->verdict, ses::Verdict::unknown) << out.log;
    EXPECT_THAT(out.log, HasSubstr("no answer"));
    const auto name = "n" + std::to_string(number) + ".stranger.example";
    const auto in = receive_from(runtime_, name, "192.0.2.7");
    EXPECT_EQ(in.report.dmarc.result, dmarc::Result::temperror) << in.log;
    EXPECT_EQ(in.report.spf_mail_from->result, spf::Result::temperror) << in.log;
    EXPECT_THAT(policy::why(in.report), HasSubstr("_dmarc." + name + ": no answer"));
    for (const auto& judged : {out, in}) EXPECT_EQ(judged.action, policy::Decision::Action::accept) << judged.log;
  }

  ManualClock clock_;
  MortalUpstream* upstream_ = nullptr;  // the cache's
  std::shared_ptr<Runtime> runtime_;
};

TEST_F(DeadDns, ForAnHourWarmVerdictsStayOthersAreUnknownAndItIsOverAtOnce) {
  expect_warm(ses::Confidence::confirmed, "");
  upstream_->die();
  clock_.pass(60s);
  expect_warm(ses::Confidence::confirmed, "");  // within the times to live
  clock_.pass(600s);
  const auto threads = count_in("/proc/self/task");
  std::size_t most_open = 0;
  for (int minute = 0; minute < 60; ++minute) {
    clock_.pass(60s);
    upstream_->expire();
    EXPECT_EQ(upstream_->open(), 0u) << "what is asked for ends";
    expect_warm(ses::Confidence::likely, "dns_stale=");
    expect_cold(minute);
    most_open = std::max(most_open, upstream_->open());
  }
  // One question at a time for each name and type, and those of one minute at most.
  EXPECT_LE(most_open, 60u);
  EXPECT_EQ(count_in("/proc/self/task"), threads);

  upstream_->live();
  expect_warm(ses::Confidence::confirmed, "");
  EXPECT_EQ(upstream_->open(), 0u);
  const auto in = receive_from(runtime_, "n59.stranger.example", "192.0.2.7");
  EXPECT_EQ(in.report.dmarc.result, dmarc::Result::pass) << in.log;
}

// RFC 8767 Section 4: what is stale may serve so long, and no longer.
TEST_F(DeadDns, AfterTheLongestTimeAllIsUnknown) {
  expect_warm(ses::Confidence::confirmed, "");
  upstream_->die();
  clock_.pass(86400s + 300s);
  const auto out = send_from(runtime_, "example.com");
  EXPECT_EQ(out.report.prediction->verdict, ses::Verdict::unknown) << out.log;
  EXPECT_EQ(receive_from(runtime_, "sender.example", "203.0.113.7").report.dmarc.result, dmarc::Result::temperror);
}

// The same over real sockets, with as many cold names as there are messages.
TEST(DeadServer, ManyMessagesLeaveNeitherSocketsNorThreadsAndItsReturnIsSeen) {
  test::DnsServer server(zone());
  config::Dns settings = config::defaults().dns;
  settings.servers = {server.host_port()};
  settings.timeout = 20ms;
  settings.tries = 1;
  settings.budget = 60ms;
  settings.failure_ttl = 300s;  // that they are back ends it
  auto made = make_resolver(settings, system_clock());
  ASSERT_TRUE(made) << made.error().message;
  const auto runtime = runtime_of(*made, system_clock());
  runtime->config.dns = settings;
  server.stop();
  auto silent = std::make_unique<test::SilentServer>(server.port());
  const auto sockets = count_in("/proc/self/fd"), threads = count_in("/proc/self/task");

  const auto burst = [&](int round) {
    std::vector<std::jthread> senders;
    for (int sender = 0; sender < 8; ++sender)
      senders.emplace_back([&, sender] {
        for (int i = 0; i < 20; ++i) {
          const auto name = "n" + std::to_string(i + 20 * (sender + 8 * round)) + ".stranger.example";
          const auto in = receive_from(runtime, name, "192.0.2.7");
          EXPECT_EQ(in.report.dmarc.result, dmarc::Result::temperror) << in.log;
          EXPECT_EQ(in.action, policy::Decision::Action::accept) << in.log;
        }
      });
  };
  // A thread that has ended and a question that nobody waits for any longer may be there for a moment.
  const auto settles_at = [](const char* directory, std::size_t most) {
    for (int i = 0; i < 1000 && count_in(directory) > most; ++i) std::this_thread::sleep_for(10ms);
    return count_in(directory);
  };
  for (int round = 0; round < 2; ++round) {
    burst(round);
    EXPECT_LE(settles_at("/proc/self/task", threads), threads);
    EXPECT_LE(settles_at("/proc/self/fd", sockets), sockets);
  }

  silent.reset();
  server.start();
  std::string last;
  int messages = 0;
  // It is seen within the time after which a silent server is asked whether it lives; what failed is not held longer.
  for (bool passed = false; messages < 1000 && !passed; ++messages) {
    if (messages > 0) std::this_thread::sleep_for(10ms);
    const auto in = receive_from(runtime, "sender.example", "192.0.2.7");
    passed = in.report.dmarc.result == dmarc::Result::pass;
    last = in.log;
  }
  EXPECT_THAT(last, HasSubstr("dmarc=pass")) << "after " << messages << " messages";
}

}  // namespace
}  // namespace sesame::inspect
