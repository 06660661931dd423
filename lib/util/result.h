// What may fail returns Result<T>. The one place that names the library, to become std::expected.
#pragma once

#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace sesame {

// Why something could not be done, as one sentence for the person who can mend it.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

// What a number of errno says, for any thread.
inline std::string errno_text(int number) {
  return std::generic_category().message(number);
}

}  // namespace sesame
