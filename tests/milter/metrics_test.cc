// What Prometheus is told, from the table to the exposition of a daemon that has judged mail.
#include "milter/metrics.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "daemon.h"
#include "milter/metrics_table.h"

namespace sesame::milter {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr const char* kPromtool = "/usr/bin/promtool";

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// What it says of an exposition; "" when all is well.
std::string promtool(const std::string& exposition) {
  char name[] = "/tmp/sesame-metrics-XXXXXX";
  const int fd = ::mkstemp(name);
  std::ofstream(name) << exposition;
  const auto command = std::string(kPromtool) + " check metrics < " + name + " 2>&1";
  std::string said;
  FILE* pipe = ::popen(command.c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
  if (::pclose(pipe) != 0) said += "(failed)";
  ::close(fd);
  ::unlink(name);
  return said;
}

// The families of an exposition.
std::set<std::string> families(const std::string& exposition) {
  std::set<std::string> names;
  std::istringstream lines(exposition);
  std::string word, type, name;
  for (std::string line; std::getline(lines, line);)
    if (std::istringstream(line) >> word >> type >> name && word == "#" && type == "TYPE") names.insert(name);
  return names;
}

std::string get(const std::string& path, const std::string& what) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    const auto request = "GET " + what + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char buffer[4096];
      for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  const auto body = answer.find("\r\n\r\n");
  return body == answer.npos ? answer : answer.substr(body + 4);
}

policy::Report outbound(ses::Verdict verdict, std::vector<ses::Finding> findings = {}) {
  policy::Report report;
  report.direction = policy::Direction::outbound;
  report.prediction.emplace();
  report.prediction->verdict = verdict;
  report.prediction->findings = std::move(findings);
  return report;
}

policy::Decision acted(policy::Decision::Action action) {
  policy::Decision decision;
  decision.action = action;
  return decision;
}

TEST(MetricTable, IsWhatTheDocumentSays) {
  const auto found = contents(SESAME_SOURCE_DIR "/contrib/doc/metrics.md");
  if (found != metrics_text()) std::ofstream(SESAME_BINARY_DIR "/metrics.md") << metrics_text();
  EXPECT_EQ(found, metrics_text()) << "the right text is in " SESAME_BINARY_DIR "/metrics.md";
}

TEST(MetricTable, NamesFollowTheConventions) {
  std::set<std::string> seen;
  for (const auto& entry : metric_table()) {
    const std::string name = entry.name;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(name.ends_with("_total"), entry.type == MetricEntry::Type::counter) << name;
    EXPECT_TRUE(name.starts_with("sesame_") || name.starts_with("process_")) << name;
  }
}

TEST(Metrics, CountMessagesByDirectionVerdictAndAction) {
  Metrics metrics;
  metrics.judged(outbound(ses::Verdict::fail), acted(policy::Decision::Action::hold), {});
  metrics.judged(outbound(ses::Verdict::fail), acted(policy::Decision::Action::hold), {});
  policy::Report inbound;
  inbound.dmarc.result = dmarc::Result::temperror;
  metrics.judged(inbound, acted(policy::Decision::Action::tempfail), {});
  inbound.direction = policy::Direction::ignored;
  metrics.judged(inbound, {}, {});
  metrics.passed_unjudged();
  const auto text = metrics.text({});
  EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="outbound",verdict="fail",action="hold"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="inbound",verdict="temperror",action="tempfail"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="inbound",verdict="none",action="accept"} 0)"));
  EXPECT_THAT(text, HasSubstr("sesame_unjudged_total 1"));
}

TEST(Metrics, CountTheFindingThatDecidesAndNoneOfAPass) {
  Metrics metrics;
  const ses::Finding missing{ses::Code::dkim_cname_missing, ses::Severity::error, "x", "y"};
  const ses::Finding weak{ses::Code::dkim_key_weak, ses::Severity::warning, "x", "y"};
  metrics.judged(outbound(ses::Verdict::fail, {missing, weak}), {}, {});
  metrics.judged(outbound(ses::Verdict::pass, {weak}), {}, {});
  const auto text = metrics.text({});
  EXPECT_THAT(text, HasSubstr(R"(sesame_findings_total{direction="outbound",code="dkim-cname-missing"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_findings_total{direction="outbound",code="dkim-key-weak"} 0)"));
}

TEST(Metrics, TimesGoToTheBucketsThatHoldThem) {
  Metrics metrics;
  metrics.judged(outbound(ses::Verdict::pass), {}, {.dns = 0us, .end_of_message = 1000us, .transaction = 10min});
  metrics.judged(outbound(ses::Verdict::pass), {}, {.dns = 0us, .end_of_message = 1001us, .transaction = -1us});
  const auto text = metrics.text({});
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_bucket{stage="dns",le="0.0001"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_bucket{stage="end_of_message",le="0.001"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_bucket{stage="end_of_message",le="0.0025"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_bucket{stage="transaction",le="120"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_bucket{stage="transaction",le="+Inf"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_sum{stage="transaction"} 600)"));
  EXPECT_THAT(text, HasSubstr(R"(sesame_stage_seconds_count{stage="transaction"} 2)"));
}

TEST(Metrics, SayWhatIsSoNow) {
  Metrics::Now now;
  now.connections = 3;
  now.watched = {{"healthy", 7}, {"missing", 1}};
  now.history.lag_us = 1'500'000;
  now.history.trouble = "disk full";
  EXPECT_THAT(Metrics().text(now), Not(HasSubstr("sesame_snapshot_age_seconds")));
  now.snapshot_age_s = 60;
  const auto text = Metrics().text(now);
  for (const auto* line :
       {"sesame_connections 3", "sesame_watch_records{state=\"missing\"} 1", "sesame_history_lag_seconds 1.5",
        "sesame_history_writable 0", "sesame_snapshot_age_seconds 60"})
    EXPECT_THAT(text, HasSubstr(std::string("\n") + line + "\n"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_start_time_seconds 1"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_resident_memory_bytes [1-9]"));
  EXPECT_THAT(text, ContainsRegex("\nprocess_open_fds [1-9]"));
}

TEST(Metrics, OfManyThreadsAreAllCounted) {
  Metrics metrics;
  const auto report = outbound(ses::Verdict::pass);
  constexpr int kThreads = 4, kEach = 5000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) metrics.judged(report, {}, {.transaction = 1us});
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(metrics.text({}), HasSubstr("sesame_stage_seconds_count{stage=\"transaction\"} 20000"));
}

// The table is complete, Prometheus's own checker is content, and nothing of a message is among the labels.
TEST(Metrics, OfADaemonWithTrafficAreThoseOfTheTable) {
  char directory[] = "/tmp/sesame-status-XXXXXX";
  ASSERT_TRUE(::mkdtemp(directory));
  const auto path = std::string(directory) + "/status";
  {
    const test::Daemon daemon("[status]\nlisten = \"unix:" + path + "\"\n");
    const auto send = [&](const std::string& from, bool is_ours) {
      test::MilterMessage message;
      message.mail = {"<" + from + ">"};
      message.fields = {{"From", " <" + from + ">"}, {"Subject", " x"}};
      message.mail_macros = {{"{mail_addr}", from}};
      if (is_ours) message.mail_macros.push_back({"{auth_authen}", "alice"});
      message.queue_id = "4QUEUE1";
      daemon.connect()->send(message);
    };
    send("a@ours.example", true);
    send("a@hold.example", true);
    send("a@clean.example", false);
    ASSERT_TRUE(daemon.logs("status: answers at"));
    const auto text = get(path, "/metrics");
    EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="outbound",verdict="pass",action="accept"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="outbound",verdict="fail",action="hold"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(sesame_messages_total{direction="inbound",verdict="pass",action="accept"} 1)"));
    EXPECT_THAT(text, HasSubstr("sesame_stage_seconds_count{stage=\"dns\"} 3"));
    for (const auto* word : {"hold.example", "clean.example", "4QUEUE1"}) EXPECT_THAT(text, Not(HasSubstr(word)));
    std::set<std::string> expected;
    for (const auto& entry : metric_table()) expected.insert(entry.name);
    // There is neither a snapshot nor a watch.
    expected.erase("sesame_snapshot_age_seconds");
    expected.erase("sesame_watch_records");
    EXPECT_EQ(families(text), expected);
    if (::access(kPromtool, X_OK) == 0) {
      EXPECT_EQ(promtool(text), "");
    }
  }
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST(Promtool, FindsNoFaultInWhatCanBeSaid) {
  if (::access(kPromtool, X_OK) != 0) GTEST_SKIP() << "there is no promtool (package prometheus)";
  Metrics::Now now;
  now.watched = {{"healthy", 1}};
  now.snapshot_age_s = 1;
  EXPECT_EQ(promtool(Metrics().text(now)), "");
  // It can find one.
  EXPECT_NE(promtool("# TYPE x counter\nx 1\n"), "");
}

}  // namespace
}  // namespace sesame::milter
