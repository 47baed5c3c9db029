#include "cmd/capture/capture_check.h"

#include <utility>

#include "core/reader/capture_applier.h"
#include "core/sources/capture/capture_file.h"

namespace procevent {

Status CheckCapture(const std::string& file) {
  const auto stored = StoredCapture::Open(file);
  if (!stored) {
    return stored.error();
  }
  auto capture = stored.value().StartReading();
  if (!capture) {
    return capture.error();
  }
  const auto summary = CaptureSummary::ReadFrom(std::move(capture).value());
  return summary ? Status(Success{}) : summary.error();
}

}  // namespace procevent
