#include "config/reverse_proxy.h"

#include <gtest/gtest.h>

#include "config/environment.h"
#include "config/schema.h"

namespace procevent {
namespace {

TEST(ReverseProxyTest, TlsAndAuthenticationAreNotOurs) {
  for (const char* const name : {"web.tls",
                                 "web.tls_cert_file",
                                 "web.tls-key",
                                 "web.ssl",
                                 "web.auth",
                                 "web.basic_auth.users",
                                 "web.cert_file",
                                 "web.client_ca_file",
                                 "web.config",
                                 "web.config.file",
                                 "--web.config.file",
                                 "--web.tls-cert",
                                 "--tls",
                                 "tls",
                                 "Web.TLS",
                                 "auth",
                                 "basic_auth_users",
                                 "tls_server_config",
                                 "WEB_TLS_CERT",
                                 "TLS_CERT",
                                 "AUTH_TOKEN"}) {
    EXPECT_TRUE(IsReverseProxys(name)) << name;
  }
}

TEST(ReverseProxyTest, AllElseIsNot) {
  for (const char* const name : {"", "-", "--", "web", "web.", "config.file", "log.tls", "colour", "web.listen_tls"}) {
    EXPECT_FALSE(IsReverseProxys(name)) << name;
  }
  for (const ConfigKey& key : Schema()) {
    EXPECT_FALSE(IsReverseProxys(key.path)) << key.path;
    EXPECT_FALSE(IsReverseProxys(VariableOf(key.path).substr(kVariablePrefix.size()))) << key.path;
  }
}

}  // namespace
}  // namespace procevent
