// Chains sealed by hand, so that odd ones are right in everything but their oddity. What is written is what is signed:
// all fields are in their relaxed form already.
#pragma once

#include <string>
#include <vector>

#include "support/signer.h"

namespace sesame::test {

// One sealer on the way.
struct Hop {
  std::string results = "i=N; mx.example.org; spf=pass";  // N becomes the instance, here and in `instance`
  std::string instance = "i=N; ";                         // of the message signature and the seal
  std::string domain = "example.org";                     // of both; the selector is "s"
  std::string names = "from";                             // h= of the message signature
  std::string message_tags = {};                          // added to it: "x=1; "
  std::string seal_tags = {};                             // added to the seal
  std::string cv = {};                                    // none and pass when empty
  std::string tail = {};                                  // behind the b= of both
  std::string added_text = {};                            // what this hop writes at the end of the body
  const Signer* signer = &Signer::rsa(1024);
  std::string algorithm = "rsa-sha256";
};

inline const std::string kSealedHeader = "from:a@example.com\r\n";
inline const std::string kSealedBody = "hello\r\n";

std::string sealed(const std::vector<Hop>& hops);

}  // namespace sesame::test
