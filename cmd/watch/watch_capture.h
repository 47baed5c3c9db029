// Implements `procevent_exporter watch --events FILE`: prints the process events of a capture, one line each.
#pragma once

#include <functional>
#include <string>

#include "cmd/watch/event_printer.h"
#include "core/base/result.h"
#include "core/reader/capture_applier.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

// Appends the header and the events of a capture to `out`, and calls `flush` after each packet until it returns false.
// Memory is bounded: it reads at most 2 seconds of the recording, and 32 MiB, ahead of the printed event. A name that
// the recorder read later is missing. An error follows the events of the packets before it.
Status PrintCapturedEvents(CaptureFile file, const CaptureSummary& summary, const WatchOptions& options,
                           std::string& out, const std::function<bool()>& flush);

// Returns the exit code: 0 at the end of the capture, or 1 if reading or writing fails. Drops all privilege.
int WatchCapture(const WatchOptions& options, const std::string& file);

}  // namespace procevent
