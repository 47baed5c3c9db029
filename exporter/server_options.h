// What the HTTP server can be told. The configuration fills it in.
#pragma once

#include <string>
#include <vector>

namespace procevent {

struct ServerOptions {
  std::vector<std::string> listen_addresses{"0.0.0.0:13675"};  // as ParseListenAddress reads them
  std::string telemetry_path = "/metrics";                     // as CheckTelemetryPath allows it
  std::vector<std::string> allow;  // who may ask, as ParseAllowedNetwork reads it; empty: all
  unsigned max_requests = 40;      // scrapes served at once; more are answered 503

  bool operator==(const ServerOptions&) const = default;
};

}  // namespace procevent
