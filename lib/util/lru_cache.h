// A map bounded in bytes that forgets what was used least recently.
//
// Invariants, true before and after every member function:
//  1. bytes() is the sum of the sizes given to put() for the entries present, plus kEntryOverhead for each.
//  2. bytes() <= max_bytes(). An entry that could not fit alone is not kept.
//  3. The list and the index hold the same entries: every key once, every index value pointing at its list node.
//  4. The list is ordered by last use, latest first; put() and find() are uses, peeking through size() or bytes() is
//  not.
//  5. evictions() counts the entries removed to make room, and only those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace sesame {

// Not thread-safe: its owner holds the mutex.
template <class Key, class Value, class Hash = std::hash<Key>>
class LruCache {
 public:
  // What the list node and the index take for one entry, roughly.
  static constexpr std::size_t kEntryOverhead = 2 * sizeof(Key) + sizeof(Value) + 8 * sizeof(void*);

  explicit LruCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  LruCache(const LruCache&) = delete;
  LruCache& operator=(const LruCache&) = delete;

  // The value, now the latest used; null when absent. Valid until the next put() or erase().
  Value* find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }

  // Replaces what the key had. `bytes` is what key and value hold outside of themselves.
  void put(const Key& key, Value value, std::size_t bytes) {
    erase(key);
    if (bytes > max_bytes_ || max_bytes_ - bytes < kEntryOverhead) return;
    const auto size = bytes + kEntryOverhead;
    while (max_bytes_ - bytes_ < size) {
      erase(entries_.back().key);
      ++evictions_;
    }
    entries_.push_front({key, std::move(value), size});
    index_.emplace(key, entries_.begin());
    bytes_ += size;
  }

  bool erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return false;
    const auto entry = found->second;
    bytes_ -= entry->bytes;
    // `key` may be the entry's own, so the entry goes last.
    index_.erase(found);
    entries_.erase(entry);
    return true;
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t max_bytes() const { return max_bytes_; }
  std::uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t bytes;
  };

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
  std::list<Entry> entries_;
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

}  // namespace sesame
