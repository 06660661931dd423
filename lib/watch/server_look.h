// What the name servers of some zones say in one look. Inside this folder only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "watch/look.h"
#include "watch/quality.h"
#include "watch/serials.h"
#include "watch/servers.h"

namespace sesame::watch {

// When an address of the family (IPv4, IPv6) last answered, of whatever identity; 0 = never, and this host may have no
// way to such.
using Families = std::array<std::atomic<std::int64_t>, 2>;

class ServerLook {
 public:
  ServerLook(const Means& means, Directory& directory, Serials& serials, Families& families);

  // Its delegation, its servers, and what those say of the zone itself, which is told of `record`, if there is one.
  void ask_zone(const std::string& zone, RecordLook* record, const Yardstick* yardstick);
  // All servers of the zone about a record; nothing is asked before ask().
  void want(const std::string& zone, RecordLook& record, const Yardstick& yardstick);
  void ask();
  // Has any name server answered since this look began? Where none has, those above the zones and Amazon's are asked:
  // when they answer, it is no fault of the way there.
  bool reaches_any();
  // Adds the observations to the records.
  void tell();

  bool any_asked() const { return any_asked_; }
  // Nobody answered, or nobody was there.
  bool any_silent() const;
  // After tell(). Of the first zone that has one.
  std::optional<ses::DelegationMismatch> delegation(const std::vector<RecordLook>& records) const;

 private:
  struct ZoneLook {
    ZoneServers servers;
    std::optional<dns::Soa> newest;              // of all that its servers have
    std::vector<std::vector<std::string>> sets;  // of name servers, as those with authority list them
    std::vector<std::string> records;            // names asked for
  };
  struct Errand {
    const ZoneLook* zone = nullptr;
    RecordLook* record = nullptr;  // that it is told of, if any
    const Yardstick* yardstick = nullptr;
    Spot spot;
    dns::ProbeQuestion question;
  };
  struct Result {
    Errand errand;
    std::int64_t time = 0;
    dns::ProbeReply reply;
  };

  Errand errand(const ZoneLook& zone, const Spot& spot, const std::string& name, dns::Type type,
                dns::Transport transport) const;
  void ask_spots(ZoneLook& zone, const std::vector<Spot>& spots, RecordLook* record, const Yardstick* yardstick);
  void learn(ZoneLook& zone, const Result& result);
  std::vector<Result> carry_out(const std::vector<Errand>& errands);
  void ask_cut_ones_over_tcp(const std::vector<Result>& results);
  bool is_told(const Result& result) const;
  Observation observe(const Result& result);
  Appraisal appraise(const Result& result, Observation& seen);
  void heard(const IpAddress& address);
  bool was_heard(std::size_t family) const { return families_[family] >= began_; }
  Appraisal appraise_serial(const Result& result, Observation& seen);
  void tell_what_was_left_out();

  const Means& means_;
  Directory& directory_;
  Serials& serials_;
  Families& families_;
  const std::int64_t began_;
  std::deque<ZoneLook> zones_;  // errands point into it
  std::vector<Errand> errands_;
  std::vector<Result> results_;
  bool any_asked_ = false;
};

}  // namespace sesame::watch
