// AWS Signature Version 4, for the requests that a libcurl signs wrongly; it signs all others itself.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

namespace sesame::http {

// The headers that sign a GET: `path` and `query` as they go over the wire, percent-encoded, the parameters in the
// order of their names. The header Host, which is signed, is among them.
std::vector<std::string> sign_get(const Signature& signature, const std::string& host, const std::string& path,
                                  const std::string& query, std::int64_t now);

// SHA-256 in hexadecimal digits.
std::string hashed(std::string_view text);

}  // namespace sesame::http
