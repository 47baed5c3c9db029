// FOLDED: reverse_proxy.h, check.h
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema/effective_config.h"
#include "config/schema/schema.h"
#include "config/yaml/config_error.h"
#include "config/yaml/yaml_node.h"

namespace procevent {

// What is no setting of ours: TLS and authentication, which are a reverse proxy's. Pure; used for keys and variables,
// and by cmd for flags, so that nobody believes to be protected who is not.

// Whether a key ("web.tls_cert"), a flag ("--web.config.file") or a variable's name ("WEB_TLS_CERT") asks for either.
bool IsTlsSetting(std::string_view name);

// The one message for all of them.
ConfigError TlsSettingError(std::string file, TextPosition place, std::string name);

// A tree, a flag or a variable against the schema: options where the text allows it, faults where it does not.
// Used by LoadConfig, by SetFromEnvironment and, for the flags, by cmd.

// Every fault of the tree at once, in no order. With any, `effective` is not to be used.
std::vector<ConfigError> CheckTree(const YamlNode& root, const std::string& file, EffectiveConfig& effective);

// The same for one value that does not stand in a file; it replaces what `effective` holds, a list as a whole, but not
// where that came from. The faults begin with the key's path.
std::vector<ConfigError> CheckValue(const ConfigKey& key, const YamlNode& value, EffectiveConfig& effective);

// What a flag says about the key at `path`. The faults name the flag. `path` must be one of the schema's.
std::vector<ConfigError> SetFromFlag(std::string_view flag, std::string_view path, std::span<const std::string> values,
                                     EffectiveConfig& effective);

}  // namespace procevent
