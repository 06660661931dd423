// JSON to Snapshot. The only file here that includes nlohmann::json.
#include "ses/snapshot.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "dns/name.h"
#include "util/clock.h"
#include "util/text.h"

namespace sesame::ses {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxFile = 256u << 20;  // some ten times what 10,000 identities in three regions need
constexpr std::size_t kMaxRemarks = 50;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
constexpr std::string_view kSyncWrites = ", as sesame sync writes it";

// Where a text stops being JSON. Takes everything else as it comes.
class FaultFinder final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t read, const std::string&, const json::exception& error) override {
    read_ = read;
    what_ = error.what();
    return false;
  }

  // "NAME:LINE:COLUMN: is no JSON: what was found there".
  std::string describe(std::string_view text, const std::string& name) const {
    const auto before = text.substr(0, std::min(read_, text.size()));
    const auto line = std::ranges::count(before, '\n') + 1;
    const auto start = before.rfind('\n');
    const auto column = std::max<std::size_t>(1, before.size() - (start == std::string_view::npos ? 0 : start + 1));
    return fmt::format("{}:{}:{}: is no JSON: {}", name, line, column, printable(complaint()));
  }

 private:
  // Without the library's own words for its kind and the place: "[json.exception...] parse error at line 1, column 2:
  // ".
  std::string_view complaint() const {
    std::string_view what = what_;
    what.remove_prefix(std::min(what.find("] ") + 2, what.size()));
    if (what.starts_with("parse error")) what.remove_prefix(std::min(what.find(": ") + 2, what.size()));
    return what;
  }

  std::size_t read_ = 0;
  std::string what_;
};

// What was not understood. A file may have as many faults as identities; a reader needs some of them.
class Remarks {
 public:
  void add(std::string sentence) {
    if (sentences_.size() < kMaxRemarks)
      sentences_.push_back(printable(sentence, 400));
    else
      ++more_;
  }
  std::vector<std::string> take() && {
    if (more_ > 0) sentences_.push_back(fmt::format("{} more like these", more_));
    return std::move(sentences_);
  }

 private:
  std::vector<std::string> sentences_;
  std::size_t more_ = 0;
};

std::string shown(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

// A value and the way to it. null is absent. What is not understood leaves its target alone and gives a remark; the
// functions that read say of it what Identity's `unread_...` say, and "" when all is well.
class Node {
 public:
  Node(const json* value, Remarks& remarks) : value_(value), remarks_(&remarks) {}

  bool is_absent() const { return !value_ || value_->is_null(); }
  bool is_object() const { return value_ && value_->is_object(); }
  bool is_array() const { return value_ && value_->is_array(); }
  std::size_t size() const { return value_->size(); }

  Node operator[](std::string_view key) const {
    const json* found = nullptr;
    if (is_object())
      if (const auto at = value_->find(key); at != value_->end()) found = &*at;
    Node node(found, *remarks_);
    node.parent_ = this;
    node.key_ = key;
    return node;
  }
  Node operator[](std::size_t index) const {
    Node node(&(*value_)[index], *remarks_);
    node.parent_ = this;
    node.index_ = index;
    return node;
  }

  // "regions[0].identities[3].IdentityName".
  std::string path() const {
    if (!parent_) return "";
    const auto before = parent_->path();
    if (key_.empty()) return before + "[" + std::to_string(index_) + "]";
    return before + (before.empty() ? "" : ".") + std::string(key_);
  }
  // Completes "PATH: " in errors.
  std::string fault(std::string_view expected) const {
    return fmt::format("{}: {}; expected {}", path().empty() ? "the file" : path(),
                       is_absent() ? "is missing" : "is " + printable(shown(*value_), 80), expected);
  }
  void remark(std::string_view expected) const { remarks_->add(fault(expected) + "; passed over"); }

  // 'Status "SUSPENDED"'.
  std::string unread(std::string_view expected) const {
    remark(expected);
    return printable(fmt::format("{} {}", key_, shown(*value_)), 80);
  }
  std::string check_object() const { return is_absent() || is_object() ? "" : unread("an object"); }
  Node object() const {
    check_object();
    return *this;
  }
  std::string read(bool& target) const {
    if (is_absent()) return "";
    if (!value_->is_boolean()) return unread("true or false");
    target = value_->get<bool>();
    return "";
  }
  void read(std::int64_t& target) const {
    if (is_absent()) return;
    if (value_->is_number_integer())
      target = value_->get<std::int64_t>();
    else
      remark("an integer");
  }
  std::optional<std::string> text() const {
    if (is_absent()) return std::nullopt;
    if (value_->is_string()) return value_->get<std::string>();
    remark("a text");
    return std::nullopt;
  }
  // `understand` is given the text; what it does not take is passed over.
  template <class Target, class Understand>
  std::string read(Target& target, Understand understand, std::string_view expected) const {
    if (is_absent()) return "";
    if (!value_->is_string()) return unread("a text");
    auto value = understand(value_->get_ref<const std::string&>());
    if (!value) return unread(expected);
    target = *std::move(value);
    return "";
  }
  std::optional<std::int64_t> time() const {
    if (is_absent()) return std::nullopt;
    std::optional<std::int64_t> result;
    if (value_->is_string()) result = parse_timestamp(value_->get_ref<const std::string&>());
    if (value_->is_number())
      if (const auto seconds = value_->get<double>(); seconds >= 0 && seconds <= kLastSecond)
        result = static_cast<std::int64_t>(std::floor(seconds));
    if (!result) remark(kTime);
    return result;
  }

  static constexpr std::string_view kTime = "a time such as \"2026-01-01T00:00:00Z\", or seconds since 1970";

 private:
  const json* value_;
  Remarks* remarks_;
  const Node* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
};

using Text = std::optional<std::string>;

Text origin_word(const std::string& word) {
  return is_origin(word) ? Text(word) : std::nullopt;
}

Text domain_name(const std::string& name) {
  return mail::to_ascii_domain(name);
}

Text domain_name_or_none(const std::string& name) {
  return name.empty() ? Text(name) : domain_name(name);
}

Text enforcement_word(const std::string& word) {
  return word == "HEALTHY" || word == "PROBATION" || word == "SHUTDOWN" ? Text(word) : std::nullopt;
}

std::optional<std::string> selector_name(const std::string& token) {
  return dns::is_hostname(token) ? dns::canonical(token) : std::nullopt;
}

// Three tokens of Easy DKIM, or the one selector of a key of the user's own.
std::string read_tokens(const Node& node, bool external, std::vector<std::string>& tokens) {
  if (node.is_absent()) return "";
  const std::size_t wanted = external ? 1 : 3;
  const auto expected = external ? "a list of the one selector" : "a list of three tokens";
  if (!node.is_array() || (node.size() != 0 && node.size() != wanted)) return node.unread(expected);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < node.size(); ++i) {
    const auto item = node[i];
    if (const auto unread = item.read(found.emplace_back(), selector_name, "a DKIM selector"); !unread.empty())
      return "Tokens" + unread;
  }
  tokens = std::move(found);
  return "";
}

// The first that there is.
std::string first_of(std::initializer_list<std::string> unread) {
  for (const auto& each : unread)
    if (!each.empty()) return each;
  return "";
}

void read_dkim(const Node& node, Dkim& dkim) {
  dkim.unread_state = node.check_object();
  dkim.unread_keys = dkim.unread_state;
  if (!node.is_object()) return;
  dkim.unread_state = first_of({node["Status"].read(dkim.status, parse_status, "a status that is known here"),
                                node["SigningEnabled"].read(dkim.signing_enabled)});
  dkim.unread_keys =
      first_of({node["SigningAttributesOrigin"].read(dkim.origin, origin_word, "AWS_SES, EXTERNAL or AWS_SES_<REGION>"),
                node["SigningHostedZone"].read(dkim.signing_hosted_zone, domain_name, "a domain")});
  // Without the origin the tokens mean nothing.
  if (dkim.unread_keys.empty()) dkim.unread_keys = read_tokens(node["Tokens"], dkim.is_external(), dkim.tokens);
  dkim.last_key_generation = node["LastKeyGenerationTimestamp"].time();
}

void read_mail_from(const Node& node, MailFrom& mail_from) {
  mail_from.unread_domain = node.check_object();
  mail_from.unread_behavior = mail_from.unread_domain;
  if (!node.is_object()) return;
  mail_from.unread_domain = node["MailFromDomain"].read(mail_from.domain, domain_name_or_none, "a domain");
  mail_from.unread_state =
      node["MailFromDomainStatus"].read(mail_from.status, parse_status, "a status that is known here");
  mail_from.unread_behavior = node["BehaviorOnMxFailure"].read(mail_from.behavior_on_mx_failure, parse_on_mx_failure,
                                                               "USE_DEFAULT_VALUE or REJECT_MESSAGE");
}

void read_verification(const Node& node, VerificationInfo& info) {
  info.error_type = node["ErrorType"].text().value_or("");
  info.last_checked = node["LastCheckedTimestamp"].time();
  info.last_success = node["LastSuccessTimestamp"].time();
  const auto soa = node["SOARecord"].object();
  soa["PrimaryNameServer"].read(
      info.primary_name_server, [](const std::string& name) { return dns::canonical(name); }, "a domain name");
  soa["SerialNumber"].read(info.soa_serial);
}

void read_former(const Node& node, std::optional<Former>& former) {
  if (!node.object().is_object()) return;
  Former found;
  node["SigningAttributesOrigin"].read(found.origin, origin_word, "AWS_SES, EXTERNAL or AWS_SES_<REGION>");
  read_tokens(node["Tokens"], found.origin == "EXTERNAL", found.tokens);
  found.until = node["until"].time().value_or(0);
  former = std::move(found);
}

Identity read_identity(const Node& node, const Snapshot::Region& region, std::string name) {
  Identity identity;
  identity.name = std::move(name);
  identity.account = region.account;
  identity.region = region.region;
  identity.as_of = node["fetched"].time().value_or(region.fetched);
  const auto answer = node["GetEmailIdentity"];
  if (answer.is_absent()) answer.remark("the answer of GetEmailIdentity");
  const auto unread = answer.is_absent() || answer.is_object() ? "" : answer.unread("the answer of GetEmailIdentity");
  identity.unread_verification =
      first_of({unread, answer["VerifiedForSendingStatus"].read(identity.verified_for_sending)});
  // Told as the worse of both.
  if (!identity.unread_verification.empty()) identity.verified_for_sending = false;
  identity.dkim.unread_state = identity.dkim.unread_keys = unread;
  identity.mail_from.unread_domain = identity.mail_from.unread_behavior = unread;
  identity.configuration_set = answer["ConfigurationSetName"].text().value_or("");
  const auto dkim = answer["DkimAttributes"], mail_from = answer["MailFromAttributes"];
  const auto verification = answer["VerificationInfo"], former = node["former"];
  if (unread.empty()) {
    read_dkim(dkim, identity.dkim);
    read_mail_from(mail_from, identity.mail_from);
  }
  read_verification(verification.object(), identity.verification);
  read_former(former, identity.former);
  identity.status_since = node["status_since"].time();
  if (!identity.verification.last_success) identity.verification.last_success = node["last_success"].time();
  return identity;
}

void read_standing(const Node& node, Snapshot::Region& region) {
  if (node.is_absent()) return;
  auto& standing = region.standing;
  standing.as_of = region.fetched;
  standing.unread_state = first_of({node.check_object(), node["SendingEnabled"].read(standing.sending_enabled),
                                    node["EnforcementStatus"].read(standing.enforcement_status, enforcement_word,
                                                                   "HEALTHY, PROBATION or SHUTDOWN")});
  standing.unread_access = node["ProductionAccessEnabled"].read(standing.production_access);
  // Told as the worse of both.
  if (!standing.unread_access.empty()) standing.production_access = false;
}

Result<void> read_identities(const Node& list, Snapshot::Region& region) {
  if (!list.is_array()) return failure(list.fault("a list of identities"));
  std::set<std::string> names;
  region.identities.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto node = list[i];
    const auto name_node = node["IdentityName"];
    const auto name = name_node.text();
    // Whoever is left out here would be taken for unknown to SES.
    if (!name) return failure(name_node.fault("the name of an identity"));
    auto canonical = canonical_name(*name);
    if (!canonical) {
      name_node.remark("a domain or an address");
    } else if (!names.insert(*canonical).second) {
      name_node.remark("each identity once in a region");
    } else {
      region.identities.push_back(read_identity(node, region, *std::move(canonical)));
    }
  }
  return {};
}

Result<Snapshot::Region> read_region(const Node& node) {
  Snapshot::Region region;
  region.account = node["account"].text().value_or("");
  const auto name_node = node["region"];
  const auto name = name_node.text();
  if (!name || !is_region(*name)) return failure(name_node.fault("an AWS region such as \"us-east-1\""));
  region.region = *name;
  const auto fetched_node = node["fetched"];
  const auto fetched = fetched_node.time();
  if (!fetched) return failure(fetched_node.fault(Node::kTime));
  region.fetched = *fetched;
  const auto answer = node["GetAccount"], identities = node["identities"];
  read_standing(answer, region);
  if (auto read = read_identities(identities, region); !read) return tl::unexpected(read.error());
  return region;
}

Result<Snapshot> read_snapshot(const json& document) {
  Remarks remarks;
  const Node root(&document, remarks);
  if (!root.is_object()) return failure(root.fault("an object with \"version\": 1" + std::string(kSyncWrites)));
  const auto version = root["version"];
  if (version.is_absent() || document["version"] != 1) return failure(version.fault("1" + std::string(kSyncWrites)));
  const auto regions = root["regions"];
  if (!regions.is_array()) return failure(regions.fault("a list of regions"));
  Snapshot snapshot;
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const auto node = regions[i];
    auto region = read_region(node);
    if (!region) return tl::unexpected(region.error());
    // Which of two answers holds cannot be told.
    if (!seen.emplace(region->account, region->region).second)
      return failure(fmt::format("{}: account \"{}\" has region {} twice; expected each once", node.path(),
                                 printable(region->account), region->region));
    snapshot.regions.push_back(*std::move(region));
  }
  snapshot.remarks = std::move(remarks).take();
  return snapshot;
}

}  // namespace

Result<Snapshot> parse_snapshot(std::string_view text, const std::string& name) try {
  const auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    FaultFinder finder;
    json::sax_parse(text, &finder);
    return failure(finder.describe(text, name));
  }
  auto snapshot = read_snapshot(document);
  if (!snapshot) return failure(name + ": " + snapshot.error().message);
  return snapshot;
} catch (const std::bad_alloc&) {
  return failure(name + ": is larger than the memory there is");
}

Result<Snapshot> load_snapshot(const std::string& path) {
  // Opening a FIFO may last for ever.
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode))
    return failure(fmt::format("{}: cannot be read: it is no regular file", path));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::vector<char> chunk(1u << 20);
  while (file.good() && text.size() <= kMaxFile) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (text.size() > kMaxFile) return failure(fmt::format("{}: is larger than {} MiB", path, kMaxFile >> 20));
  if (!file.eof()) return failure(fmt::format("{}: cannot be read: {}", path, errno_text(errno)));
  return parse_snapshot(text, path);
}

}  // namespace sesame::ses
