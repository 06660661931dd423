// Hosts that share a history watch the records together: one looks and alerts, and the others take over what it finds.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "milter/log.h"
#include "watch/watcher.h"

namespace sesame::milter {

// All waiting for the database is done on a thread of its own. For one thread.
class Fleet {
 public:
  explicit Fleet(Log& log) : log_(log) {}
  ~Fleet() { leave(); }

  // The hosts of this PostgreSQL; "": this host is alone. Again it does nothing.
  void join(const std::string& url);
  // What is held is let go, within moments or when the database has answered.
  void leave();

  // looks: this host does, and alerts. listens: another one does. asks: that is not known yet; for seconds after the
  // start alone, since a host that cannot reach the database looks until it can.
  enum class Role { looks, listens, asks };
  Role role() const;
  // What the host that looks has found; nothing where that was given already.
  std::optional<watch::Past> news();
  // Is it time that this host tells what it has found?
  bool wants() const;
  void tell(watch::Past found);

 private:
  struct Talk;
  Log& log_;
  std::string url_;
  std::shared_ptr<Talk> talk_;  // with its thread
};

}  // namespace sesame::milter
