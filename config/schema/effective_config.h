// The validated configuration, with the origin of each value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/log_options.h"
#include "config/schema/option.h"
#include "core/reader/reader.h"
#include "core/reader/replayer.h"
#include "core/sources/connector/proc_connector.h"
#include "core/statistics/counting_options.h"
#include "exporter/http/http_handler.h"

namespace procevent {

// The options of every module. A default-constructed one equals the configuration of an empty file.
struct Config {
  ConnectorOptions connector;
  ReplayOptions replay;
  ReaderOptions reader;
  CountingOptions counting;
  ServerOptions server;
  LogOptions log;
  bool operator==(const Config&) const = default;
};

// The origin of a value.
struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string name;  // of the file, the variable or the flag; safe to print
  int line = 0;      // kFile
  bool operator==(const Origin&) const = default;
};

// "default", "procevent_exporter.yml:12", "environment PROCEVENT_LOG_LEVEL", "flag --log.level".
std::string Describe(const Origin& origin);

// The configuration in force, with the origin of each value. LoadConfig, SetFromEnvironment and SetFromFlag apply, in
// this order, and each replaces values of the one before.
struct EffectiveConfig {
  Config config;
  std::map<std::string_view, Origin> origins;  // by key; a key without an entry has its default
};

// Writes all keys in the order of the schema, each with its origin as a comment. The result loads as the same
// configuration.
std::string ToYaml(const EffectiveConfig& effective);

// The options whose values differ.
std::vector<const Option*> ChangedOptions(const Config& before, const Config& after);

}  // namespace procevent
