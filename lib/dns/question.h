// What is asked: a name and a type, as keys of what is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dns/record.h"
#include "util/keyed_hash.h"

namespace sesame::dns {

struct QuestionView {
  // The name is canonical.
  QuestionView(std::string_view of, Type wanted) : name(of), type(wanted), name_hash(keyed_hash(of)) {}
  std::string_view name;
  Type type;
  std::uint64_t name_hash;  // all types of a name are kept in one place
};

struct Question {
  std::string name;
  Type type;
  operator QuestionView() const { return {name, type}; }  // NOLINT(google-explicit-constructor): as with strings
};

struct QuestionHash {
  using is_transparent = void;
  std::size_t operator()(const QuestionView& question) const {
    return question.name_hash + static_cast<std::uint64_t>(question.type);
  }
};

struct SameQuestion {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.type == b.type && a.name == b.name;
  }
};

inline bool operator==(const Question& a, const QuestionView& b) {
  return SameQuestion{}(a, b);
}
inline bool operator==(const Question& a, const Question& b) {
  return SameQuestion{}(a, b);
}

}  // namespace sesame::dns
