// Looks as a watch makes them, for what remembers them and tells of them; and files that go away.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "watch/memory.h"

namespace sesame::test {

inline constexpr std::int64_t kStart = 1767225600;  // 2026-01-01T00:00:00Z
inline constexpr const char* kKeyName = "t1._domainkey.example.com";

// A directory of its own.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sesame-watch-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data()) ? pattern : "";
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline watch::Subject subject_of(const std::string& identity = "example.com") {
  const auto at = identity.find('@');
  const auto domain = at == std::string::npos ? identity : identity.substr(at + 1);
  watch::Subject subject{identity, "main", "us-east-1", domain, {}};
  subject.records.push_back(
      {watch::Part::dkim, "t1._domainkey." + domain, {dns::Type::cname, dns::Type::txt}, "t1.dkim.amazonses.com"});
  return subject;
}

struct Server {
  std::string name, address;
};
inline const Server kFirst{"ns1.example.com", "192.0.2.52"};
inline const Server kSecond{"ns2.example.com", "192.0.2.53"};
inline const Server kResolver{"", ""};

struct Said {
  Server server;
  watch::Quality quality = watch::Quality::good;
  std::string answer = "a key of 2048 bits";
  dns::Transport transport = dns::Transport::udp;
  std::chrono::microseconds latency{4000};
};

// One look: these answers to TXT at the first record of the subject.
inline watch::Look look_at(std::int64_t time, const std::vector<Said>& answers,
                           const watch::Subject& subject = subject_of()) {
  watch::Look look;
  look.subject = subject;
  look.time = time;
  look.zones = {subject.domain};
  watch::RecordLook record{subject.records.front(), {}};
  for (const auto& said : answers) {
    watch::Observation seen;
    seen.time = time;
    seen.name = record.record.name;
    seen.server = said.server.name;
    seen.address = said.server.address;
    seen.transport = said.transport;
    seen.quality = said.quality;
    seen.answer = said.answer;
    seen.latency = said.latency;
    seen.ttl = 300;
    record.observations.push_back(std::move(seen));
  }
  look.records.push_back(std::move(record));
  return look;
}

inline watch::RecordKey key_of(const watch::Subject& subject = subject_of()) {
  const auto& record = subject.records.front();
  return {subject.account, subject.identity, subject.region, record.part, record.name};
}

inline watch::RecordState state_of(watch::State state, std::int64_t since,
                                   const watch::Subject& subject = subject_of()) {
  watch::RecordState record;
  record.key = key_of(subject);
  record.state = state;
  record.since = record.checked = since;
  return record;
}

// Open for writing, in a directory of its own.
class Remembered {
 public:
  Remembered() : memory_(watch::Memory::open(path(), watch::Memory::Access::read_write)) {}
  std::string path() const { return directory_.file("watch.sqlite"); }
  const ScratchDirectory& directory() const { return directory_; }
  watch::Memory& operator*() { return **memory_; }
  watch::Memory* operator->() { return memory_->get(); }
  bool is_open() const { return memory_.has_value(); }
  void close() { memory_ = failure("closed"); }

 private:
  ScratchDirectory directory_;
  Result<std::unique_ptr<watch::Memory>> memory_;
};

}  // namespace sesame::test
