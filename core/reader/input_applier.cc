#include "core/reader/input_applier.h"

namespace procevent {
namespace {

struct InputVisitor {
  InputProcessor& processor;

  void operator()(const ConnectorDatagram& /*datagram*/) const {}
  void operator()(const Watermark& watermark) const { processor.reconciler().ConfirmUpTo(watermark.applied_until_ns); }
  void operator()(const NoProcRequest& /*no_request*/) const {}
  void operator()(const Invalidation& /*invalidation*/) const { processor.Invalidate(); }
  void operator()(const RejectedDatagram& rejected) const {
    processor.CountRejection(rejected.reason == RejectedDatagram::Reason::kOversized ? Rejection::kOversized
                                                                                     : Rejection::kForeignSender);
  }
  void operator()(const ProcRead& read) const {
    ProcReconciler& reconciler = processor.reconciler();
    switch (read.kind) {
      case ProcRead::Kind::kBootstrap:
        return reconciler.AddFoundProcess(read.snapshot, ProcessFoundReason::kBootstrap);
      case ProcRead::Kind::kReconciliation:
        return reconciler.AddFoundProcess(read.snapshot, ProcessFoundReason::kReconciliation);
      case ProcRead::Kind::kFull:
        return reconciler.ApplySnapshot(read.snapshot, true);
      case ProcRead::Kind::kNameOnly:
        return reconciler.ApplySnapshot(read.snapshot, false);
      case ProcRead::Kind::kGone:
        return reconciler.ApplyGone(read.snapshot.tgid, read.snapshot.taken_ns);
      case ProcRead::Kind::kHidden:
        return reconciler.ApplyHidden(read.snapshot.tgid);
    }
  }
};

}  // namespace

void ApplyWithoutEvents(const Input& input, InputProcessor& processor) { std::visit(InputVisitor{processor}, input); }

}  // namespace procevent
