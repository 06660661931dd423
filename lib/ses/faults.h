// Bad answers of name servers, in words.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ses/history.h"

namespace sesame::ses {

// What stands between the server and the question: "answered SERVFAIL for", "gave no answer in 3 s to".
std::string said(const ServerFault& fault);
// "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT t1._domainkey.example.com".
std::string sentence(const ServerFault& fault);
// Does the server not tell what stands there, rather than tell that it is nothing or something else?
bool is_failure(const ServerFault& fault);

// Some faults at one server, or those in which several answer alike, told in one breath.
std::vector<std::string> servers_of(std::span<const ServerFault> faults);  // each once, in order
// "ns1, ns2, ns3 and 2 more".
std::string some_of(const std::vector<std::string>& all);
// "UDP and TCP"; "" when none is told.
std::string transports_of(std::span<const ServerFault> faults);

// Whose faults these are: some of the servers that were asked, or all.
struct Extent {
  std::size_t failing = 0;
  std::size_t asked = 0;  // 0 = not known
  bool is_all() const { return asked > 0 && failing >= asked; }
};
Extent extent_of(std::span<const ServerFault> faults);
// "1 name server", "2 of 4 name servers", "all 4 name servers".
std::string to_text(const Extent& extent);

// One line for each server and answer.
struct FaultGroup {
  std::string server, answer;
  std::vector<ServerFault> faults;
};
std::vector<FaultGroup> grouped(std::span<const ServerFault> faults);
// "SERVFAIL to TXT of 3 DKIM names over UDP and TCP, 30 times".
std::string to_text(const FaultGroup& group);

}  // namespace sesame::ses
