// The sources of a reader, and where they are made.
#pragma once

#include <memory>
#include <vector>

#include "core/sources/connector/connector_source.h"
#include "core/sources/connector/event_source.h"
#include "core/sources/source.h"

namespace procevent {

struct ReaderSources {
  std::unique_ptr<EventSource> events;
  std::vector<std::unique_ptr<Source>> secondary = {};  // their inputs explain events
};

// Makes the sources of the kernel. To be called while the process has its privilege. A secondary source is registered
// here.
inline ReaderSources MakeReaderSources(const ConnectorOptions& options) {
  return {.events = std::make_unique<ConnectorSource>(options)};
}

}  // namespace procevent
