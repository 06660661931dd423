// Who is outbound and who is left alone, from the lists of all files together. What is not verified must not grow by
// the import: where the files disagree, the shorter list holds.
#include <fmt/core.h>

#include "import.h"
#include "util/text.h"

namespace sesame::cli::importer {
namespace {

using enum Remark::Kind;

constexpr const char* kOutbound = "outbound.networks";
constexpr const char* kIgnored = "ignore.networks";

std::vector<std::string> texts(const std::vector<Network>& networks) {
  std::vector<std::string> out;
  for (const auto& network : networks) out.push_back(network.to_string());
  return out;
}

std::vector<Network> parsed(const std::vector<std::string>* list) {
  std::vector<Network> out;
  if (list)
    for (const auto& text : *list)
      if (const auto network = Network::parse(text)) out.push_back(*network);
  return out;
}

const Statement* find(const std::vector<Source>& sources, Owner owner, std::string_view key) {
  for (const auto& source : sources)
    if (const auto* statement = source.owner == owner ? source.find(key) : nullptr) return statement;
  return nullptr;
}

// The networks of a list; what else stands there is told.
std::optional<std::vector<Network>> networks_of(Draft& draft, const Statement& statement) {
  const auto hosts = read_hosts(statement);
  if (hosts.unread) {
    draft.remark(fault, statement, *hosts.unread);
    return std::nullopt;
  }
  for (const auto& other : hosts.others) {
    const auto what = "\"" + printable(other, 80) + "\"";
    if (other.starts_with('!'))
      draft.remark(conflict, statement,
                   what + " takes out what is no network: name its addresses, or it counts with those around it");
    else
      draft.remark(missing, statement, what + " is no network that a client could be in; Sesame goes by addresses");
  }
  return hosts.networks;
}

class Carrier {
 public:
  Carrier(Draft& draft, const std::vector<Source>& sources) : draft_(draft), sources_(sources) {}

  void carry() {
    outbound(Owner::opendkim, "InternalHosts");
    outbound(Owner::policyd_spf, "InternalHosts");
    outbound(Owner::policyd_spf, "skip_addresses");
    senders_without_credentials();
    ignored(Owner::opendkim, "PeerList");
    ignored(Owner::opendmarc, "IgnoreHosts");
  }

 private:
  // The first list holds. Of a further one only what it adds is told.
  void outbound(Owner owner, std::string_view key) {
    const auto* statement = find(sources_, owner, key);
    const auto networks = statement ? networks_of(draft_, *statement) : std::nullopt;
    if (!networks) return;
    if (!draft_.find(kOutbound)) {
      if (networks->empty()) return;
      draft_.add(kOutbound, texts(*networks), *statement);
      if (key == "skip_addresses")
        draft_.remark(differs, *statement, "mail of these is outbound: predicted, and not verified");
      return;
    }
    tell_more(*statement, *networks, "is not in outbound.networks, which another file says: is its mail ours?");
  }

  // opendkim verifies their mail; it only does not complain.
  void senders_without_credentials() {
    const auto* statement = find(sources_, Owner::opendkim, "ExternalIgnoreList");
    if (!statement) return;
    if (const auto networks = networks_of(draft_, *statement))
      tell_more(*statement, *networks,
                "sends as one of our domains without credentials, and opendkim verifies it; if its mail leaves through "
                "SES, add it to outbound.networks");
  }

  void tell_more(const Statement& statement, const std::vector<Network>& networks, const std::string& what) {
    const auto more = without(networks, outbound_networks());
    if (!more.empty()) draft_.remark(conflict, statement, join(texts(more), ", ") + " " + what);
  }

  // What is outbound stays outbound, to be predicted.
  void ignored(Owner owner, std::string_view key) {
    const auto* statement = find(sources_, owner, key);
    const auto networks = statement ? networks_of(draft_, *statement) : std::nullopt;
    if (!networks) return;
    const auto left = without(*networks, outbound_networks());
    if (!left.empty()) draft_.add(kIgnored, texts(left), *statement);
    if (left != *networks) draft_.remark(differs, *statement, "what is in outbound.networks is predicted, not ignored");
    if (!left.empty())
      draft_.remark(differs, *statement,
                    "Sesame does nothing at all for these: forged Authentication-Results from there stay in, too");
  }

  std::vector<Network> outbound_networks() const {
    const auto* set = draft_.find(kOutbound);
    return set ? parsed(set) : std::vector{*Network::parse("127.0.0.0/8"), *Network::parse("::1")};
  }

  Draft& draft_;
  const std::vector<Source>& sources_;
};

}  // namespace

void carry_hosts(Draft& draft, const std::vector<Source>& sources) {
  Carrier(draft, sources).carry();
}

}  // namespace sesame::cli::importer
