// The shared credentials file of the AWS command line and SDKs. Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "util/result.h"

namespace sesame::sync {

using Profile = std::map<std::string, std::string>;  // settings by their name in lower case

// "[profile]" and "name = value" lines. Nothing when there is no such profile.
std::optional<Profile> find_profile(std::string_view text, std::string_view name);

}  // namespace sesame::sync
