#include "tests/config/random_config.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/ledger/group_name.h"

namespace procevent {
namespace {

using std::chrono::milliseconds;

// Half of the numbers are multiples of a unit, so that they are formatted with it.
std::uint64_t RandomWithin(std::mt19937& random, std::uint64_t min, std::uint64_t max) {
  const std::uint64_t number = std::uniform_int_distribution<std::uint64_t>(min, max)(random);
  constexpr std::array<std::uint64_t, 3> kUnits{1000, 60'000, 1U << 20U};
  const std::uint64_t rounded = number - number % kUnits.at(random() % kUnits.size());
  return random() % 2 == 0 && rounded >= min ? rounded : number;
}

milliseconds RandomDuration(std::mt19937& random, milliseconds min, milliseconds max) {
  return milliseconds(
      RandomWithin(random, static_cast<std::uint64_t>(min.count()), static_cast<std::uint64_t>(max.count())));
}

bool RandomBool(std::mt19937& random) { return random() % 2 == 0; }

ServerOptions RandomServer(std::mt19937& random) {
  constexpr std::array<std::string_view, 4> kHosts{"127.0.0.1", "127.0.0.2", "255.255.255.255", "10.1.2.3"};
  constexpr std::array<std::string_view, 5> kPaths{"/metrics", "/m:", "/a,b", "/~!$&'()*+;=@", "/a/b-c_d.e"};
  constexpr std::array<std::string_view, 4> kNetworks{"0.0.0.0/0", "10.0.0.0/8", "127.0.0.1", "1.2.3.4/32"};
  ServerOptions server;
  server.listen_addresses.clear();
  for (std::size_t i = 1 + random() % 16; i > 0; --i) {
    const std::string port = ':' + std::to_string(1000 + i);  // distinct, so that no address covers another
    server.listen_addresses.push_back(RandomBool(random) ? port
                                                         : std::string(kHosts.at(random() % kHosts.size())) + port);
  }
  server.telemetry_path = kPaths.at(random() % kPaths.size());
  for (const std::string_view network : kNetworks) {
    if (RandomBool(random)) {
      server.allow.emplace_back(network);
    }
  }
  server.max_requests = static_cast<unsigned>(RandomWithin(random, 1, 64));
  return server;
}

ConnectorOptions RandomConnector(std::mt19937& random) {
  ConnectorOptions connector;
  connector.receive_buffer_bytes = static_cast<std::uint32_t>(RandomWithin(random, 64U << 10U, 1U << 30U));
  if (RandomBool(random)) {
    connector.events = EventMask::None().With(EventKind::kComm);
    for (std::size_t kind = 0; kind < kEventKinds; ++kind) {
      connector.events = RandomBool(random) ? connector.events.With(static_cast<EventKind>(kind)) : connector.events;
    }
  }
  return connector;
}

LedgerOptions RandomLedger(std::mt19937& random) {
  LedgerOptions ledger;
  ledger.process_limit = RandomWithin(random, 1024, 4'194'304);
  ledger.comm_limit = RandomWithin(random, 10, 10'000);
  ledger.comm_retire_after = RandomDuration(random, std::chrono::minutes(1), std::chrono::hours(720));
  ledger.name_groups.clear();
  for (std::size_t i = random() % 4; i > 0; --i) {
    NameGroup group{.match = RandomText(random), .name = RandomText(random)};
    if (!ValidateNameGroup(group)) {
      ledger.name_groups.push_back(std::move(group));
    }
  }
  ledger.exit_code_bounds.clear();
  for (std::uint64_t bound = random() % 50; bound < 256 && ledger.exit_code_bounds.size() < 32;
       bound += 1 + random() % 50) {
    ledger.exit_code_bounds.push_back(bound);
  }
  ledger.lifetime_bounds.clear();
  for (milliseconds bound = RandomDuration(random, milliseconds(1), std::chrono::hours(1));
       bound <= std::chrono::hours(720) && ledger.lifetime_bounds.size() < 32; bound *= 2) {
    ledger.lifetime_bounds.push_back(bound);
  }
  ledger.exit_code_by_comm = RandomBool(random);
  ledger.lifetime_by_comm = RandomBool(random);
  return ledger;
}

}  // namespace

std::string RandomText(std::mt19937& random) {
  static const std::vector<std::string> kParts{"a",
                                               "Z",
                                               "0",
                                               " ",
                                               ":",
                                               ": ",
                                               "#",
                                               " #",
                                               "-",
                                               "'",
                                               "\"",
                                               "\\\\",
                                               "[",
                                               "]",
                                               "{",
                                               "}",
                                               "(",
                                               ")",
                                               "*",
                                               ".",
                                               "?",
                                               "|",
                                               "^",
                                               "$",
                                               "+",
                                               ",",
                                               "&",
                                               "!",
                                               "%",
                                               "@",
                                               "`",
                                               "\n",
                                               "\t",
                                               "~",
                                               "\r",
                                               "/",
                                               "<",
                                               ">",
                                               "=",
                                               "_",
                                               "null",
                                               "true",
                                               "---",
                                               "\x7f",
                                               "\xC2\x85",
                                               "\xC3\xBC",
                                               "\xE2\x80\xAE",
                                               "\xEF\xBB\xBF",
                                               "\xF0\x9F\x98\x80",
                                               "\xF3\xA0\x80\x81",
                                               std::string(1, '\0')};
  std::string text;
  for (std::size_t i = random() % 8; i > 0; --i) {
    text += kParts.at(random() % kParts.size());
  }
  return text;
}

Config RandomConfig(std::mt19937& random) {
  Config config;
  config.connector = RandomConnector(random);
  config.replay.file = RandomBool(random) ? "" : RandomText(random);
  config.replay.speed = static_cast<unsigned>(RandomWithin(random, 0, 1000));
  config.replay.loop = RandomBool(random);
  config.reader.drain_interval = RandomDuration(random, milliseconds(1), std::chrono::seconds(1));
  config.reader.canary_interval = RandomDuration(random, std::chrono::seconds(1), std::chrono::minutes(1));
  config.ledger = RandomLedger(random);
  config.server = RandomServer(random);
  config.log.level = static_cast<LogLevel>(random() % kLogLevelNames.size());
  config.log.format = static_cast<LogFormat>(random() % kLogFormatNames.size());
  return config;
}

}  // namespace procevent
