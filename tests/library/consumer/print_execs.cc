// Prints each executed program with its user, and the number of lost events, until Ctrl-C.
#include <procevent/core/procevent.h>

#include <csignal>
#include <iostream>

int main() {
  using namespace procevent;
  static volatile std::sig_atomic_t stopped = 0;
  std::signal(SIGINT, [](int) { stopped = 1; });
  Result<ProcConnector> connector = ProcConnector::Open({});
  Status status = connector ? connector.value().Subscribe() : connector.error();
  ProcessTable processes;
  if (Status visible = processes.Bootstrap(); !visible) std::cerr << Describe(visible.error()) << '\n';  // not fatal
  SequenceTracker sequences(PossibleCpus());
  DatagramBatch batch;
  while (status && !stopped) {
    if (auto received = connector.value().Receive(batch, std::chrono::seconds(1)); !received) status = received.error();
    ForEachKernelEvent(batch, [&](const Event& event) {
      const auto lost = sequences.Observe(event.cpu, event.sequence).lost;
      if (lost > 0) processes.Invalidate();
      if (lost > 0) std::cout << lost << " events were lost" << std::endl;
      processes.Apply(event);
      if (event.kind() != EventKind::kExec) return;
      const Process process = processes.Find(std::get<ExecBody>(event.body).task.tgid).value_or(Process{});
      std::cout << process.pid << " user " << (process.user ? std::to_string(*process.user) : "?") << " command "
                << (process.command ? process.command->view() : "?") << std::endl;
    });
  }
  if (connector) connector.value().Unsubscribe();
  if (!status) std::cerr << Describe(status.error()) << '\n';
  return status ? 0 : 1;
}
