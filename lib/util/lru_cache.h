// A map bounded in bytes that forgets first what was used once, then what was used least recently: a segmented LRU. A
// flood of keys that nobody asks for again passes through and drives out nothing that is in regular use.
//
// Invariants, true before and after every member function:
//  1. bytes() is the sum of the sizes given to put() for the entries present, plus kEntryOverhead for each;
//     protected_bytes() is the part of it that is in regular use.
//  2. bytes() <= max_bytes() and protected_bytes() <= protected_max(), four fifths. An entry that could not fit into
//     what that leaves is not kept.
//  3. The index and the two lists hold the same entries, each once.
//  4. Both lists are ordered by last use, latest first; use() and put() are uses, peek() is not.
//  5. What is put begins on probation. A second use puts it among the protected, where it stays, replaced or not, until
//     they take too much: then the one of them used least recently goes back to the head of the probation.
//  6. Only entries on probation are removed to make room. evictions() counts those, and only those.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

#include "util/keyed_hash.h"

namespace sesame {

// Not thread-safe: its owner holds the mutex. Keys are found by whatever compares with them through == and has the same
// Hash. That must be keyed with what nobody outside knows: keys come from the network, and whoever could choose ones of
// the same hash would make of every search a walk through all of them.
template <class Key, class Value, class Hash = KeyedHash>
class LruCache {
  struct Entry;
  using Entries = std::list<Entry>;
  using Iterator = typename Entries::iterator;

 public:
  // What the list node and the index node take for one entry, roughly.
  static constexpr std::size_t kEntryOverhead = sizeof(Key) + sizeof(Value) + 14 * sizeof(void*);

  // Has somebody asked for what is put, or was it fetched in case somebody will?
  enum class Use { none, once };

  struct Found {
    Value* value = nullptr;  // valid until the next put() or erase()
    bool in_use = false;     // used before
  };

  explicit LruCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  LruCache(const LruCache&) = delete;
  LruCache& operator=(const LruCache&) = delete;

  template <class K = Key>
  Found use(const K& key) {
    const auto found = find(key);
    if (found == index_.end()) return {};
    const auto entry = found->second;
    const bool before = std::exchange(entry->used, true);
    if (!before) {
      probation_.splice(probation_.begin(), probation_, entry);
    } else if (entry->in_use) {
      protected_.splice(protected_.begin(), protected_, entry);
    } else {
      protect(entry);
    }
    return {&entry->value, before};
  }

  template <class K = Key>
  Value* peek(const K& key) {
    const auto found = find(key);
    return found == index_.end() ? nullptr : &found->second->value;
  }

  // Replaces what the key had. `bytes` is what key and value hold outside of themselves.
  void put(Key key, Value value, std::size_t bytes, Use use) {
    bool used = use == Use::once;
    bool in_use = false;
    if (const auto old = find(key); old != index_.end()) {
      used = used || old->second->used;
      in_use = old->second->in_use;
      remove(old);
    }
    const auto largest = max_bytes_ - protected_max();
    if (bytes > largest || largest - bytes < kEntryOverhead) return;
    auto& list = in_use ? protected_ : probation_;
    const auto size = bytes + kEntryOverhead;
    list.push_front({std::move(key), std::move(value), size, used, in_use});
    index_.emplace(Hash{}(list.front().key), list.begin());
    bytes_ += size;
    if (in_use) protected_bytes_ += size;
    limit_protected();
    while (bytes_ > max_bytes_) {
      remove(find(probation_.back().key));
      ++evictions_;
    }
  }

  template <class K = Key>
  bool erase(const K& key) {
    const auto found = find(key);
    if (found == index_.end()) return false;
    remove(found);
    return true;
  }

  // What would be forgotten first comes first.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto* list : {&probation_, &protected_})
      for (auto entry = list->rbegin(); entry != list->rend(); ++entry) visit(entry->key, entry->value, entry->in_use);
  }

  std::size_t size() const { return index_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t protected_bytes() const { return protected_bytes_; }
  std::size_t max_bytes() const { return max_bytes_; }
  std::size_t protected_max() const { return max_bytes_ / 5 * 4; }
  std::uint64_t evictions() const { return evictions_; }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t bytes;
    bool used;    // asked for at least once
    bool in_use;  // in the list of the protected
  };

  // Good as it is.
  struct AsIs {
    std::size_t operator()(std::uint64_t hash) const noexcept { return hash; }
  };
  using Index = std::unordered_multimap<std::uint64_t, Iterator, AsIs>;

  template <class K>
  typename Index::iterator find(const K& key) {
    const auto hash = Hash{}(key);
    auto found = index_.find(hash);
    while (found != index_.end() && !(found->second->key == key))
      if (++found != index_.end() && found->first != hash) return index_.end();
    return found;
  }

  void protect(Iterator entry) {
    protected_.splice(protected_.begin(), probation_, entry);
    entry->in_use = true;
    protected_bytes_ += entry->bytes;
    limit_protected();
  }

  void limit_protected() {
    while (protected_bytes_ > protected_max()) {
      const auto last = std::prev(protected_.end());
      last->in_use = false;
      protected_bytes_ -= last->bytes;
      probation_.splice(probation_.begin(), protected_, last);
    }
  }

  void remove(typename Index::iterator found) {
    const auto entry = found->second;
    index_.erase(found);
    bytes_ -= entry->bytes;
    if (entry->in_use) protected_bytes_ -= entry->bytes;
    (entry->in_use ? protected_ : probation_).erase(entry);
  }

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::size_t protected_bytes_ = 0;
  std::uint64_t evictions_ = 0;
  Entries probation_;
  Entries protected_;
  Index index_;
};

}  // namespace sesame
