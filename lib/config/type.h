// What a setting may hold, each kind with the sentence that says so. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "config/table.h"

namespace sesame::config {

Type boolean();
Type integer(double least, double most);
Type number(double least, double most);
Type word(const std::vector<std::string>& words);  // exactly one of these
Type list_of(const Type& element);

Type authserv_id();
Type user_name();
Type daemon_name();
Type milter_socket();
Type dns_server();
Type log_destination();
Type history_store();
Type status_listen();
Type path();      // absolute; "" allowed
Type argument();  // of a program
Type mailbox_or_empty();
Type url_or_empty();  // http or https
Type network();
Type domain();
Type domain_or_empty();
Type identity_name();  // a domain, or an address
Type account_name();
Type author_or_empty();  // a domain, an address, or ""
Type relay_host();       // or ""
Type configuration_set();
Type configuration_set_or_empty();
Type region();
Type dkim_origin();
Type dkim_token();

}  // namespace sesame::config
