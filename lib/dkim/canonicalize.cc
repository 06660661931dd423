#include "dkim/canonicalize.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "util/scan.h"
#include "util/text.h"

namespace sesame::dkim {
namespace {

constexpr std::size_t kLongRun = 512;  // octets from which a copy costs more than another call
constexpr std::string_view kLineEnds = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
constexpr std::string_view kCrlf = kLineEnds.substr(0, 2);

constexpr std::uint8_t kTab = '\t';
constexpr std::uint8_t kCr = '\r';
constexpr std::uint8_t kSpace = ' ';

// Where white space may be otherwise in the relaxed form: a tab, or a space in front of a space, a tab or a CR (or of
// another control octet, which is rare). A single space inside a line stays.
constexpr auto kOddSpace = [](auto octet, auto next) {
  return (octet == kTab) | ((octet == kSpace) & (next <= kSpace));
};
// The same, or the beginning of a fold.
constexpr auto kOddSpaceOrCr = [](auto octet, auto next) {
  return (octet == kTab) | (octet == kCr) | ((octet == kSpace) & (next <= kSpace));
};

// RFC 6376 Section 3.4.2: unfolded, runs of white space as one space, none at the ends.
void append_relaxed(std::string_view value, std::string& out) {
  while (!value.empty() && (is_wsp(value.back()) || value.ends_with(kCrlf)))
    value.remove_suffix(is_wsp(value.back()) ? 1 : 2);
  const auto begin = out.size();
  scan::PairFinder odd(value, kOddSpaceOrCr);
  bool space = false;
  for (std::size_t at = 0; at < value.size();) {
    if (value.substr(at, 2) == kCrlf) {
      at += 2;
      continue;
    }
    if (is_wsp(value[at])) {
      space = true;
      ++at;
      continue;
    }
    if (space && out.size() > begin) out += ' ';
    space = false;
    // What stands here is text, a CR alone too.
    const auto end = odd.next(at + 1);
    out += value.substr(at, end - at);
    at = end;
  }
}

// The position from which nothing but line ends, white space that does not count and perhaps half a line end follows.
std::size_t text_end(std::string_view chunk, Canonicalization how) {
  if (chunk.ends_with('\r')) chunk.remove_suffix(1);
  for (;;) {
    if (chunk.ends_with(kCrlf))
      chunk.remove_suffix(2);
    else if (how == Canonicalization::relaxed && !chunk.empty() && is_wsp(chunk.back()))
      chunk.remove_suffix(1);
    else
      return chunk.size();
  }
}

}  // namespace

void append_canonical(std::string_view name, std::string_view value, Canonicalization how, std::string& out) {
  if (how == Canonicalization::simple) {
    out += name;
    out += ':';
    out += value;
    return;
  }
  for (const char c : trim(name)) out += to_lower(c);
  out += ':';
  append_relaxed(value, out);
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

BodyCanonicalizer::BodyCanonicalizer(Canonicalization how, Sink sink) : how_(how), sink_(std::move(sink)) {}

// White space and line ends are held back until it is known that text follows them. What stands in a chunk before its
// last text is no such end of anything: most of it goes out as it is.
void BodyCanonicalizer::write(std::string_view chunk) {
  if (chunk.empty()) return;
  settle_cr(chunk);
  if (holds_back()) {
    take_blank(chunk);
    if (!chunk.empty()) begin_text();
  }
  const auto text = chunk.substr(0, text_end(chunk, how_));
  if (!text.empty()) take_text(text);
  chunk.remove_prefix(text.size());
  take_blank(chunk);
  flush();
}

// Of a CR that was the end of the last chunk.
void BodyCanonicalizer::settle_cr(std::string_view& chunk) {
  if (!std::exchange(cr_, false)) return;
  if (chunk.front() == '\n') {
    ++line_ends_;
    space_ = false;
    chunk.remove_prefix(1);
  } else {
    begin_text();
    put("\r");  // a CR alone is an octet like any other
  }
}

// Holds back what the chunk begins with.
void BodyCanonicalizer::take_blank(std::string_view& chunk) {
  for (; !chunk.empty(); chunk.remove_prefix(1)) {
    if (chunk.starts_with(kCrlf)) {
      // RFC 6376 Section 3.4.4: white space at the end of a line is ignored.
      space_ = false;
      ++line_ends_;
      chunk.remove_prefix(1);
    } else if (chunk == "\r") {
      cr_ = true;
    } else if (how_ == Canonicalization::relaxed && is_wsp(chunk.front())) {
      space_ = true;
    } else {
      return;
    }
  }
}

// While nothing is held back; the last octet is text.
void BodyCanonicalizer::take_text(std::string_view text) {
  any_text_ = true;
  std::size_t done = 0;
  if (how_ == Canonicalization::relaxed) {
    scan::PairFinder odd(text, kOddSpace);
    for (auto begin = odd.next(0); begin < text.size();) {
      auto end = begin + 1;
      while (is_wsp(text[end])) ++end;
      const bool ends_line = text.substr(end, 2) == kCrlf;
      if (ends_line || end > begin + 1 || text[begin] != ' ') {
        put(text.substr(done, begin - done));
        // The last of them, if it is a space, goes out with what follows.
        done = ends_line || text[end - 1] != ' ' ? end : end - 1;
        if (!ends_line && done == end) put_space();
      }
      begin = odd.next(end);
    }
  }
  put(text.substr(done));
}

// What was held back turns out not to be the end of the body or of the line.
void BodyCanonicalizer::begin_text() {
  for (; line_ends_ >= kLineEnds.size() / 2; line_ends_ -= kLineEnds.size() / 2) put(kLineEnds);
  put(kLineEnds.substr(0, static_cast<std::size_t>(std::exchange(line_ends_, 0)) * 2));
  if (std::exchange(space_, false)) put_space();
  any_text_ = true;
}

void BodyCanonicalizer::put(std::string_view octets) {
  if (octets.size() >= kLongRun) {
    flush();
    sink_(octets);
    return;
  }
  if (octets.size() > gathered_.size() - gathered_size_) flush();
  std::memcpy(gathered_.data() + gathered_size_, octets.data(), octets.size());
  gathered_size_ += octets.size();
}

void BodyCanonicalizer::put_space() {
  if (gathered_size_ == gathered_.size()) flush();
  gathered_[gathered_size_++] = ' ';
}

void BodyCanonicalizer::flush() {
  if (gathered_size_ > 0) sink_({gathered_.data(), gathered_size_});
  gathered_size_ = 0;
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
