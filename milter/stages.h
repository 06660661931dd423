// How long the parts of a message took.
#pragma once

#include <chrono>

namespace sesame::milter {

struct Stages {
  std::chrono::microseconds dns{};             // waited for, at the end of the message
  std::chrono::microseconds end_of_message{};  // from the end of the body to the verdict, that included
  std::chrono::microseconds transaction{};     // from MAIL to the verdict; the client's time is among it
};

}  // namespace sesame::milter
