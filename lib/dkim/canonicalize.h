// Canonical forms: RFC 6376 Section 3.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sesame::dkim {

enum class Canonicalization { simple, relaxed };

// A header field without its final CRLF, appended to `out`.
void append_canonical(std::string_view name, std::string_view value, Canonicalization how, std::string& out);

// The text of a signature field with the value of b= taken out, white space around it included (RFC 6376 Section 3.7).
std::string without_signature(std::string_view field_value);

// The body in chunks of any size; what comes out is the same for every chunking. Octets that stay as they are come out
// where they stand in the chunk, in runs as long as possible; only short runs are gathered. Runs of empty lines and of
// white space are counted, not kept.
class BodyCanonicalizer {
 public:
  using Sink = std::function<void(std::string_view)>;

  BodyCanonicalizer(Canonicalization how, Sink sink);
  void write(std::string_view chunk);
  // Once, at the end of the body.
  void finish();

 private:
  bool holds_back() const { return cr_ || space_ || line_ends_ > 0; }
  void settle_cr(std::string_view& chunk);
  void take_blank(std::string_view& chunk);
  void take_text(std::string_view text);
  void begin_text();
  void put(std::string_view octets);
  void put_space();
  void flush();

  Canonicalization how_;
  Sink sink_;
  std::array<char, 4096> gathered_;
  std::size_t gathered_size_ = 0;
  std::uint64_t line_ends_ = 0;  // CRLFs since the last text, held back as they may be the end of the body
  bool cr_ = false;              // the last octet was a CR
  bool space_ = false;           // relaxed: white space since the last text on this line
  bool any_text_ = false;
};

}  // namespace sesame::dkim
