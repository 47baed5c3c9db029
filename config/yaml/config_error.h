// FOLDED: text.h, key_path.h, fault.h
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procevent {

// Text from outside, made safe to print. Every echo of a user's bytes goes through here: faults in config, and what
// cmd logs.

// As it is, but what may not be printed becomes \xNN, byte by byte, and the rest is cut off after `limit` bytes
// ("...").
std::string EscapeUnprintable(std::string_view text, std::size_t limit = 80);

// The same between quotes; quotes and backslashes inside get a backslash.
std::string QuotePrintable(std::string_view text, std::size_t limit = 80);

// How faults write the way to a value: `source.events[2]`. Pure; used inside config.

// A key that is no plain word is quoted, so that a dot in it is not taken for a level.
std::string JoinPath(const std::string& path, std::string_view key);

// Counts from 0.
std::string JoinIndex(const std::string& path, std::size_t index);

// One thing that is wrong with a configuration: where, what was found there, and what is allowed instead.
// Made inside config; cmd prints it.

// Where in the text: both count from 1, columns in bytes. 0: the fault has no place.
struct TextPosition {
  int line = 0;
  int column = 0;
  auto operator<=>(const TextPosition&) const = default;
};

// Every text is safe to print: bounded, no control characters.
struct ConfigError {
  std::string file;     // empty: it came from the command line
  TextPosition place;   // none: the file as a whole
  std::string key;      // "source.receive_buffer", or the flag; empty: the text as a whole
  std::string found;    // "12 parsecs", with the quotes if it is the user's text
  std::string allowed;  // a size from 64KiB to 1GiB, like 32MiB
  bool operator==(const ConfigError&) const = default;
};

// One line: `procevent_exporter.yml:12:5: source.receive_buffer: found "12 parsecs", allowed is a size from ...`.
std::string Describe(const ConfigError& fault);

}  // namespace procevent
