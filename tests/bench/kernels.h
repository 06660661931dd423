// What the benchmarks of this program share.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace sesame::bench {

// How often memory was asked for since the start, by all threads.
std::uint64_t allocations();

// Runs the body of a benchmark, and counts what it allocates each time.
template <class Body>
void measure(benchmark::State& state, Body body) {
  body();  // what is made once is made
  const auto before = allocations();
  for ([[maybe_unused]] auto _ : state) body();
  if (state.threads() == 1)
    state.counters["allocations"] =
        static_cast<double>(allocations() - before) / static_cast<double>(state.iterations());
}

}  // namespace sesame::bench
