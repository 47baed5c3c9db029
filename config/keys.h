// The schema's keys as a tree: sections, what is under them, and which key somebody meant. Used by the check, by the
// environment, and by cmd for flags that are none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"

namespace procevent {

// nullptr: there is none.
const ConfigKey* FindKey(std::string_view path);

// The sections and keys right under a section, "" for the whole, in the schema's order: {"web", "source", ...}.
std::vector<std::string_view> NamesUnder(std::string_view section);

std::string Joined(std::span<const std::string_view> words);  // "web, source"

// What a text may be that stands for the key alone, not in a list: "all, or an address or a network like 10.0.0.0/8".
std::string AllowedAlone(const ConfigKey& key);

// For a name that is none of those under the section: the one it nearly is, the way to write one with dots, or the path
// of the key that stands elsewhere. Empty: nobody knows.
std::string SuggestKey(std::string_view section, std::string_view name);

}  // namespace procevent
