#include "aitqe/io/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/io_support.h"

namespace aitqe {
namespace {

using test::make_tar;
using test::read_tar;
using test::tar_fixture;
using test::write_tar;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Gives one byte at a time, as a slow pipe may.
class OneByteSource : public Source {
 public:
  explicit OneByteSource(std::string bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(std::span<char> buffer) override {
    if (position_ == bytes_.size() || buffer.empty()) return 0;
    buffer[0] = bytes_[position_++];
    return 1;
  }
  std::string name() const override { return "one-byte"; }

 private:
  std::string bytes_;
  std::size_t position_ = 0;
};

void expect_same_members(const std::vector<TarMember>& a, const std::vector<TarMember>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].bytes, b[i].bytes) << a[i].name;
    EXPECT_EQ(a[i].metadata, b[i].metadata) << a[i].name;
  }
}

TEST(TarReader, ReadsWhatPythonWrote) {
  const auto result = read_tar(tar_fixture("good.tar"));

  EXPECT_TRUE(result.losses.empty());
  ASSERT_THAT(result.names(), ElementsAre("0000.jpg", "0000.txt", "0001.jpg", "0001.txt",
                                          "0002.jpg", "0002.txt", "0003.jpg", "0003.txt"));
  const TarMember& member = result.members[3];
  EXPECT_EQ(member.header_offset, 3 * 1024);
  EXPECT_EQ(member.bytes.substr(0, 12), "txt 1 txt 1 ");
  EXPECT_EQ(member.bytes.size(), 240);
  EXPECT_EQ(member.metadata.mode, 0640);
  EXPECT_EQ(member.metadata.mtime_s, 1'600'000'000);
  EXPECT_EQ(member.metadata.mtime_ns, 0);
  EXPECT_EQ(member.metadata.uid, 1000);
  EXPECT_EQ(member.metadata.gid, 1001);
  EXPECT_EQ(member.metadata.uname, "maker");
  EXPECT_EQ(member.metadata.gname, "makers");
}

TEST(TarReader, ReadsTheFractionOfASecondThatWebdatasetWrites) {
  const auto result = read_tar(tar_fixture("webdataset.tar"));

  EXPECT_TRUE(result.losses.empty());
  ASSERT_THAT(result.members, SizeIs(9));
  EXPECT_EQ(result.members[0].metadata.mtime_s, 1'600'000'000);
  EXPECT_NEAR(static_cast<double>(result.members[0].metadata.mtime_ns), 123'456'000, 1000);
  EXPECT_EQ(result.members[0].metadata.uname, "bigdata");
}

TEST(TarReader, ReadsOneByteAtATime) {
  OneByteSource source(tar_fixture("good.tar"));
  LossLog losses;
  TarReader reader(source, losses);

  int num_members = 0;
  while (reader.next()) ++num_members;
  EXPECT_EQ(num_members, 8);
  EXPECT_TRUE(losses.empty());
}

TEST(TarReader, ReadsGzipAndZstdByTheirContent) {
  const auto plain = read_tar(tar_fixture("good.tar"));
  for (const char* name : {"good.tar.gz", "good.tar.zst"}) {
    const auto result = read_tar(tar_fixture(name));
    EXPECT_TRUE(result.losses.empty()) << name;
    expect_same_members(result.members, plain.members);
  }
}

TEST(TarReader, ReadsAnEmptyArchive) {
  const auto result = read_tar(tar_fixture("empty.tar"));
  EXPECT_THAT(result.members, IsEmpty());
  EXPECT_TRUE(result.losses.empty());
}

TEST(TarReader, KeepsHostileNamesVerbatim) {
  const std::string deep = [] {
    std::string name;
    for (int i = 0; i < 60; ++i) name += "d/";
    return name + std::string(300, 'x') + ".txt";
  }();
  for (const char* fixture : {"names_gnu.tar", "names_pax.tar"}) {
    const auto result = read_tar(tar_fixture(fixture));
    EXPECT_TRUE(result.losses.empty()) << fixture;
    EXPECT_THAT(result.names(),
                ElementsAre("/etc/passwd.txt", "../up.txt", "a\nb.txt",
                            "sm\xf8rbr\xf8"
                            "d.txt",
                            "\xe7\x8c\xab.txt", deep,
                            std::string(120, 'p') + "/" + std::string(90, 'n') + ".txt"))
        << fixture;
  }
}

TEST(TarReader, YieldsFoldersLinksAndDevicesInTheirPlace) {
  const auto result = read_tar(tar_fixture("special.tar"));

  EXPECT_TRUE(result.losses.empty());
  std::vector<MemberType> types;
  for (const TarMember& member : result.members) types.push_back(member.metadata.type);
  EXPECT_THAT(types, ElementsAre(MemberType::Directory, MemberType::File, MemberType::Symlink,
                                 MemberType::Hardlink, MemberType::CharDevice,
                                 MemberType::BlockDevice, MemberType::Fifo, MemberType::File));
  EXPECT_EQ(result.members[2].metadata.link_target, "../../etc/passwd");
  EXPECT_EQ(result.members[3].metadata.link_target, "folder/a.txt");
  EXPECT_EQ(result.members[4].metadata.device_major, 1);
  EXPECT_EQ(result.members[4].metadata.device_minor, 3);
}

TEST(TarReader, FillsTheHolesOfASparseFile) {
  const auto result = read_tar(tar_fixture("sparse.tar"));

  EXPECT_TRUE(result.losses.empty());
  ASSERT_THAT(result.members, SizeIs(1));
  EXPECT_EQ(result.members[0].bytes, "begin" + std::string(99'995, '\0') + "end");
}

TEST(TarReader, ReadsMembersLargerThanItsBuffers) {
  const std::string large(3'000'001, 'x');
  const auto result = read_tar(make_tar({{"a.bin", large}, {"b.txt", "after"}}));

  EXPECT_TRUE(result.losses.empty());
  ASSERT_THAT(result.names(), ElementsAre("a.bin", "b.txt"));
  EXPECT_EQ(result.members[0].bytes, large);
}

TEST(TarWriter, GivesBackEveryMemberOfTarsOfOtherPrograms) {
  for (const char* name :
       {"good.tar", "webdataset.tar", "names_gnu.tar", "names_pax.tar", "special.tar"}) {
    const auto before = read_tar(tar_fixture(name));
    const std::string archive = write_tar(before.members);
    const auto after = read_tar(archive);
    EXPECT_TRUE(after.losses.empty()) << name;
    expect_same_members(after.members, before.members);
    EXPECT_EQ(write_tar(after.members), archive) << name;
  }
}

TEST(TarWriter, KeepsNumbersBeyondTheOldHeader) {
  TarMember member{"a.txt", "x", {}, 0};
  member.metadata.mode = 04755;
  member.metadata.uid = 5'000'000;
  member.metadata.gid = 3'000'000'000;
  member.metadata.mtime_s = 10'000'000'000;
  member.metadata.mtime_ns = 1;
  member.metadata.uname = std::string(40, 'u');
  member.metadata.gname = "gr\xc3\xbc";
  TarMember old = member;
  old.metadata.mtime_s = -5;
  old.metadata.mtime_ns = 0;

  const auto result = read_tar(write_tar({member, old}));
  EXPECT_TRUE(result.losses.empty());
  expect_same_members(result.members, {member, old});
}

TEST(TarWriter, CutsNamesIntoPrefixAndNameWhereTheyFit) {
  std::vector<TarMember> members;
  for (const std::size_t length : {99, 100, 101, 155, 200, 255, 256, 257, 300}) {
    members.push_back(
        {std::string(length / 2, 'a') + "/" + std::string(length - length / 2 - 1, 'b'),
         "x",
         {},
         0});
  }
  members.push_back({"", "x", {}, 0});
  members.push_back({"/" + std::string(100, 'c'), "x", {}, 0});

  const auto result = read_tar(write_tar(members));
  EXPECT_TRUE(result.losses.empty());
  expect_same_members(result.members, members);
}

TEST(TarWriter, WritesPlainUstarWhereNothingMoreIsNeeded) {
  const std::string archive = make_tar({{"0.jpg", "pixels"}, {"0.txt", "a cat"}});
  EXPECT_EQ(archive.size(), 10'240);
  EXPECT_EQ(archive.substr(257, 8), std::string("ustar\0"
                                                "00",
                                                8));
  EXPECT_EQ(archive.substr(1024, 5), "0.txt");
}

TEST(TarWriter, WritesAnEmptyArchive) { EXPECT_EQ(make_tar({}), std::string(10'240, '\0')); }

}  // namespace
}  // namespace aitqe
