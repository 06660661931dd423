#include "sealed.h"

#include <algorithm>

namespace sesame::test {
namespace {

std::string numbered(std::string text, std::size_t instance) {
  for (auto at = text.find('N'); at != std::string::npos; at = text.find('N', at))
    text.replace(at, 1, std::to_string(instance));
  return text;
}

// The field with what b= signs: what comes before, and itself.
std::string signed_field(const Hop& hop, const std::string& covered, const std::string& field) {
  const auto* const hash = hop.algorithm == "rsa-sha1" ? "SHA1" : "SHA256";
  // White space around the value of b= goes with it: RFC 6376 Section 3.5.
  const auto signed_tail = hop.tail.substr(std::min(hop.tail.find_first_not_of(' '), hop.tail.size()));
  return field + hop.signer->sign(covered + field + signed_tail, hash) + hop.tail + "\r\n";
}

}  // namespace

std::string sealed(const std::vector<Hop>& hops) {
  std::string sets;  // oldest first, as the seals cover them
  std::string header = kSealedHeader;
  std::string body = kSealedBody;
  for (std::size_t i = 0; i < hops.size(); ++i) {
    const auto& hop = hops[i];
    const auto n = i + 1;
    const auto signer = "a=" + hop.algorithm + "; d=" + hop.domain + "; s=s; ";
    body += hop.added_text;
    const auto results = "arc-authentication-results:" + numbered(hop.results, n) + "\r\n";
    const auto* const hash = hop.algorithm == "rsa-sha1" ? "SHA1" : "SHA256";
    const auto covered = hop.names.find("from") == std::string::npos ? "" : kSealedHeader;
    const auto message = signed_field(hop, covered,
                                      "arc-message-signature:" + numbered(hop.instance, n) + signer +
                                          "c=relaxed/relaxed; h=" + hop.names + "; " + hop.message_tags +
                                          "bh=" + base64(digest(body, hash)) + "; b=");
    const auto cv = !hop.cv.empty() ? hop.cv : i == 0 ? "none" : "pass";
    const auto seal =
        signed_field(hop, sets + results + message,
                     "arc-seal:" + numbered(hop.instance, n) + signer + "cv=" + cv + "; " + hop.seal_tags + "b=");
    sets += results + message + seal;
    header = seal + message + results + header;
  }
  return header + "\r\n" + body;
}

}  // namespace sesame::test
