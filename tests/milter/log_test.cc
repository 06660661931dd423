// What the log is for programs: the journal's severities, and JSON as contrib/doc/log.schema.json says.
#include "milter/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon.h"
#include "mail.h"

namespace sesame::milter {
namespace {

using test::Daemon;
using test::MilterMessage;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Standard error goes to a file while this lives.
class ErrorOutput {
 public:
  ErrorOutput() : saved_(::dup(STDERR_FILENO)) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~ErrorOutput() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::unsetenv("JOURNAL_STREAM");
    std::filesystem::remove(path_);
  }

  // "device:inode", as systemd tells a service where its standard error leads.
  std::string stream() const {
    struct stat found {};
    ::fstat(STDERR_FILENO, &found);
    return std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
  }
  std::string text() const { return contents(path_); }

 private:
  const std::string path_ = std::filesystem::temp_directory_path() / ("sesame-stderr-" + std::to_string(::getpid()));
  const int saved_;
};

config::Log to_stderr(config::Log::Format format) {
  config::Log settings;
  settings.destination = "stderr";
  settings.level = "debug";
  settings.format = format;
  return settings;
}

TEST(Journal, IsToldTheSeverityOfEachLineAndNoTime) {
  const ErrorOutput output;
  ::setenv("JOURNAL_STREAM", output.stream().c_str(), 1);
  Log log;
  ASSERT_TRUE(log.open(to_stderr(config::Log::Format::text)));
  log.line(Level::error, "one");
  log.line(Level::warning, "two");
  log.event("queue_id=4Q");
  log.event("queue_id=4Q dns=a.example", Level::debug);
  EXPECT_EQ(output.text(), "<3>one\n<4>two\n<6>queue_id=4Q\n<7>queue_id=4Q dns=a.example\n");
}

TEST(Journal, JsonHasTheSeverityBeforeIt) {
  const ErrorOutput output;
  ::setenv("JOURNAL_STREAM", output.stream().c_str(), 1);
  Log log;
  ASSERT_TRUE(log.open(to_stderr(config::Log::Format::json)));
  log.line(Level::warning, "two");
  EXPECT_THAT(output.text(), testing::StartsWith("<4>{\"time\""));
}

TEST(Journal, AnotherStandardErrorHasTimesAndNoSeverityInBrackets) {
  const ErrorOutput output;
  ::setenv("JOURNAL_STREAM", "8:1", 1);  // inherited from somebody whose standard error leads elsewhere
  Log log;
  ASSERT_TRUE(log.open(to_stderr(config::Log::Format::text)));
  log.line(Level::warning, "two");
  EXPECT_THAT(output.text(), AllOf(HasSubstr(":00 warning two"), Not(HasSubstr("<4>"))));
}

MilterMessage message_of(const std::string& from, const std::string& queue_id) {
  MilterMessage message;
  message.mail = {"<" + from + ">"};
  message.fields = {{"From", " <" + from + ">"}, {"Subject", " x"}, {"Message-ID", " <" + queue_id + "@example.org>"}};
  message.queue_id = queue_id;
  return message;
}

// Received mail of all kinds.
void send_inbound(const Daemon& daemon) {
  const auto client = daemon.connect();
  client->send(message_of("a@clean.example", "4PASS"));
  auto message = message_of("a@signed.example", "4SIGNED");
  message.fields = test::signed_fields();
  message.fields.push_back({"Authentication-Results", " mx.example.net; dmarc=pass"});
  message.body = test::kSignedBody;
  client->send(message);
  message.fields[1].second = " <other@clean.example>";
  client->send(message);
  message = message_of("a@dead.example", "4DEAD");
  message.mail = {"<>"};
  client->send(message);
  message = message_of("a@nowhere.example", "4BARE");
  message.body = "one\n.\ntwo\r";
  client->send(message);
  message = message_of("a@clean.example", "");
  message.fields = {{"From", " \xff\xfe"}, {"DKIM-Signature", " v=1; d=\x01; b="}, {"Message-ID", " \"\\\x02"}};
  client->send(message);
  daemon.connect("2001:db8::1")->send(message_of("a@clean.example", "4SIX"));
}

// Mail on its way to SES, of all kinds.
void send_outbound(const Daemon& daemon) {
  const auto client = daemon.connect("");
  for (const std::string name : {"ours", "fail", "tag", "hold", "reject", "foreign", "dead"})
    client->send(message_of("a@" + name + ".example", "4" + name));
  auto message = message_of("a@ours.example", "4REPAIRED");
  message.fields.push_back({"Subject", " x"});
  message.fields.push_back({"X-SES-CONFIGURATION-SET", " other"});
  client->send(message);
  test::MilterOffer offer;
  offer.actions &= ~0x20u;  // no quarantine: the edits fail
  daemon.connect("", offer)->send(message_of("a@hold.example", "4UNJUDGED"));
}

// Of the JSON log: 0 where every line is as the schema says.
int schema_check(const std::string& path, std::string& output) {
  const std::string printed = path + ".checked";
  const auto command =
      "/usr/bin/python3 -B " SESAME_SOURCE_DIR "/tests/support/log_schema.py " + path + " > " + printed;
  const int status = std::system(command.c_str());
  output = contents(printed);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(JsonLog, EveryLineIsAsItsSchemaSays) {
  Daemon daemon;
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait_for_exit(), 0);
  const std::string more = "[repair]\nduplicate_fields = true\nses_fields = true\n";
  const std::string format = "format = \"json\"\nlevel = \"debug\"\n";
  daemon.write_config(more, "", "", format);
  daemon.start();
  send_inbound(daemon);
  send_outbound(daemon);
  daemon.signal(SIGUSR1);
  ASSERT_TRUE(daemon.logs("\"dns_server\""));
  daemon.write_config("[outbound]\nfail = \"perhaps\"\n", "", "", format);
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: the configuration stays"));
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait_for_exit(), 0);
  const auto log = daemon.log();
  for (const auto* part :
       {"\"inbound\"", "\"outbound\"", "\"dns_answer\"", "\"dns_cache\"", "\"repaired\"", "\"body\"", "\"dns_failed\"",
        "\"error\"", "\"queue_id\":\"4UNJUDGED\"", "\"client\":null", "\"stop: judged="})
    EXPECT_THAT(log, HasSubstr(part));
  std::string output;
  const int status = schema_check(daemon.path("log"), output);
  if (status == 77) GTEST_SKIP() << output;
  EXPECT_EQ(status, 0) << output;
  std::ofstream(daemon.path("log"), std::ios::app) << "{\"event\":\"message\"}\n";
  EXPECT_EQ(schema_check(daemon.path("log"), output), 1) << "what is not described is found";
}

TEST(TextLog, AtLevelDebugEachMessageNamesItsAnswersOfDns) {
  Daemon daemon;
  daemon.write_config("", "", "", "level = \"debug\"\n");
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  daemon.connect()->send(message_of("a@clean.example", "4DEBUG"));
  EXPECT_TRUE(daemon.logs("debug queue_id=4DEBUG dns=_dmarc.clean.example type=TXT status=NOERROR ttl="));
  EXPECT_THAT(daemon.log(), HasSubstr("data=\"v=DMARC1; p=reject\""));
}

}  // namespace
}  // namespace sesame::milter
