#include "aitqe/io/s3_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "io/io_support.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Variables = std::map<std::string, std::string>;

class S3SettingsTest : public testing::Test {
 protected:
  S3Settings read(const Variables& variables) const {
    return S3Settings::read([&](const std::string& name) -> std::optional<std::string> {
      if (name == "HOME") return folder_.path().string();
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string failure(const Variables& variables) const {
    return test::message_of([&] { read(variables); });
  }

  test::TemporaryFolder folder_;
};

TEST_F(S3SettingsTest, TakesKeysFromVariables) {
  const S3Settings settings = read({{"AWS_ACCESS_KEY_ID", "K"},
                                    {"AWS_SECRET_ACCESS_KEY", "S"},
                                    {"AWS_SESSION_TOKEN", "T"},
                                    {"AWS_REGION", "eu-west-1"},
                                    {"AWS_DEFAULT_REGION", "no"},
                                    {"AWS_ENDPOINT_URL", "http://host:9000/"},
                                    {"AWS_MAX_ATTEMPTS", "3"}});
  EXPECT_EQ(settings.access_key, "K");
  EXPECT_EQ(settings.secret_key, "S");
  EXPECT_EQ(settings.session_token, "T");
  EXPECT_EQ(settings.region, "eu-west-1");
  EXPECT_EQ(settings.endpoint, "http://host:9000");
  EXPECT_EQ(settings.http.max_attempts, 3);
}

TEST_F(S3SettingsTest, TakesTheProfileOfTheSharedFiles) {
  folder_.write(".aws/credentials",
                "# comment\n[default]\naws_access_key_id = D\naws_secret_access_key=DS\n"
                "[work]\naws_access_key_id=W\naws_secret_access_key = W=S/+\n");
  folder_.write(
      ".aws/config",
      "[default]\nregion = us-west-2\n[profile work]\nregion=eu-north-1\n"
      "aws_access_key_id = less\nendpoint_url = https://s3.example\ns3 =\n  region = nested\n");
  EXPECT_EQ(read({}).access_key, "D");
  EXPECT_EQ(read({}).region, "us-west-2");
  const S3Settings work = read({{"AWS_PROFILE", "work"}});
  EXPECT_EQ(work.access_key, "W");
  EXPECT_EQ(work.secret_key, "W=S/+");
  EXPECT_EQ(work.region, "eu-north-1");
  EXPECT_EQ(work.endpoint, "https://s3.example");
  const S3Settings mixed = read({{"AWS_PROFILE", "work"},
                                 {"AWS_ACCESS_KEY_ID", "K"},
                                 {"AWS_SECRET_ACCESS_KEY", "S"},
                                 {"AWS_ENDPOINT_URL_S3", "http://other"}});
  EXPECT_EQ(mixed.access_key, "K");
  EXPECT_EQ(mixed.session_token, "");
  EXPECT_EQ(mixed.endpoint, "http://other");
}

TEST_F(S3SettingsTest, ReadsOtherFilesWhereVariablesSaySo) {
  folder_.write("keys", "[default]\naws_access_key_id=F\naws_secret_access_key=FS\n");
  EXPECT_EQ(read({{"AWS_SHARED_CREDENTIALS_FILE", (folder_ / "keys").string()}}).access_key, "F");
}

TEST_F(S3SettingsTest, SaysWhatIsMissingOrWrongAndShowsNoKey) {
  EXPECT_THAT(failure({}), HasSubstr("no keys for s3://"));
  EXPECT_THAT(failure({{"AWS_PROFILE", "work"}}), HasSubstr("no profile \"work\""));
  EXPECT_THAT(failure({{"AWS_SECRET_ACCESS_KEY", "hidden"}}),
              AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"), Not(HasSubstr("hidden"))));
  const Variables keys = {{"AWS_ACCESS_KEY_ID", "K"}, {"AWS_SECRET_ACCESS_KEY", "S"}};
  Variables with = keys;
  with["AWS_ENDPOINT_URL"] = "localhost:9000";
  EXPECT_THAT(failure(with), HasSubstr("AWS_ENDPOINT_URL"));
  for (const std::string attempts : {"0", "many", "99999999999", "3x"}) {
    with = keys;
    with["AWS_MAX_ATTEMPTS"] = attempts;
    EXPECT_THAT(failure(with), HasSubstr("AWS_MAX_ATTEMPTS"));
  }
}

}  // namespace
}  // namespace aitqe
