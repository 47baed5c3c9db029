#include "exporter/signal_name.h"

#include <gtest/gtest.h>

#include <cstring>

namespace procevent {
namespace {

TEST(SignalNameTest, IsWhatGlibcCallsIt) {
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(SignalName(static_cast<unsigned>(signal)),
              signal == 29 ? "SIGIO" : "SIG" + std::string(::sigabbrev_np(signal)))
        << signal;
  }
}

TEST(SignalNameTest, RealTimeSignalsCountFromTheFirst) {
  EXPECT_EQ(SignalName(32), "SIG32");
  EXPECT_EQ(SignalName(33), "SIG33");
  EXPECT_EQ(SignalName(34), "SIGRTMIN");
  EXPECT_EQ(SignalName(35), "SIGRTMIN+1");
  EXPECT_EQ(SignalName(64), "SIGRTMIN+30");
  EXPECT_EQ(SignalName(65), "SIG65");
  EXPECT_EQ(SignalName(127), "SIG127");
  EXPECT_EQ(SignalName(0), "SIG0");
}

TEST(SignalNameTest, WhatEndsAProcessByDefault) {
  EXPECT_TRUE(EndsByDefault(9));
  EXPECT_TRUE(EndsByDefault(31));
  EXPECT_FALSE(EndsByDefault(17));  // SIGCHLD
  EXPECT_FALSE(EndsByDefault(28));  // SIGWINCH
  EXPECT_FALSE(EndsByDefault(0));
  EXPECT_FALSE(EndsByDefault(32));
}

}  // namespace
}  // namespace procevent
