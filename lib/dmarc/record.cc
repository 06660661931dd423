#include <fmt/format.h>

#include <algorithm>

#include "dmarc/dmarc.h"
#include "util/text.h"

namespace sesame::dmarc {
namespace {

constexpr std::size_t kMaxWarnings = 10;
constexpr std::size_t kShown = 40;  // octets of a record's text quoted in a warning

std::string_view trim_wsp(std::string_view text) {
  while (!text.empty() && is_wsp(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_wsp(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<Policy> parse_policy(std::string_view value) {
  for (const auto policy : {Policy::none, Policy::quarantine, Policy::reject})
    if (iequals(value, to_string(policy))) return policy;
  return std::nullopt;
}

bool is_hex(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

// RFC 3986 Section 2.1
bool is_escaped_well(std::string_view uri) {
  for (auto at = uri.find('%'); at != std::string_view::npos; at = uri.find('%', at + 1))
    if (uri.size() < at + 3 || !is_hex(uri[at + 1]) || !is_hex(uri[at + 2])) return false;
  return true;
}

// RFC 3986 Sections 2 and 3: a scheme, a colon, and characters that may stand in a URI; "!" must be escaped (RFC 9989
// Section 4.8). A mailto: without an address is of no use.
bool is_uri(std::string_view text) {
  constexpr std::string_view kOther = "-._~:/?#[]@$&'()*+,;=%";
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size() || !is_alpha(text.front())) return false;
  const auto in_scheme = [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; };
  const auto in_uri = [&](char c) { return is_alnum(c) || kOther.find(c) != std::string_view::npos; };
  if (!std::ranges::all_of(text.substr(0, colon), in_scheme) || !std::ranges::all_of(text, in_uri)) return false;
  return is_escaped_well(text) && (!istarts_with(text, "mailto:") || text.find('@') != std::string_view::npos);
}

// RFC 9989 Section 4.8: obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]
bool is_report_size(std::string_view text) {
  if (!text.empty() && std::string_view("kmgtKMGT").find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_report_uri(std::string_view text) {
  const auto mark = text.find('!');
  if (mark == std::string_view::npos) return is_uri(text);
  return is_report_size(text.substr(mark + 1)) && is_uri(text.substr(0, mark));
}

// Reads the tags behind v= one at a time. RFC 9989 Section 4.8: an unknown tag is ignored, and one that does not
// follow the grammar leaves its default.
class RecordReader {
 public:
  explicit RecordReader(Record& record) : record_(record) {}

  void tag(std::string_view text) {
    ++position_;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return warn(fmt::format("\"{}\" is not a tag", printable(text, kShown)));
    const auto name = lower(trim_wsp(text.substr(0, equals)));
    const auto value = trim_wsp(text.substr(equals + 1));
    if (std::ranges::find(seen_, name) != seen_.end()) return warn(printable(name, kShown) + " is there twice");
    if (!read(name, value)) return;
    seen_.push_back(name);
  }

 private:
  // False when the tag is not one of DMARC's.
  bool read(const std::string& name, std::string_view value) {
    if (name == "p") {
      // RFC 7489 Section 6.3 wanted p second.
      if (position_ != 1) warn("p is not second");
      policy(name, value, record_.p, record_.p_invalid);
    } else if (name == "sp") {
      policy(name, value, record_.sp, record_.sp_invalid);
    } else if (name == "np") {
      policy(name, value, record_.np, record_.np_invalid);
    } else if (name == "adkim" || name == "aspf") {
      mode(name, value);
    } else if (name == "psd") {
      psd(value);
    } else if (name == "t") {
      record_.testing = iequals(value, "y");
      if (!record_.testing && !iequals(value, "n")) invalid(name, value);
    } else if (name == "rua") {
      reports(value);
    } else if (name == "pct" || name == "rf" || name == "ri") {
      warn(name + " is historic");  // RFC 9989 Appendix A.6
      if (name == "pct") record_.sampled_out = parse_number(value) == 0;
    } else {
      return name == "ruf" || name == "fo";
    }
    return true;
  }

  void policy(const std::string& name, std::string_view value, std::optional<Policy>& policy, bool& bad) {
    policy = parse_policy(value);
    bad = !policy;
    if (bad) invalid(name, value);
  }

  void mode(const std::string& name, std::string_view value) {
    auto& mode = name == "adkim" ? record_.adkim : record_.aspf;
    if (iequals(value, "s")) mode = Mode::strict;
    if (mode == Mode::relaxed && !iequals(value, "r")) invalid(name, value);
  }

  void psd(std::string_view value) {
    if (iequals(value, "y")) {
      record_.psd = Record::Psd::y;
    } else if (iequals(value, "n")) {
      record_.psd = Record::Psd::n;
    } else if (!iequals(value, "u")) {
      invalid("psd", value);
    }
  }

  void reports(std::string_view value) {
    for (const auto part : split(value, ',')) {
      const auto uri = trim_wsp(part);
      if (uri.empty()) continue;
      if (is_report_uri(uri)) {
        record_.rua.emplace_back(uri);
      } else {
        invalid("rua", uri);
      }
    }
  }

  void invalid(std::string_view name, std::string_view value) {
    warn(fmt::format("{}={} is not valid", name, printable(value, kShown)));
  }
  void warn(std::string text) {
    if (record_.warnings.size() < kMaxWarnings) record_.warnings.push_back(std::move(text));
  }

  Record& record_;
  std::vector<std::string> seen_;  // names of DMARC's own tags only: few
  int position_ = 0;
};

// RFC 9989 Section 4.8: dmarc-version = "v" *WSP "=" *WSP %s"DMARC1"
bool is_version(std::string_view tag) {
  const auto equals = tag.find('=');
  if (equals == std::string_view::npos || tag.empty() || is_wsp(tag.front())) return false;
  return iequals(trim_wsp(tag.substr(0, equals)), "v") && trim_wsp(tag.substr(equals + 1)) == "DMARC1";
}

}  // namespace

const char* to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      break;
  }
  return "permerror";
}

const char* to_string(Policy policy) {
  switch (policy) {
    case Policy::none:
      return "none";
    case Policy::quarantine:
      return "quarantine";
    case Policy::reject:
      break;
  }
  return "reject";
}

const char* to_string(Mode mode) {
  return mode == Mode::strict ? "s" : "r";
}
const char* to_string(Vintage vintage) {
  return vintage == Vintage::rfc9989 ? "rfc9989" : "rfc7489";
}

std::optional<Record> parse_record(std::string_view text) {
  const auto end = std::min(text.find(';'), text.size());
  if (!is_version(text.substr(0, end))) return std::nullopt;
  Record record;
  RecordReader reader(record);
  text.remove_prefix(end);
  while (!text.empty()) {
    text.remove_prefix(1);
    const auto next = std::min(text.find(';'), text.size());
    if (const auto tag = trim_wsp(text.substr(0, next)); !tag.empty()) reader.tag(tag);
    text.remove_prefix(next);
  }
  return record;
}

}  // namespace sesame::dmarc
