// The header half of a signature's input: RFC 6376 Sections 3.7 and 5.4.2.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dkim/signature.h"
#include "mail/field.h"

namespace sesame::dkim {

// Where each field name occurs.
class FieldIndex {
 public:
  explicit FieldIndex(std::span<const mail::Field> fields);
  std::span<const mail::Field> fields() const { return fields_; }
  // Positions of fields of that name (lower case), top first.
  std::span<const std::size_t> of(std::string_view name) const;

 private:
  std::span<const mail::Field> fields_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> positions_;
};

// The digest that b= signs; `own` is the position of the signature's own field.
std::vector<std::uint8_t> header_digest(const Signature& signature, const FieldIndex& index, std::size_t own);

}  // namespace sesame::dkim
