// A DNS server on loopback that serves a Zone, faults included, over UDP and TCP on one port.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/dns_reply.h"
#include "support/zone.h"

namespace sesame::test {

struct DnsServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0 = one that is free for both UDP and TCP
  ReplyTtls ttls = {};
  EdnsManner edns = EdnsManner::echo;
  // Gets each line of the query log in place of queries(), on the server's thread.
  std::function<void(const std::string&)> on_query = {};
  // May change what is said before it is sent: hold it up, or take the packet away. Then queries() stays empty, too.
  std::function<void(const Question&, Reply&)> on_reply = {};
};

// One thread with a poll loop; a slow answer waits in a list and holds up no other question. All members are
// thread-safe but start() and stop(), which belong to one thread. Throws std::system_error when it cannot listen.
class DnsServer {
 public:
  explicit DnsServer(Zone zone, DnsServerOptions options = {});
  explicit DnsServer(std::string_view zone_text, DnsServerOptions options = {})
      : DnsServer(Zone(zone_text), std::move(options)) {}
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // The constructor starts it. A stopped server is dead: nobody listens on its port, and answers not yet sent are lost.
  void start();
  void stop();

  std::uint16_t port() const { return port_; }
  std::string host_port() const { return options_.address + ":" + std::to_string(port_); }

  // Edits the zone while it is served. What counts for "the first n questions" of a fault begins anew. Not from within
  // on_query.
  template <class Edit>
  void with_zone(Edit&& edit) {
    {
      const std::lock_guard lock(mutex_);
      std::forward<Edit>(edit)(zone_);
      asked_.clear();
    }
    adopt_conduct();
  }

  // "TXT example.com udp", in the order received.
  std::vector<std::string> queries() const;
  void forget_queries();

  // Called by the loop: what to send for one request.
  Reply reply(const std::vector<std::uint8_t>& request, Transport transport);
  Conduct conduct() const;

 private:
  class Loop;
  void adopt_conduct();  // returns when the loop has

  DnsServerOptions options_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  Zone zone_;
  AskCounts asked_;
  std::vector<std::string> queries_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace sesame::test
