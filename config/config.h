// The whole configuration, validated: the options of each stage, as that stage owns them. A default one is what an
// empty file means. Part of the effective one; cmd hands the parts out.
#pragma once

#include "config/log_options.h"
#include "core/ledger/ledger_options.h"
#include "core/reader/reader_options.h"
#include "core/reader/replay_options.h"
#include "core/source/connector_options.h"
#include "exporter/server_options.h"

namespace procevent {

struct Config {
  ConnectorOptions connector;
  ReplayOptions replay;
  ReaderOptions reader;
  LedgerOptions ledger;
  ServerOptions server;
  LogOptions log;
  bool operator==(const Config&) const = default;
};

}  // namespace procevent
