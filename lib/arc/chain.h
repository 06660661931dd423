// The ARC fields of a message, sorted into sets: RFC 8617 Section 4.2.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dkim/signature.h"
#include "mail/field.h"
#include "util/result.h"

namespace sesame::arc {

inline constexpr std::size_t kMaxSets = 50;  // RFC 8617 Section 4.2.1

// The three fields of one instance.
struct Set {
  std::size_t results_field = 0;  // positions in the header
  std::size_t message_field = 0;
  std::size_t seal_field = 0;
  dkim::Signature message;  // ARC-Message-Signature
  dkim::MaybeProblem message_problem;
  dkim::Signature seal;  // ARC-Seal
  dkim::MaybeProblem seal_problem;
  std::string cv;
};

// True for the three names.
bool is_arc_field(const mail::Field& field);

// What follows "i=N;" in the value of an ARC-Authentication-Results field.
std::string_view results_payload(std::string_view field_value);

// Instance 1 first; empty without ARC fields. An error says what breaks the structure.
sesame::Result<std::vector<Set>> collect_sets(std::span<const mail::Field> fields);

}  // namespace sesame::arc
