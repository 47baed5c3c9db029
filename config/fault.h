// One thing that is wrong with a configuration: where, what was found there, and what is allowed instead.
// Made inside config; cmd prints it.
#pragma once

#include <string>

namespace procevent {

// Where in the text: both count from 1, columns in bytes. 0: the fault has no place.
struct Place {
  int line = 0;
  int column = 0;
  auto operator<=>(const Place&) const = default;
};

// Every text is safe to print: bounded, no control characters.
struct Fault {
  std::string file;     // empty: it came from the command line
  Place place;          // none: the file as a whole
  std::string key;      // "source.receive_buffer", or the flag; empty: the text as a whole
  std::string found;    // "12 parsecs", with the quotes if it is the user's text
  std::string allowed;  // a size from 64KiB to 1GiB, like 32MiB
  bool operator==(const Fault&) const = default;
};

// One line: `procevent_exporter.yml:12:5: source.receive_buffer: found "12 parsecs", allowed is a size from ...`.
std::string Describe(const Fault& fault);

}  // namespace procevent
