// The library in one header: <procevent/core/procevent.h>, once it is installed. What this includes, by itself or by
// what it includes, is what the library promises; the rest of core is the exporter's. Nobody in the house includes it.
#pragma once

#include "core/base/cpus.h"
#include "core/lookup/for_each_event.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/sequence.h"
#include "core/protocol/wait_status.h"
#include "core/source/proc_connector.h"
