// Reloads while fifty connections send: every message is answered, and judged by one configuration whole.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "daemon.h"

namespace sesame::test {
namespace {

using Final = MilterResult::Final;
using testing::HasSubstr;

constexpr int kConnections = 50, kReloads = 36, kMessagesOfAConnection = 6;

// Two configurations that differ in all that a message shows, and in what has to be made anew for them.
struct Settings {
  std::string id, settings, dns;
};

Settings first(const Daemon& daemon) {
  return {"a.example.net", "[outbound]\nfail = \"tag\"\n[history]\nstore = \"" + daemon.path("a.sqlite") + "\"\n", ""};
}

Settings second(const Daemon& daemon) {
  return {"b.example.net", "[outbound]\nfail = \"reject\"\n[history]\nstore = \"" + daemon.path("b.sqlite") + "\"\n",
          "max_stale = 60\n"};
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Put in place whole, as whoever manages configurations does.
void put(const Daemon& daemon, const std::string& text) {
  std::ofstream(daemon.path("new.toml")) << text;
  std::filesystem::rename(daemon.path("new.toml"), daemon.path("sesame.toml"));
}

std::string text_of(const Daemon& daemon, const Settings& settings) {
  daemon.write_config(settings.settings, "", settings.dns);
  auto text = contents(daemon.path("sesame.toml"));
  const std::string usual = "mx.example.net";
  return text.replace(text.find(usual), usual.size(), settings.id);
}

// The lines of the log as they come.
class Tail {
 public:
  explicit Tail(const std::string& path) : in_(path) {}
  // False when none with this comes for half a minute.
  bool wait_for(const std::string& part) {
    for (int i = 0; i < 3000; ++i) {
      for (std::string line; std::getline(in_, line);) {
        line_ += line;
        if (in_.eof()) break;  // the rest of it is not written yet
        const bool found = line_.find(part) != std::string::npos;
        line_.clear();
        if (found) return true;
      }
      in_.clear();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  std::ifstream in_;
  std::string line_;
};

MilterMessage message_of(const std::string& from, const std::string& queue_id) {
  MilterMessage message;
  message.mail = {"<" + from + ">"};
  message.fields = {{"From", " <" + from + ">"}, {"Subject", " x"}};
  message.mail_macros = {{"{mail_addr}", from}};
  message.queue_id = queue_id;
  return message;
}

// What all senders found.
struct Found {
  std::mutex mutex;
  std::map<std::string, std::string> actions;  // by queue id
  std::map<std::string, int> connections;      // by the configuration that served them
  std::vector<std::string> faults;

  void fault(const std::string& text) {
    const std::lock_guard lock(mutex);
    faults.push_back(text);
  }
};

// The id of the configuration that can have given this answer; "" where it is of neither.
std::string configuration_of(const MilterResult& result, bool outbound) {
  if (outbound && result.final == Final::reply)
    return result.reply.starts_with("550 5.7.") && result.edits.empty() ? "b.example.net" : "";
  if (result.final != Final::proceed || result.edits.size() != 1) return "";
  const auto& edit = result.edits[0];
  if (edit.name != (outbound ? "Sesame-Prediction" : "Authentication-Results")) return "";
  for (const std::string id : {"a.example.net", "b.example.net"})
    if (edit.value.starts_with(" " + id + ";")) return outbound && id == "b.example.net" ? "" : id;
  return "";
}

// One connection, sending by turns what is received and what is on its way to SES.
void send(const Daemon& daemon, const std::string& name, Found& found) {
  const auto client = daemon.connect();
  std::string served_by;
  for (int i = 0; i < kMessagesOfAConnection; ++i) {
    const bool outbound = i % 2 == 1;
    auto message = message_of(outbound ? "a@fail.example" : "a@clean.example", name + "x" + std::to_string(i));
    if (outbound) message.mail_macros.push_back({"{auth_authen}", "alice"});
    const auto result = client->send(message);
    const auto configuration = configuration_of(result, outbound);
    if (served_by.empty()) served_by = configuration;
    if (configuration.empty() || configuration != served_by)
      found.fault(message.queue_id + " was judged by \"" + configuration + "\", its connection began with " +
                  served_by + "; reply " + result.reply);
    const std::lock_guard lock(found.mutex);
    found.actions[message.queue_id] = !outbound ? "accept" : configuration == "a.example.net" ? "tag" : "reject";
  }
  client->quit();
  const std::lock_guard lock(found.mutex);
  ++found.connections[served_by];
}

void send_until(const std::atomic<bool>& enough, const Daemon& daemon, int sender, Found& found) {
  try {
    for (int i = 0; i == 0 || !enough; ++i)
      send(daemon, "4S" + std::to_string(sender) + "C" + std::to_string(i), found);
  } catch (const std::exception& error) {
    found.fault("sender " + std::to_string(sender) + ": " + error.what());
  }
}

void reload_often(const Daemon& daemon) {
  const auto a = text_of(daemon, first(daemon)), b = text_of(daemon, second(daemon));
  const auto broken = b.substr(0, b.find("[outbound]")) + "[outbound]\nfail = \"perhaps\"\n";
  Tail log(daemon.path("log"));
  for (int i = 0; i < kReloads; ++i) {
    const bool bad = i % 4 == 3;
    put(daemon, bad ? broken : i % 2 == 0 ? b : a);
    daemon.signal(SIGHUP);
    ASSERT_TRUE(log.wait_for(bad ? "reload: the configuration stays" : "reload: done")) << "reload " << i;
  }
}

// queue id -> action, as logged; each once.
std::map<std::string, std::string> logged_actions(const std::string& log, Found& found) {
  std::map<std::string, std::string> actions;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto value_of = [&](const std::string& key) {
      const auto at = line.find(" " + key + "=");
      if (at == std::string::npos) return std::string();
      const auto begin = at + key.size() + 2;
      return line.substr(begin, line.find(' ', begin) - begin);
    };
    const auto id = value_of("queue_id");
    if (!id.empty() && !actions.emplace(id, value_of("action")).second) found.fault("logged twice: " + id);
  }
  return actions;
}

TEST(Reload, UnderFiftyConnectionsNoMessageIsLostOrJudgedByHalfAConfiguration) {
  Daemon daemon;
  put(daemon, text_of(daemon, first(daemon)));
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.logs("reload: done"));
  Found found;
  std::atomic<bool> enough = false;
  std::vector<std::thread> senders;
  for (int i = 0; i < kConnections; ++i) senders.emplace_back([&, i] { send_until(enough, daemon, i, found); });
  reload_often(daemon);
  enough = true;
  for (auto& sender : senders) sender.join();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait_for_exit(), 0);
  const auto log = daemon.log();
  const auto logged = logged_actions(log, found);
  EXPECT_THAT(found.faults, testing::IsEmpty());
  EXPECT_GE(found.connections["a.example.net"], 1);
  EXPECT_GE(found.connections["b.example.net"], 1);
  EXPECT_EQ(logged.size(), found.actions.size());
  EXPECT_TRUE(logged == found.actions) << "what was logged is not what was done";
  EXPECT_THAT(log, HasSubstr("stop: judged=" + std::to_string(found.actions.size()) + " failures=0"));
}

}  // namespace
}  // namespace sesame::test
