// `procevent_exporter healthcheck`: asks the exporter that serves on this machine whether it is healthy, for
// containers, whose images have no other program that could. Used by Run.
#pragma once

#include "exporter/http/http_handler.h"

namespace procevent {

// Tells what it was answered. The exit code: 0 if that is "healthy", else 1.
int HealthCheck(const ServerOptions& options);

}  // namespace procevent
