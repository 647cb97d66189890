// Damaged tars: what is still read, and what the log says. The fixtures are written by
// scripts/make_damaged_tars.py; member i of them begins at byte 1024 * i.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aitqe/io/tar.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

using test::make_tar;
using test::read_tar;
using test::tar_fixture;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Damage {
  const char* fixture;
  std::size_t num_members;
  DamageKind kind;
  std::int64_t offset;
  std::int64_t bytes_lost;
  std::optional<std::int64_t> pairs_lost;
};

class DamagedTar : public testing::TestWithParam<Damage> {};

TEST_P(DamagedTar, IsReadAsFarAsItGoesAndReported) {
  const Damage& expected = GetParam();
  const auto result = read_tar(tar_fixture(expected.fixture));

  EXPECT_THAT(result.members, SizeIs(expected.num_members));
  ASSERT_THAT(result.losses.entries(), SizeIs(1));
  const ArchiveDamage& damage = result.losses.entries()[0];
  EXPECT_STREQ(to_string(damage.kind), to_string(expected.kind));
  EXPECT_EQ(damage.offset, expected.offset);
  EXPECT_EQ(damage.bytes_lost, expected.bytes_lost);
  EXPECT_EQ(damage.pairs_lost, expected.pairs_lost);
  EXPECT_THAT(damage.message, testing::StartsWith("memory: "));
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, DamagedTar,
    testing::Values(
        Damage{"cut_at_member.tar", 4, DamageKind::TruncatedInput, 4096, 0, std::nullopt},
        Damage{"cut_in_header.tar", 4, DamageKind::TruncatedInput, 4096, 300, 1},
        Damage{"cut_in_data.tar", 4, DamageKind::TruncatedInput, 4096, 612, 1},
        Damage{"cut_in_end_marker.tar", 8, DamageKind::TruncatedInput, 8704, 0, std::nullopt},
        Damage{"flipped_header.tar", 7, DamageKind::BadHeader, 4096, 1024, 1},
        Damage{"flipped_first_header.tar", 7, DamageKind::BadHeader, 0, 1024, 1},
        Damage{"zeros_inserted.tar", 8, DamageKind::DataAfterEndMarker, 5120, 0, std::nullopt},
        Damage{"zeros_over_member.tar", 7, DamageKind::DataAfterEndMarker, 5120, 0, std::nullopt},
        Damage{"joined.tar", 16, DamageKind::DataAfterEndMarker, 10'240, 0, 0},
        Damage{"negative_size.tar", 8, DamageKind::BadHeader, 0, 512, 1},
        Damage{"negative_real_size.tar", 8, DamageKind::BadHeader, 0, 512, 1},
        Damage{"pax_bomb.tar", 8, DamageKind::BadHeader, 0, 512, 1},
        Damage{"bad_crc.tar.gz", 8, DamageKind::SourceFailed, 9216, 0, std::nullopt}),
    [](const auto& fixture) {
      std::string name = fixture.param.fixture;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

TEST(TarReader, TellsJoinedArchivesFromAHoleOfZeros) {
  EXPECT_FALSE(read_tar(tar_fixture("joined.tar")).losses.has_loss());
  EXPECT_TRUE(read_tar(tar_fixture("zeros_inserted.tar")).losses.has_loss());
}

TEST(TarReader, StopsAtTheEndMarkerWhenAskedAndCountsWhatFollows) {
  TarReaderOptions options;
  options.read_after_end_marker = false;
  const auto result = read_tar(tar_fixture("joined.tar"), options);

  EXPECT_THAT(result.members, SizeIs(8));
  ASSERT_THAT(result.losses.entries(), SizeIs(1));
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::DataAfterEndMarker);
  EXPECT_EQ(result.losses.total_bytes(), 10'240);
  EXPECT_EQ(result.losses.total_pairs(), 4);
  EXPECT_TRUE(result.losses.has_loss());
}

TEST(TarReader, ReportsAHoleThatTakesAHeaderOnce) {
  // Half the data of member 4 and the header of member 5 are zeros: the first is data like any
  // other, the second looks like an end marker, then comes data without a header.
  const auto result = read_tar(tar_fixture("zeros_over_data_and_header.tar"));

  EXPECT_THAT(result.members, SizeIs(7));
  ASSERT_THAT(result.losses.entries(), SizeIs(2));
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::DataAfterEndMarker);
  EXPECT_EQ(result.losses.entries()[0].offset, 5632);
  EXPECT_EQ(result.losses.entries()[1].kind, DamageKind::BadHeader);
  EXPECT_EQ(result.losses.entries()[1].bytes_lost, 512);
}

TEST(TarReader, SkipsATruncatedMemberAndReportsTheLostBytes) {
  const std::string archive = make_tar({{"0.jpg", "pixels"}, {"0.txt", "a cat"}});
  MemorySource source(archive.substr(0, 1300));  // 1024 bytes of 0.jpg, then 276 of a header
  LossLog losses;
  TarReader reader(source, losses);

  EXPECT_EQ(reader.next()->name, "0.jpg");
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_EQ(losses.total_bytes(), 276);
}

TEST(TarReader, ReportsEveryPossibleCutOfATar) {
  const std::string whole = tar_fixture("webdataset.tar");
  const std::size_t end_of_members = whole.find_last_not_of('\0') / 512 * 512 + 512;
  for (std::size_t size = 0; size < end_of_members + 1024; size += size % 512 == 0 ? 1 : 511) {
    const auto result = read_tar(whole.substr(0, size));
    EXPECT_TRUE(result.losses.has_loss()) << size;
    EXPECT_LE(result.losses.total_bytes(), static_cast<std::int64_t>(size));
  }
}

TEST(TarReader, ReportsEveryFlippedByteOfAHeader) {
  const std::string whole = tar_fixture("good.tar");
  for (std::size_t i = 2048; i < 2560; ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto result = read_tar(flipped);
    EXPECT_EQ(result.members.size() + static_cast<std::size_t>(result.losses.total_pairs()), 8)
        << i;
  }
}

TEST(TarReader, LeavesOutAMemberBeyondTheLimit) {
  TarReaderOptions options;
  options.max_member_bytes = 1000;
  const auto result = read_tar(
      make_tar({{"a.txt", "a"}, {"b.jpg", std::string(1001, 'x')}, {"c.txt", "c"}}), options);

  EXPECT_THAT(result.names(), testing::ElementsAre("a.txt", "c.txt"));
  ASSERT_THAT(result.losses.entries(), SizeIs(1));
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::MemberTooLarge);
  EXPECT_EQ(result.losses.entries()[0].offset, 1024);
  EXPECT_EQ(result.losses.total_bytes(), 1001);
  EXPECT_EQ(result.losses.entries()[0].message,
            "memory: member \"b.jpg\" has 1001 bytes, limit is 1000");
}

TEST(TarReader, AllocatesNothingForASizeThatIsOnlyClaimed) {
  const auto result = read_tar(tar_fixture("huge_size.tar"));

  EXPECT_THAT(result.members, IsEmpty());
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::MemberTooLarge);
  EXPECT_EQ(result.losses.entries()[1].kind, DamageKind::TruncatedInput);
  EXPECT_EQ(result.losses.total_bytes(), 1536);
}

TEST(TarReader, SaysThatAFileIsNoTar) {
  const auto result = read_tar("<html>" + std::string(2000, 'x') + "</html>");

  EXPECT_THAT(result.members, IsEmpty());
  EXPECT_EQ(result.losses.total_bytes(), 2013);
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::BadHeader);
}

TEST(TarReader, ReportsAnEmptyFile) {
  const auto result = read_tar("");
  ASSERT_THAT(result.losses.entries(), SizeIs(1));
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::TruncatedInput);
}

TEST(TarReader, ReportsCutCompression) {
  for (const char* name : {"cut.tar.gz", "cut.tar.zst"}) {
    const auto result = read_tar(tar_fixture(name));
    ASSERT_THAT(result.losses.entries(), SizeIs(1)) << name;
    EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::SourceFailed) << name;
  }
}

TEST(TarReader, StopsACompressionBomb) {
  TarReaderOptions options;
  options.expansion_grace_bytes = std::int64_t{1} << 20;
  const auto result = read_tar(tar_fixture("bomb.tar.gz"), options);

  EXPECT_THAT(result.members, IsEmpty());
  ASSERT_THAT(result.losses.entries(), SizeIs(1));
  EXPECT_EQ(result.losses.entries()[0].kind, DamageKind::ExpansionLimit);
  EXPECT_THAT(result.losses.entries()[0].message, HasSubstr("bomb"));
  EXPECT_THAT(read_tar(tar_fixture("bomb.tar.gz")).members, SizeIs(1)) << "small ones are let be";
}

TEST(TarReader, ReportsAFailedPipeOnceItsBytesAreUsed) {
  const std::string path = test::tar_fixture_path("good.tar");
  LossLog losses;
  PipeSource source("cat " + path + "; exit 3");
  TarReader reader(source, losses);

  int num_members = 0;
  while (reader.next()) ++num_members;
  EXPECT_EQ(num_members, 8);
  ASSERT_THAT(losses.entries(), SizeIs(1));
  EXPECT_EQ(losses.entries()[0].kind, DamageKind::SourceFailed);
  EXPECT_THAT(losses.entries()[0].message, HasSubstr("exited with status 3"));
}

}  // namespace
}  // namespace aitqe
