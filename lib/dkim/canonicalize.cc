#include "dkim/canonicalize.h"

#include <algorithm>
#include <utility>

#include "util/text.h"

namespace sesame::dkim {
namespace {

constexpr std::size_t kFlushAt = 4096;
constexpr std::string_view kCrlf = "\r\n";

// RFC 6376 Section 3.4.2: unfolded, runs of white space as one space, none at the ends.
std::string relaxed_value(std::string_view value) {
  std::string result;
  bool space = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.substr(i, 2) == kCrlf) {
      ++i;
      continue;
    }
    if (is_wsp(value[i])) {
      space = true;
      continue;
    }
    if (space && !result.empty()) result += ' ';
    space = false;
    result += value[i];
  }
  return result;
}

}  // namespace

std::string canonical_field(const mail::Field& field, Canonicalization how) {
  if (how == Canonicalization::simple) return field.name + ":" + field.value;
  return lower(mail::name_of(field)) + ":" + relaxed_value(field.value);
}

std::string without_signature(std::string_view field_value) {
  std::string result;
  for (std::size_t at = 0; at <= field_value.size();) {
    const auto end = std::min(field_value.find(';', at), field_value.size());
    const auto spec = field_value.substr(at, end - at);
    const auto equals = spec.find('=');
    const bool is_b = equals != std::string_view::npos && trim(spec.substr(0, equals)) == "b";
    result += is_b ? spec.substr(0, equals + 1) : spec;
    if (end < field_value.size()) result += ';';
    at = end + 1;
  }
  return result;
}

BodyCanonicalizer::BodyCanonicalizer(Canonicalization how, Sink sink) : how_(how), sink_(std::move(sink)) {
  out_.reserve(kFlushAt);
}

void BodyCanonicalizer::write(std::string_view chunk) {
  while (!chunk.empty()) {
    if (cr_) {
      cr_ = false;
      if (chunk.front() == '\n') {
        // RFC 6376 Section 3.4.4: white space at the end of a line is ignored.
        space_ = false;
        ++line_ends_;
        chunk.remove_prefix(1);
        continue;
      }
      begin_text();
      put("\r");  // a CR alone is an octet like any other
    }
    const auto end = std::min(chunk.find('\r'), chunk.size());
    text(chunk.substr(0, end));
    cr_ = end < chunk.size();
    chunk.remove_prefix(std::min(end + 1, chunk.size()));
  }
  flush();
}

// A run without CR.
void BodyCanonicalizer::text(std::string_view run) {
  if (run.empty()) return;
  if (how_ == Canonicalization::simple) {
    begin_text();
    put(run);
    return;
  }
  while (!run.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(run, is_wsp) - run.begin());
    if (end > 0) {
      begin_text();
      put(run.substr(0, end));
    }
    space_ = space_ || end < run.size();
    run.remove_prefix(std::min(end + 1, run.size()));
  }
}

// What was held back turns out not to be the end of the body or of the line.
void BodyCanonicalizer::begin_text() {
  for (; line_ends_ > 0; --line_ends_) put(kCrlf);
  if (space_) put(" ");
  space_ = false;
  any_text_ = true;
}

void BodyCanonicalizer::put(std::string_view octets) {
  if (octets.size() >= kFlushAt) {
    flush();
    sink_(octets);
    return;
  }
  out_ += octets;
  if (out_.size() >= kFlushAt) flush();
}

void BodyCanonicalizer::flush() {
  if (!out_.empty()) sink_(out_);
  out_.clear();
}

void BodyCanonicalizer::finish() {
  if (cr_) {
    begin_text();
    put("\r");
  }
  // RFC 6376 Section 3.4.3: an empty body is a CRLF; Section 3.4.4: relaxed, it stays empty.
  if (any_text_ || how_ == Canonicalization::simple) put(kCrlf);
  flush();
}

}  // namespace sesame::dkim
