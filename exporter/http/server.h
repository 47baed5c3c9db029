// FOLDED: server_options.h, server.h
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/reader/snapshot_exchange.h"
#include "exporter/http/address.h"
#include "exporter/http/http_handler.h"
#include "exporter/metrics/exporter_state.h"

struct mg_context;

namespace procevent {

// The HTTP server: scrapes, a landing page, /-/healthy and /-/ready. Starts in its constructor, serves from threads of
// its own, stops in its destructor. cmd makes one, after the reader.

struct ServerContext;  // what the server's threads use

// What a thread of the server does before anything else; it throws nothing.
using ThreadInitializer = std::function<void()>;

class Server {
 public:
  // Throws std::runtime_error with one line: what failed, on which address, and what to do about it.
  // `exchange` and `own` must outlive the server.
  Server(const ServerOptions& options, SnapshotExchange& exchange, ExporterState& own, ThreadInitializer begin = {});
  // The same with other pages, which may throw.
  Server(const ServerOptions& options, HttpHandler::PageCallbacks pages, RefusedRequests& refusals,
         ThreadInitializer begin = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;
  ~Server();

  // Takes no new requests and ends what is being served, within 2 s whatever the clients do. May be called twice.
  void Stop();

 private:
  std::unique_ptr<ServerContext> served_;
  std::vector<ListenAddress> addresses_;
  mg_context* context_ = nullptr;  // of civetweb, whose threads use served_
};

}  // namespace procevent
