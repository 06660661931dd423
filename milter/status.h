// What the daemon answers over HTTP: the dashboard and what it asks (/, /api/...), /metrics, /healthz. status.cc alone
// includes httplib.h.
#pragma once

#include <memory>

#include "milter/session.h"
#include "milter/watching.h"

namespace sesame::milter {

class Status {
 public:
  Status(Service& service, Watching& watching);
  ~Status();  // stop()

  // Call often, and after each reload, by one thread: listens as the configuration in force asks. What cannot be had (a
  // port in use) is told once and tried again; mail is not concerned.
  void follow();
  // Within a second.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame::milter
