#include "core/ledger/rejection.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace procevent {
namespace {

struct Row {
  Outcome outcome;
  std::optional<Rejection> rejection;
  std::string_view name;
};

TEST(RejectionTest, OfEachOutcome) {
  const std::vector<Row> rows{
      {Outcome::kEvent, std::nullopt, ""},
      {Outcome::kControl, std::nullopt, ""},
      {Outcome::kAcknowledgement, std::nullopt, ""},
      {Outcome::kKernelError, Rejection::kKernelError, "kernel_error"},
      {Outcome::kOverrun, Rejection::kOverrun, "overrun"},
      {Outcome::kReservedType, Rejection::kReservedType, "reserved_type"},
      {Outcome::kForeignConnector, Rejection::kForeignConnector, "foreign_connector"},
      {Outcome::kTruncatedNetlinkHeader, Rejection::kTruncatedNetlinkHeader, "truncated_netlink_header"},
      {Outcome::kTruncatedConnectorHeader, Rejection::kTruncatedConnectorHeader, "truncated_connector_header"},
      {Outcome::kTruncatedEventHeader, Rejection::kTruncatedEventHeader, "truncated_event_header"},
      {Outcome::kTruncatedEventBody, Rejection::kTruncatedEventBody, "truncated_event_body"},
      {Outcome::kWrongLength, Rejection::kWrongLength, "wrong_length"},
  };
  ASSERT_EQ(rows.size(), kOutcomes);
  for (const Row& row : rows) {
    const std::optional<Rejection> rejection = RejectionOf(row.outcome);
    EXPECT_EQ(rejection, row.rejection) << row.name;
    if (rejection.has_value()) {
      EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(*rejection)], row.name);
    }
  }
}

TEST(RejectionTest, NamesAreDifferent) {
  const std::set<std::string_view> names(kRejectionNames.begin(), kRejectionNames.end());
  EXPECT_EQ(names.size(), kRejections);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kForeignSender)], "foreign_sender");
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kOversized)], "oversized");
  EXPECT_EQ(kRejectionNames[static_cast<std::size_t>(Rejection::kRepeated)], "repeated");
}

}  // namespace
}  // namespace procevent
