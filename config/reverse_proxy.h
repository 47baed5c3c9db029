// What is no setting of ours: TLS and authentication, which are a reverse proxy's. Pure; used for keys and variables,
// and by cmd for flags, so that nobody believes to be protected who is not.
#pragma once

#include <string>
#include <string_view>

#include "config/fault.h"

namespace procevent {

// Whether a key ("web.tls_cert"), a flag ("--web.config.file") or a variable's name ("WEB_TLS_CERT") asks for either.
bool IsReverseProxys(std::string_view name);

// The one message for all of them.
Fault ReverseProxyFault(std::string file, Place place, std::string name);

}  // namespace procevent
