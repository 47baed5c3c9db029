// Prints what is executed and by whom, until Ctrl-C; and how many events were lost on the way.
#include <procevent/core/procevent.h>

#include <csignal>
#include <iostream>

using namespace procevent;

volatile std::sig_atomic_t stopped = 0;

int Failed(const Error& error) {
  std::cerr << Describe(error) << '\n';
  return 1;
}

int main() {
  std::signal(SIGINT, [](int) { stopped = 1; });
  Result<ProcConnector> connector = ProcConnector::Open({});
  if (!connector) return Failed(connector.error());
  if (Status subscribed = connector.value().Subscribe(); !subscribed) return Failed(subscribed.error());
  ProcessTable processes;
  if (Status seen = processes.Bootstrap(); !seen) Failed(seen.error());  // it goes on, with fewer names
  Sequence sequence(PossibleCpus());
  DatagramBatch batch;
  while (!stopped && connector.value().Receive(batch, std::chrono::seconds(1))) {
    ForEachEvent(batch, [&](const Event& event) {
      if (const auto lost = sequence.Note(event.cpu, event.sequence).lost; lost > 0) {
        std::cout << lost << " events were lost" << std::endl;
        processes.Doubt();
      }
      processes.Apply(event);
      if (const auto* exec = std::get_if<ExecBody>(&event.body)) {
        const Process process = processes.Find(exec->task.tgid).value_or(Process{});
        std::cout << process.pid << " user " << (process.user ? std::to_string(*process.user) : "?") << " command "
                  << (process.command ? process.command->view() : "?") << std::endl;
      }
    });
  }
  connector.value().Unsubscribe();
}
