// How the text of each key becomes an option, or why it does not. Pure; only the schema's table calls these.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/config.h"

namespace procevent {

// What became of one text.
struct Verdict {
  bool taken = false;
  std::string reason;  // why not, where what is allowed does not say it
};

// Those in the singular take one item of a list, behind those before.
Verdict TakeListenAddress(std::string_view text, Config& config);
Verdict TakeTelemetryPath(std::string_view text, Config& config);
Verdict TakeEverybody(std::string_view text, Config& config);  // "all"
Verdict TakeAllowed(std::string_view text, Config& config);
Verdict TakeMaxRequests(std::string_view text, Config& config);

Verdict TakeReceiveBuffer(std::string_view text, Config& config);
Verdict TakeAllEvents(std::string_view text, Config& config);  // "all"
Verdict TakeEvent(std::string_view text, Config& config);
Verdict TakeReplay(std::string_view text, Config& config);       // "none", or a path
Verdict TakeReplaySpeed(std::string_view text, Config& config);  // "max", or a multiple
Verdict TakeDrainInterval(std::string_view text, Config& config);
Verdict TakeCanaryInterval(std::string_view text, Config& config);

Verdict TakeProcessLimit(std::string_view text, Config& config);
Verdict TakeCommLimit(std::string_view text, Config& config);
Verdict TakeRetireAfter(std::string_view text, Config& config);
Verdict TakeNameGroup(std::span<const std::string> match_and_name, Config& config);
Verdict TakeExitCodeBucket(std::string_view text, Config& config);
Verdict TakeLifetimeBucket(std::string_view text, Config& config);
Verdict TakeBool(std::string_view text, bool& value);

Verdict TakeLogLevel(std::string_view text, Config& config);
Verdict TakeLogFormat(std::string_view text, Config& config);

}  // namespace procevent
