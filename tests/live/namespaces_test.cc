#include <gmock/gmock.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "core/sources/connector/connector_source.h"
#include "live_fixture.h"

namespace procevent {
namespace {

using testing::HasSubstr;

// Another program is subscribed meanwhile, so events flow. They must not be taken for a subscription from the
// namespace.
class NamespacesTest : public LiveTest {
 protected:
  static std::string SubscribeFrom(int namespaces) {
    return RunInChild([namespaces] {
      if (::unshare(namespaces) != 0) {
        return std::string("cannot unshare");
      }
      if ((static_cast<unsigned>(namespaces) & static_cast<unsigned>(CLONE_NEWPID)) != 0) {
        return RunInChild(Subscribe);  // only a child is in the new PID namespace
      }
      return Subscribe();
    });
  }

  static std::string SubscribeDuringStormFrom(int namespaces) {
    ProcConnector other = SubscribeOrDie();
    const pid_t storm = ForkInBackground(2000);
    const std::string result = SubscribeFrom(namespaces);
    WaitFor(storm);
    other.Unsubscribe();
    return result;
  }

  // A time namespace holds the children of its creator. Its offsets are fixed when the first child is made.
  static std::string SubscribeFromTimeNamespace(const std::string& offsets) {
    return RunInChild([&offsets] {
      if (::unshare(CLONE_NEWTIME) != 0) {
        return std::string("cannot unshare");
      }
      std::ofstream("/proc/self/timens_offsets") << offsets << std::endl;
      return RunInChild(Subscribe);
    });
  }

 private:
  static std::string Subscribe() {
    ConnectorSource source({});
    const Status subscribed = source.Resubscribe(std::chrono::seconds(1));
    source.Close();
    return subscribed ? "subscribed" : Describe(subscribed.error());
  }
};

TEST_F(NamespacesTest, SubscribesInTheHostsNamespaces) { EXPECT_EQ(SubscribeFrom(0), "subscribed"); }

TEST_F(NamespacesTest, ErrorNamesAnotherNetworkNamespace) {
  EXPECT_THAT(SubscribeDuringStormFrom(CLONE_NEWNET), HasSubstr("run with --network host"));
}

TEST_F(NamespacesTest, ErrorNamesAnotherPidNamespace) {
  EXPECT_THAT(SubscribeDuringStormFrom(CLONE_NEWPID), HasSubstr("run with --pid host"));
}

TEST_F(NamespacesTest, ErrorNamesAnotherUserNamespace) {
  EXPECT_THAT(SubscribeDuringStormFrom(CLONE_NEWUSER), HasSubstr("user namespace"));
}

TEST_F(NamespacesTest, ErrorNamesATimeNamespaceWithAnotherMonotonicClock) {
  for (const char* const offsets : {"monotonic 100000 0", "monotonic 0 5000000", "monotonic -1 0"}) {
    EXPECT_THAT(SubscribeFromTimeNamespace(offsets), HasSubstr("time namespace")) << offsets;
  }
}

TEST_F(NamespacesTest, SubscribesInATimeNamespaceWithTheKernelsMonotonicClock) {
  EXPECT_EQ(SubscribeFromTimeNamespace("boottime 100000 0"), "subscribed");
}

TEST_F(NamespacesTest, ErrorNamesAllThreeNamespaces) {
  const std::string result = SubscribeDuringStormFrom(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUSER);
  EXPECT_THAT(result, HasSubstr("--network host"));
  EXPECT_THAT(result, HasSubstr("--pid host"));
  EXPECT_THAT(result, HasSubstr("--userns host"));
}

}  // namespace
}  // namespace procevent
