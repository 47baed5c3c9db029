// Umbrella header of the installed library: #include <procevent/core/procevent.h>.
//
// The public interface consists of the headers that this one includes, directly or indirectly. All other headers of
// core are private to the exporter. Code in this project does not include this header.
#pragma once

#include "core/base/system.h"
#include "core/lookup/process_table.h"
#include "core/protocol/decoder.h"
#include "core/protocol/encoder.h"
#include "core/protocol/event.h"
#include "core/protocol/sequence_tracker.h"
#include "core/sources/connector/datagram_batch.h"
#include "core/sources/connector/proc_connector.h"
