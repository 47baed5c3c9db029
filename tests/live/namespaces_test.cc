#include <gmock/gmock.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "core/sources/connector/connector_source.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using testing::HasSubstr;

// Events flow while these try, because a witness listens: they must not take that for a subscription of theirs.
class NamespacesTest : public LiveTest {
 protected:
  static std::string TryFrom(int namespaces) {
    return RunInChild([namespaces] {
      if (::unshare(namespaces) != 0) {
        return std::string("cannot unshare");
      }
      if ((static_cast<unsigned>(namespaces) & static_cast<unsigned>(CLONE_NEWPID)) != 0) {
        return RunInChild(Try);  // only a child of ours is in the new PID namespace
      }
      return Try();
    });
  }

  static std::string TryBesideAWitness(int namespaces) {
    ProcConnector witness = SubscribeOrDie();
    const pid_t storm = ForkInBackground(2000);
    const std::string said = TryFrom(namespaces);
    WaitFor(storm);
    witness.Unsubscribe();
    return said;
  }

 private:
  static std::string Try() {
    ConnectorSource source({});
    const Status renewed = source.Resubscribe(std::chrono::seconds(1));
    source.Close();
    return renewed ? "subscribed" : Describe(renewed.error());
  }
};

TEST_F(NamespacesTest, TheHostsAreRight) { EXPECT_EQ(TryFrom(0), "subscribed"); }

TEST_F(NamespacesTest, AnotherNetworkIsNamed) {
  EXPECT_THAT(TryBesideAWitness(CLONE_NEWNET), HasSubstr("run with --network host"));
}

TEST_F(NamespacesTest, OtherPidsAreNamed) {
  EXPECT_THAT(TryBesideAWitness(CLONE_NEWPID), HasSubstr("run with --pid host"));
}

TEST_F(NamespacesTest, OtherUsersAreNamed) {
  EXPECT_THAT(TryBesideAWitness(CLONE_NEWUSER), HasSubstr("user namespace"));
}

TEST_F(NamespacesTest, AllThreeAreNamedAtOnce) {
  const std::string said = TryBesideAWitness(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUSER);
  EXPECT_THAT(said, HasSubstr("--network host"));
  EXPECT_THAT(said, HasSubstr("--pid host"));
  EXPECT_THAT(said, HasSubstr("--userns host"));
}

}  // namespace
}  // namespace procevent
