// Values by text, for many threads.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "util/keyed_hash.h"
#include "util/lru_cache.h"

namespace sesame {

// Bounded in bytes, in shards of a mutex each, so that readers of different texts seldom meet; what is not asked for
// gives way. Thread-safe; what it gave stays valid as long as somebody holds it. find() allocates nothing.
template <class Value>
class ShardedCache {
 public:
  using Pointer = std::shared_ptr<const Value>;

  explicit ShardedCache(std::size_t max_bytes) {
    for (auto& shard : shards_) shard = std::make_unique<Shard>(max_bytes / kShards);
  }

  // Null when it is not there.
  Pointer find(const HashedText& key) {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.use(key);
    return found.value ? *found.value : nullptr;
  }

  // Replaces what the key had. `heap_bytes` is what the value holds outside of itself.
  void put(const HashedText& key, Pointer value, std::size_t heap_bytes) {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    shard.entries.put(std::string(key.text), std::move(value), key.text.size() + sizeof(Value) + heap_bytes,
                      Entries::Use::once);
  }

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& shard : shards_) {
      const std::lock_guard lock(shard->mutex);
      sum += shard->entries.bytes();
    }
    return sum;
  }

 private:
  using Entries = LruCache<std::string, Pointer>;
  struct Shard {
    explicit Shard(std::size_t max_bytes) : entries(max_bytes) {}
    mutable std::mutex mutex;
    Entries entries;
  };
  static constexpr std::size_t kShards = 8;  // a power of two

  Shard& shard_of(const HashedText& key) { return *shards_[key.hash >> 32 & (kShards - 1)]; }

  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace sesame
