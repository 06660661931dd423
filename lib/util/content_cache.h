// What texts come to once they are read: parsed records by their text. A text always reads the same, so nothing here
// grows old; what is not asked for gives way.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "util/keyed_hash.h"
#include "util/lru_cache.h"

namespace sesame {

// Bounded in bytes, in shards of a mutex each, so that readers of different texts seldom meet. Thread-safe; what it
// gave stays valid as long as somebody holds it. A hit allocates nothing.
template <class Value>
class ContentCache {
 public:
  using Pointer = std::shared_ptr<const Value>;
  using HeapBytes = std::size_t (*)(const Value& value);

  // `heap_bytes` tells what a value holds outside of itself.
  ContentCache(std::size_t max_bytes, HeapBytes heap_bytes) : heap_bytes_(heap_bytes) {
    for (auto& shard : shards_) shard = std::make_unique<Shard>(max_bytes / kShards);
  }

  // What `read(text)` returned when it was last called for this text, or returns now.
  template <class Read>
  Pointer get(std::string_view text, Read read) {
    const HashedText key(text);
    auto& shard = *shards_[key.hash >> 32 & (kShards - 1)];
    {
      const std::lock_guard lock(shard.mutex);
      if (const auto found = shard.entries.use(key); found.value) return *found.value;
    }
    auto value = std::make_shared<const Value>(read(text));
    const std::lock_guard lock(shard.mutex);
    shard.entries.put(std::string(text), value, text.size() + sizeof(Value) + heap_bytes_(*value), Entries::Use::once);
    return value;
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

  const HeapBytes heap_bytes_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace sesame
