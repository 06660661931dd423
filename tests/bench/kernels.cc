// What the parts of a verdict cost, each by itself (Google Benchmark). Without options prints one flat JSON object:
// "NAME" in nanoseconds, or GB/s where octets go through; "NAME allocations"; "relaxed_share", the least share that
// relaxed canonicalisation and SHA-256 have of the speed of SHA-256 alone, of bodies as mail has them. With options of
// Google Benchmark it is told as that tells it.
#include "bench/kernels.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>

namespace {

std::atomic<std::uint64_t> allocated = 0;

void* counted(std::size_t size) {
  allocated.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

class FlatReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      const auto name = run.run_name.str();
      const auto octets = run.counters.find("bytes_per_second");
      const auto allocations = run.counters.find("allocations");
      if (octets != run.counters.end())
        figures_[name] = octets->second.value / 1e9;
      else
        figures_[name] = run.GetAdjustedCPUTime();
      if (allocations != run.counters.end()) figures_[name + " allocations"] = allocations->second.value;
    }
  }
  nlohmann::json figures() {
    double least = 1e9;
    for (const std::string kind : {"text", "base64"}) {
      const double share = figures_.at("relaxed/" + kind).get<double>() / figures_.at("raw/" + kind).get<double>();
      figures_["relaxed_share/" + kind] = share;
      least = std::min(least, share);
    }
    figures_["relaxed_share"] = least;
    return figures_;
  }

 private:
  nlohmann::json figures_ = nlohmann::json::object();
};

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace sesame::bench {

std::uint64_t allocations() {
  return allocated.load(std::memory_order_relaxed);
}

}  // namespace sesame::bench

int main(int argc, char** argv) {
  const bool plain = argc == 1;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (!plain) {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }
  FlatReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::cout << reporter.figures().dump(2) << std::endl;
  return 0;
}
