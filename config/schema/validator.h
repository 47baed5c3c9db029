// Validates a tree, a variable or a flag against the schema, and writes the values into the effective configuration.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/schema/effective_config.h"
#include "config/schema/option.h"
#include "config/yaml/yaml_node.h"
#include "core/base/input_error.h"

namespace procevent {

// Returns every error of the tree, not sorted. After an error `effective` must not be used.
InputErrors CheckTree(const YamlNode& root, const std::string& file, EffectiveConfig& effective);

// Parses the YAML of a variable or a flag. The keys of the errors begin with its name: `PROCEVENT_WEB_ALLOW[1]`.
YamlDocument ParseValue(const std::string& name, std::string_view value);

// The same as CheckTree for one value that is not in a file. It replaces the value in `effective`, a list as a whole.
// `name` is the variable or the flag, for the errors. The caller sets the origin.
InputErrors CheckValue(const Option& option, const std::string& name, const YamlNode& value,
                       EffectiveConfig& effective);

// Sets an option to the values of a flag. Each value is a text, or for a list also YAML in brackets. The errors name
// the flag, and the item where there are several.
InputErrors SetFromFlag(const std::string& flag, const Option& option, std::span<const std::string> values,
                        EffectiveConfig& effective);

// TLS and authentication are the task of a reverse proxy. A setting for them is an error, even if it looks like
// neither a key nor a variable of the exporter: otherwise an operator could believe that the exporter is protected.
// `name` is a key ("web.tls_cert"), a flag ("--web.config.file"), or a variable without its prefix ("WEB_TLS_CERT").
bool IsTlsSetting(std::string_view name);

// The error for every such setting.
InputError TlsSettingError(std::string file, TextPosition position, std::string name);

}  // namespace procevent
