// Prints what is executed and by whom, until Ctrl-C; and how many events were lost on the way.
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
  if (Status seen = processes.Bootstrap(); !seen) std::cerr << Describe(seen.error()) << '\n';  // it goes on
  SequenceTracker sequence(PossibleCpus());
  DatagramBatch batch;
  while (status && !stopped) {
    if (auto got = connector.value().Receive(batch, std::chrono::seconds(1)); !got) status = got.error();
    ForEachKernelEvent(batch, [&](const Event& event) {
      const auto lost = sequence.Observe(event.cpu, event.sequence).lost;
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
