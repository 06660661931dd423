// The ways to people, with real programs and a real HTTP server.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "util/text.h"
#include "watch/notice.h"

namespace sesame::watch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Notice notice() {
  Notice notice;
  notice.time = 1'800'000'000;
  notice.identity = "example.com";
  notice.title = "DKIM of example.com is missing: ns1.example.net says \x1b\n";
  notice.text = "It is missing.\n.\nThat was no end.\n";
  return notice;
}

class Channels : public ::testing::Test {
 protected:
  Channels() {
    auto name = (std::filesystem::temp_directory_path() / "sesame-channels-XXXXXX").string();
    if (::mkdtemp(name.data())) directory_ = name;
  }
  ~Channels() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }
  std::string script(const std::string& text) const {
    const auto file = path("program");
    std::ofstream(file) << "#!/bin/sh\ncd '" << directory_.string() << "' || exit 99\n" << text;
    ::chmod(file.c_str(), 0755);
    return file;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  Result<void> deliver(const AlertOptions& options) {
    auto channels = make_channels(options, stop_);
    if (!channels) return tl::unexpected(channels.error());
    EXPECT_EQ(channels->size(), 1U);
    return channels->front()->deliver(notice());
  }
  Result<void> hook(const std::string& text, std::chrono::seconds timeout = std::chrono::seconds(20)) {
    return deliver({.hook = {script(text), "two words", "$(touch pwned); `id` \"'"}, .timeout = timeout});
  }

  std::filesystem::path directory_;
  std::atomic<bool> stop_ = false;
};

TEST_F(Channels, AreThoseThatAreSet) {
  const auto none = make_channels({}, stop_);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const auto all = make_channels({.hook = {"/bin/true"},
                                  .mail_to = "p@example.org",
                                  .sendmail = "/usr/sbin/sendmail",
                                  .webhook = "https://alerts.example.com/x"},
                                 stop_);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[0]->name(), "hook");
  EXPECT_EQ((*all)[1]->name(), "mail");
  EXPECT_EQ((*all)[2]->name(), "webhook");
}

TEST_F(Channels, NameTheSettingThatCannotBe) {
  const std::pair<AlertOptions, const char*> cases[] = {
      {{.hook = {"relative"}}, "watch.hook"},
      {{.mail_to = "a b@example.org", .sendmail = "/x"}, "watch.mail_to"},
      {{.mail_to = "p@example.org\nBcc: x@example.org", .sendmail = "/x"}, "watch.mail_to"},
      {{.mail_to = "p@example.org", .mail_from = "<x@example.org>", .sendmail = "/x"}, "watch.mail_from"},
      {{.mail_to = "p@example.org", .sendmail = ""}, "watch.sendmail"},
      {{.webhook = "ftp://example.org/"}, "watch.webhook"},
      {{.webhook = "alerts"}, "watch.webhook"},
  };
  for (const auto& [options, setting] : cases) {
    const auto channels = make_channels(options, stop_);
    ASSERT_FALSE(channels) << setting;
    EXPECT_THAT(channels.error().message, StartsWith(setting));
  }
}

TEST_F(Channels, HookGetsTheJsonAndItsArgumentsWithoutAShell) {
  const auto done = hook("cat > input; printf '%s\\n' \"$@\" > arguments\n");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content("input"), to_json(notice()) + "\n");
  EXPECT_EQ(content("arguments"), "two words\n$(touch pwned); `id` \"'\n");
  EXPECT_FALSE(std::filesystem::exists(path("pwned")));
}

TEST_F(Channels, HookInheritsNoFilesAndNoBlockedSignals) {
  const int leak = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  ASSERT_GE(leak, 0);
  const auto done = hook("ls -l /proc/$$/fd > files; grep SigBlk /proc/self/status > signals\n");
  ::close(leak);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(content("files"), Not(HasSubstr(" " + std::to_string(leak) + " -> /dev/null")));
  EXPECT_THAT(content("signals"), HasSubstr("0000000000000000"));
}

TEST_F(Channels, HookThatFailsTellsItsStatusAndItsLastWords) {
  const auto done = hook("echo 'pager\033[1m is gone' >&2; exit 3\n");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the hook " + path("program") + " ended with status 3: pager\\x1b[1m is gone");
}

TEST_F(Channels, HookThatDoesNotReadIsNoFailure) {
  EXPECT_TRUE(hook("exec <&-; exit 0\n"));
  EXPECT_TRUE(hook("exit 0\n"));
}

TEST_F(Channels, HookThatDoesNotReadMuchIsNoFailureAndEndsNobody) {
  auto channels = make_channels({.hook = {script("exec 0<&-; sleep 0.2; exit 0\n")}}, stop_);
  ASSERT_TRUE(channels);
  auto large = notice();
  large.text = std::string(1'000'000, 'x');  // more than a pipe holds
  EXPECT_TRUE(channels->front()->deliver(large));
}

TEST_F(Channels, HookThatHangsIsTerminated) {
  const auto done = hook("echo $$ > pid; echo waiting; sleep 600\n", std::chrono::seconds(1));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("did not end within 1 s and was terminated: waiting"));
  const auto pid = parse_number(trim(content("pid")));
  ASSERT_TRUE(pid);
  EXPECT_NE(::kill(static_cast<pid_t>(*pid), 0), 0);
}

TEST_F(Channels, HookThatHeedsNoTermIsKilled) {
  const auto done = hook("trap '' TERM; echo $$ > pid; while :; do sleep 1; done\n", std::chrono::seconds(1));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("did not end within 1 s"));
  const auto pid = parse_number(trim(content("pid")));
  ASSERT_TRUE(pid);
  EXPECT_NE(::kill(static_cast<pid_t>(*pid), 0), 0);
}

TEST_F(Channels, HookThatFloodsIsReadAndForgotten) {
  const auto done = hook("head -c 20000000 /dev/zero | tr '\\0' x; echo the end; exit 1\n");
  ASSERT_FALSE(done);
  EXPECT_LT(done.error().message.size(), 2048U);
  EXPECT_THAT(done.error().message, HasSubstr("the end"));
}

TEST_F(Channels, HookThatFloodsForEverIsTerminated) {
  const auto done = hook("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n", std::chrono::seconds(1));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("did not end within 1 s"));
}

TEST_F(Channels, HookThatLeavesAChildBehindIsNotWaitedForThroughItsFiles) {
  EXPECT_TRUE(hook("sleep 3 & exit 0\n", std::chrono::seconds(20)));
}

TEST_F(Channels, HookThatIsNotThereIsAnError) {
  const auto done = deliver({.hook = {path("absent")}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "the hook " + path("absent") + ": " + path("absent") + " cannot be run: No such file or directory");
}

TEST_F(Channels, HookEndsSoonAfterStop) {
  std::thread later([this] {
    for (int i = 0; i < 500 && !std::filesystem::exists(path("begun")); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stop_ = true;
  });
  const auto done = hook("touch begun; sleep 600\n", std::chrono::seconds(500));
  later.join();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("as the watch ends"));
}

TEST_F(Channels, MailIsGivenToSendmailWithTheRecipientAsAnArgument) {
  const auto sendmail = script("printf '%s\\n' \"$@\" > arguments; cat > mail\n");
  const auto done =
      deliver({.mail_to = "-postmaster@example.org", .mail_from = "sesame@example.com", .sendmail = sendmail});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(content("arguments"), "-i\n-f\nsesame@example.com\n--\n-postmaster@example.org\n");
  const auto mail = content("mail");
  EXPECT_THAT(mail, StartsWith("From: Sesame <sesame@example.com>\nTo: <-postmaster@example.org>\nSubject: Sesame: "));
  EXPECT_THAT(mail, HasSubstr("\nAuto-Submitted: auto-generated\n"));
  EXPECT_THAT(mail, HasSubstr("@example.com>\n"));
  EXPECT_THAT(mail, HasSubstr("\n\nIt is missing.\n.\nThat was no end.\n"));
}

TEST_F(Channels, MailsHaveDifferentIds) {
  const auto sendmail = script("grep Message-ID >> ids\n");
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(deliver({.mail_to = "p@example.org", .mail_from = "sesame@example.com", .sendmail = sendmail}));
  const auto ids = content("ids");
  const auto lines = split(ids, '\n');
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[0], lines[1]);
}

TEST_F(Channels, MailThatIsNotTakenTellsWhatTheStatusMeans) {
  const auto done =
      deliver({.mail_to = "p@example.org", .sendmail = script("cat > mail; echo 'queue is full' >&2; exit 75\n")});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, StartsWith("the mail to p@example.org: "));
  EXPECT_THAT(done.error().message, HasSubstr(" ended with status 75 (temporary failure): queue is full"));
}

// Answers each connection with one answer and keeps what was asked.
class Server {
 public:
  explicit Server(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_, 8);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    finish();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hooks/s3cret?a=b"; }
  // What was asked, once no more will be.
  std::vector<std::string> requests() {
    finish();
    return requests_;
  }

 private:
  void finish() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }
  static bool readable(int fd, int ms) {
    pollfd waits{fd, POLLIN, 0};
    return ::poll(&waits, 1, ms) > 0;
  }
  static bool is_whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n"), length = lower(request).find("content-length: ");
    if (end == std::string::npos) return false;
    if (length == std::string::npos) return true;
    return request.size() >= end + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10);
  }
  void serve() {
    while (!ending_) {
      if (!readable(listener_, 20)) continue;
      const int peer = ::accept(listener_, nullptr, nullptr);
      std::string request;
      char buffer[4096];
      while (!is_whole(request) && readable(peer, 5000)) {
        const auto count = ::read(peer, buffer, sizeof buffer);
        if (count <= 0) break;
        request.append(buffer, static_cast<std::size_t>(count));
      }
      requests_.push_back(request);
      (void)!::write(peer, answer_.data(), answer_.size());
      ::close(peer);
    }
  }

  const std::string answer_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<bool> ending_ = false;
  std::vector<std::string> requests_;
  std::thread thread_;
};

TEST_F(Channels, WebhookPostsTheJson) {
  Server server("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  const auto done = deliver({.webhook = server.url()});
  ASSERT_TRUE(done) << done.error().message;
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_THAT(requests[0], StartsWith("POST /hooks/s3cret?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(requests[0], Not(HasSubstr("Expect:")));
  EXPECT_THAT(requests[0], HasSubstr("\r\n\r\n" + to_json(notice())));
}

TEST_F(Channels, WebhookThatAnswersAnythingBut2xxFailsAndItsPathStaysSecret) {
  Server server("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 10\r\n\r\ntry\x1b later");
  const auto done = deliver({.webhook = server.url()});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, StartsWith("the webhook at http://127.0.0.1:"));
  EXPECT_THAT(done.error().message, HasSubstr("answered with status 503: try\\x1b later"));
  EXPECT_THAT(done.error().message, Not(HasSubstr("s3cret")));
}

TEST_F(Channels, WebhookFollowsNoRedirect) {
  Server other("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  Server server("HTTP/1.1 307 Elsewhere\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + other.url() +
                "\r\n\r\n");
  const auto done = deliver({.webhook = server.url()});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("status 307"));
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(Channels, WebhookThatIsNotThereIsAnError) {
  // Nothing listens on a port that was just given up.
  std::string url;
  {
    Server server("");
    url = server.url();
  }
  const auto done = deliver({.webhook = url});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, StartsWith("the webhook at http://127.0.0.1:"));
  EXPECT_THAT(done.error().message, Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace sesame::watch
