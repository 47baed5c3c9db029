// FOLDED: log_options.h, config.h, effective_config.h
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/ledger/ledger_options.h"
#include "core/reader/reader.h"
#include "core/reader/replayer.h"
#include "core/sources/connector/proc_connector.h"
#include "exporter/http/http_handler.h"

namespace procevent {

// How much is logged, and in which form. The configuration fills it in; cmd obeys it.

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
inline constexpr std::array<std::string_view, 4> kLogLevelNames{"debug", "info", "warning", "error"};
enum class LogFormat : std::uint8_t { kLogfmt, kJson };
inline constexpr std::array<std::string_view, 2> kLogFormatNames{"logfmt", "json"};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kLogfmt;
  bool operator==(const LogOptions&) const = default;
};

// The whole configuration, validated: the options of each stage, as that stage owns them. A default one is what an
// empty file means. Part of the effective one; cmd hands the parts out.

struct Config {
  ConnectorOptions connector;
  ReplayOptions replay;
  ReaderOptions reader;
  LedgerOptions ledger;
  ServerOptions server;
  LogOptions log;
  bool operator==(const Config&) const = default;
};

// The configuration that is in force, and where each value came from. Made by LoadConfig, SetFromEnvironment and
// SetFromFlag, each over what was before; cmd prints it, and compares two of them.

struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string name;  // of the file, the variable or the flag; safe to print
  int line = 0;      // in the file
  bool operator==(const Origin&) const = default;
};

// "default", "procevent_exporter.yml:12", "environment PROCEVENT_LOG_LEVEL", "flag --log.level".
std::string Describe(const Origin& origin);

struct EffectiveConfig {
  Config config;
  std::map<std::string_view, Origin> origins;  // by the path of the key; those that are not here are defaults
};

// All keys in the order of the schema, each with its origin as a comment: a file that loads as the same configuration.
std::string ToYaml(const EffectiveConfig& effective);

// The paths of the keys whose values differ.
std::vector<std::string_view> ChangedKeys(const Config& before, const Config& after);

}  // namespace procevent
