// What the API's answers are made of. For api*.cc alone.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "history/questions.h"
#include "inspect/inspect.h"
#include "watch/state.h"

namespace sesame::milter::api {

using Json = nlohmann::ordered_json;
using Query = std::map<std::string, std::string>;

// Why there is no answer: a status of HTTP and one sentence.
struct Refusal {
  int status = 400;
  std::string sentence;
};
template <class T>
using Answer = tl::expected<T, Refusal>;
using Said = Answer<Json>;
tl::unexpected<Refusal> refuse(int status, std::string sentence);

// ---- parameters, each of them checked: a value that cannot be meant is refused, not passed over

// `since`: "24h", "7d" or "30d", the default 7d.
struct Period {
  std::string word;
  std::int64_t seconds = 0;
  std::int64_t step = 0;  // of the series
};
Answer<Period> period_of(const Query& query);
// `direction`: "outbound" (the default), "inbound" or "both"; as history::Scope has it.
Answer<std::string> direction_of(const Query& query);
// `domain`: "" or a domain name, in lower case.
Answer<std::string> domain_of(const Query& query);
// A word of small letters, digits, "-" and "_", or "".
Answer<std::string> word_of(const Query& query, const std::string& name);
// Any text of at most so many octets.
Answer<std::string> text_of(const Query& query, const std::string& name, std::size_t most);
Answer<std::int64_t> number_of(const Query& query, const std::string& name, std::int64_t fallback, std::int64_t most);

// ---- answers

Said overview(history::Reader& reader, const Query& query, std::int64_t now);
Said messages(history::Reader& reader, const Query& query, std::int64_t now);
Said message(history::Reader& reader, const Query& query);
// `ledger`: null where nobody watches the records.
Said identities(const inspect::Runtime& runtime, const watch::Ledger* ledger, const Query& query, std::int64_t now);
Json dns(const inspect::Runtime& runtime);

}  // namespace sesame::milter::api
