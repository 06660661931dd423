// The header half of a signature's input: RFC 6376 Sections 3.7 and 5.4.2.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dkim/signature.h"
#include "mail/field.h"

namespace sesame::dkim {

// Where each field name occurs.
class FieldIndex {
 public:
  struct Place {
    std::string_view name;
    std::size_t position = 0;  // among the fields
  };

  // The fields stay where they are as long as this is used.
  explicit FieldIndex(std::span<const mail::Field> fields);
  std::span<const mail::Field> fields() const { return fields_; }
  // All of them, those of one name together and top first.
  std::span<const Place> places() const { return places_; }
  // Those of that name, in any case.
  std::span<const Place> of(std::string_view name) const;

 private:
  std::span<const mail::Field> fields_;
  std::vector<Place> places_;
};

// The digest that b= signs; `own` is the position of the signature's own field.
std::vector<std::uint8_t> header_digest(const Signature& signature, const FieldIndex& index, std::size_t own);

}  // namespace sesame::dkim
