// Queries the health of the exporter that serves on this machine: `procevent_exporter healthcheck`.
#pragma once

#include "exporter/http/http_handler.h"

namespace procevent {

// For containers, whose images hold no other program that could. Prints the result. Returns the exit code: 0 if the
// exporter is healthy, else 1.
int HealthCheck(const ServerOptions& options);

}  // namespace procevent
