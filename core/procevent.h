// The library in one header: <procevent/core/procevent.h>, once it is installed. What this includes, by itself or by
// what it includes, is what the library promises; the rest of core is the exporter's. Nobody in the house includes it.
#pragma once

#include "core/base/system.h"
#include "core/lookup/for_each_event.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"
#include "core/sources/connector/proc_connector.h"
