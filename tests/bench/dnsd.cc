// The benchmark's DNS server: serves a zone, counts what is asked, and is slow or silent on demand. Orders come over a
// UNIX socket, a line each: "stats", "reset" (of the counts), "delay MILLISECONDS", "drop on", "drop off" (the answers
// of the dead domains). Each is answered with one line of JSON, the counts as they were.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cstring>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>

#include "bench/corpus.h"
#include "dns/name.h"
#include "support/dns_server.h"
#include "util/text.h"

namespace {

using sesame::bench::read_file;
using sesame::test::DnsServer;
using sesame::test::DnsServerOptions;
using sesame::test::Question;
using sesame::test::Reply;

class Conduct {
 public:
  explicit Conduct(std::string_view dead) {
    for (const auto line : sesame::split(dead, '\n'))
      if (const auto name = sesame::trim(line); !name.empty()) dead_.insert(sesame::lower(name));
  }

  void apply(const Question& question, Reply& reply) {
    const std::lock_guard lock(mutex_);
    ++asked_[question.type_name()];
    reply.delay_ms += delay_ms_;
    if (!drops_ || !is_dead(question.name)) return;
    ++dropped_;
    reply.packet.clear();
  }

  nlohmann::json obey(std::string_view order) {
    const std::lock_guard lock(mutex_);
    nlohmann::json counts{{"queries", asked_}, {"dropped", dropped_}, {"delay_ms", delay_ms_}, {"drops", drops_}};
    if (order == "reset") {
      asked_.clear();
      dropped_ = 0;
    } else if (order.starts_with("delay ")) {
      delay_ms_ = std::stoi(std::string(order.substr(6)));
    } else if (order == "drop on" || order == "drop off") {
      drops_ = order == "drop on";
    } else if (order != "stats") {
      return {{"error", "stats, reset, delay N, drop on or drop off"}};
    }
    return counts;
  }

 private:
  bool is_dead(const std::string& name) const {
    for (std::string at = name; !at.empty(); at = sesame::dns::parent(at))
      if (dead_.contains(at)) return true;
    return false;
  }

  std::unordered_set<std::string> dead_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> asked_;  // by type
  std::uint64_t dropped_ = 0;
  int delay_ms_ = 0;
  bool drops_ = false;
};

int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long: " + path);
  path.copy(address.sun_path, path.size());
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 8) != 0)
    throw std::runtime_error(path + ": " + std::strerror(errno));
  return fd;
}

// Whoever connects gives orders until they hang up; the next waits.
void obey_all(int listener, Conduct& conduct) {
  for (;;) {
    const int peer = ::accept(listener, nullptr, nullptr);
    if (peer < 0) return;
    std::string input;
    std::array<char, 256> buffer;
    for (ssize_t got; (got = ::read(peer, buffer.data(), buffer.size())) > 0;) {
      input.append(buffer.data(), static_cast<std::size_t>(got));
      for (std::size_t end; (end = input.find('\n')) != std::string::npos; input.erase(0, end + 1)) {
        const auto line = conduct.obey(std::string_view(input).substr(0, end)).dump() + "\n";
        if (::send(peer, line.data(), line.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    ::close(peer);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string zone, dead, control;
  DnsServerOptions options{.ttls = {.positive = 3600, .negative = 3600}};
  CLI::App app{"A DNS server for benchmarks"};
  app.add_option("--zone", zone, "Zone, a record a line")->required();
  app.add_option("--dead", dead, "Domains that are dropped on demand, one a line");
  app.add_option("--listen", options.address, "IPv4 address")->capture_default_str();
  app.add_option("--port", options.port, "UDP and TCP port, 0 = any that is free")->capture_default_str();
  app.add_option("--ttl", options.ttls.positive, "Of all records, seconds")->capture_default_str();
  app.add_option("--control", control, "UNIX socket to give orders at")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    options.ttls.negative = options.ttls.positive;
    Conduct conduct(dead.empty() ? "" : read_file(dead));
    options.on_reply = [&](const Question& question, Reply& reply) { conduct.apply(question, reply); };
    const DnsServer server(sesame::test::Zone(read_file(zone)), options);
    const int listener = listen_at(control);
    // Whoever reads this may connect to both.
    std::cout << "listening on " << server.host_port() << std::endl;
    obey_all(listener, conduct);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "sesame-bench-dnsd: " << error.what() << std::endl;
    return 1;
  }
}
