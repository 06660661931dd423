// What texts come to once they are read: parsed records by their text. A text always reads the same, so nothing here
// grows old.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "util/sharded_cache.h"

namespace sesame {

// Bounded in bytes. Thread-safe; what it gave stays valid as long as somebody holds it. A hit allocates nothing.
template <class Value>
class ContentCache {
 public:
  using Pointer = std::shared_ptr<const Value>;
  using HeapBytes = std::size_t (*)(const Value& value);

  // `heap_bytes` tells what a value holds outside of itself.
  ContentCache(std::size_t max_bytes, HeapBytes heap_bytes) : heap_bytes_(heap_bytes), entries_(max_bytes) {}

  // What `read(text)` returned when it was last called for this text, or returns now.
  template <class Read>
  Pointer get(std::string_view text, Read read) {
    const HashedText key(text);
    if (auto known = entries_.find(key)) return known;
    auto value = std::make_shared<const Value>(read(text));
    entries_.put(key, value, heap_bytes_(*value));
    return value;
  }

  std::size_t bytes() const { return entries_.bytes(); }

 private:
  const HeapBytes heap_bytes_;
  ShardedCache<Value> entries_;
};

}  // namespace sesame
