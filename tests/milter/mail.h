// Mail and DNS shared by the session and the daemon tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sesame::test {

using FieldList = std::vector<std::pair<std::string, std::string>>;  // values as an MTA gives them to a milter

// Signed with simple canonicalization: the signature holds only if every octet reaches the verifier, the space after
// the colons and the CRLF of the folds included.
inline FieldList signed_fields() {
  return {{"DKIM-Signature",
           " v=1; a=rsa-sha256; c=simple/simple; d=signed.example;\n"
           " i=@signed.example; q=dns/txt; s=s1; t=1700000000; h=from : subject :\n"
           " to; bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;\n"
           " b=FdiiHD43/K9T97kdrP21ru2/GL3a81kAGVyIiXKaCbbAVQJncMVtPObJdWjuoeyp9Lihu\n"
           " 2yJoCFD0yiU7tC7Ozgl95JtrdqvbxeQrhEp8tn9b8HTR1L/d5p4vI0U65I+kqGPbTfqvDcU\n"
           " yOs+Ov9A2obU4BHAQM+nrkPIGwfltww="},
          {"From", " Alice <alice@signed.example>"},
          {"Subject", "  folded\n\tsubject "},
          {"To", " bob@example.net"}};
}
inline const char* const kSignedBody = "Hello\r\n";

// Whose senders the tests use:
//   signed.example  p=reject, the key of the signature above       clean.example  p=reject, SPF for 192.0.2.0/24
//   dead.example    no server answers                              ours.example   set up with SES, DKIM keys published
//   fail, tag, hold, reject.example   p=reject and identities without DKIM, so that nothing aligns after SES
inline const char* const kZone = R"(
signed.example                TXT   v=spf1 -all
_dmarc.signed.example         TXT   v=DMARC1; p=reject
s1._domainkey.signed.example  TXT   v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCwhi8tAfMmjrdFgkFLzL0Qih0PQMFGZ0x6I0rkUkbT6AS/5dFl77kfGcYU7Ydp9uWv+MESCQhLj9cYUFSYk63zczx4yWiO1CtQwIWaFwNoO9JwWdIGxzmMyRN3XiOBEgvPJtFLEAmmsbxxGiC/VE3ZYEEXF8vq+6Qe8VNvsGJaWwIDAQAB
clean.example                 TXT   v=spf1 ip4:192.0.2.0/24 -all
clean.example                 MX    10 mail.clean.example
_dmarc.clean.example          TXT   v=DMARC1; p=reject
dead.example                  *     !TIMEOUT
_dmarc.dead.example           *     !TIMEOUT
amazonses.com                 TXT   v=spf1 ip4:198.51.100.0/24 -all
amazonses.com                 MX    10 mail.amazonses.com
ours.example                  MX    10 mail.ours.example
_dmarc.ours.example           TXT   v=DMARC1; p=reject
t1._domainkey.ours.example    CNAME t1.dkim.amazonses.com
t2._domainkey.ours.example    CNAME t2.dkim.amazonses.com
t3._domainkey.ours.example    CNAME t3.dkim.amazonses.com
t1.dkim.amazonses.com         TXT   v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCwhi8tAfMmjrdFgkFLzL0Qih0PQMFGZ0x6I0rkUkbT6AS/5dFl77kfGcYU7Ydp9uWv+MESCQhLj9cYUFSYk63zczx4yWiO1CtQwIWaFwNoO9JwWdIGxzmMyRN3XiOBEgvPJtFLEAmmsbxxGiC/VE3ZYEEXF8vq+6Qe8VNvsGJaWwIDAQAB
t2.dkim.amazonses.com         TXT   v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCwhi8tAfMmjrdFgkFLzL0Qih0PQMFGZ0x6I0rkUkbT6AS/5dFl77kfGcYU7Ydp9uWv+MESCQhLj9cYUFSYk63zczx4yWiO1CtQwIWaFwNoO9JwWdIGxzmMyRN3XiOBEgvPJtFLEAmmsbxxGiC/VE3ZYEEXF8vq+6Qe8VNvsGJaWwIDAQAB
t3.dkim.amazonses.com         TXT   v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCwhi8tAfMmjrdFgkFLzL0Qih0PQMFGZ0x6I0rkUkbT6AS/5dFl77kfGcYU7Ydp9uWv+MESCQhLj9cYUFSYk63zczx4yWiO1CtQwIWaFwNoO9JwWdIGxzmMyRN3XiOBEgvPJtFLEAmmsbxxGiC/VE3ZYEEXF8vq+6Qe8VNvsGJaWwIDAQAB
_dmarc.fail.example           TXT   v=DMARC1; p=reject
_dmarc.tag.example            TXT   v=DMARC1; p=reject
_dmarc.hold.example           TXT   v=DMARC1; p=reject
_dmarc.reject.example         TXT   v=DMARC1; p=reject
)";

}  // namespace sesame::test
