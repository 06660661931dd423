// What one look says of one record. Inside this folder only. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ses/history.h"
#include "watch/look.h"

namespace sesame::watch {

struct Judgement {
  // untold: nobody who was asked said anything of use. unproven: no fault is seen, by a look that does not see enough
  // to say that one of the name servers is over.
  enum class Verdict { good, unproven, faulty, missing, untold } verdict = Verdict::untold;
  bool somewhere = false;                // some server has it
  std::string code;                      // of the finding that tells of the fault
  std::string reason;                    // one sentence, without its full stop
  std::vector<ses::ServerFault> faults;  // each once
};

Judgement judge(const Look& look, const RecordLook& record);

// Is it the fault of a name server, and not only of the resolver that this host uses?
bool is_of_server(const ses::ServerFault& fault);
// May SES come upon it? Answers of this size are asked for over UDP.
bool is_serious(const ses::ServerFault& fault);
// The one to tell of first; `faults` has one at least. What a server says weighs more than what the resolver does, UDP
// more than TCP, and an answer more than silence.
const ses::ServerFault& worst_of(const std::vector<ses::ServerFault>& faults);
// "answered SERVFAIL for TXT".
std::string said(const ses::ServerFault& fault);
// "ns2.example.com (192.0.2.53) answered SERVFAIL for TXT x._domainkey.example.com over UDP".
std::string sentence(const ses::ServerFault& fault);
// The same of several servers, out of `all`: "all 4 name servers answered ...".
std::string sentence(const ses::ServerFault& fault, std::vector<std::string> servers, std::size_t all,
                     const std::string& transport);

}  // namespace sesame::watch
