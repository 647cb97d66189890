#include "aitqe/base/hash.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

// FIPS 180-4, examples of NIST: the empty message and "abc".
TEST(Sha256, EqualsThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, GivesTheSameDigestForPieces) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hash.hex_digest(), sha256_hex("abc"));
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const test::TemporaryFolder folder;
  const std::string bytes((std::size_t{1} << 20) + 3, 'a');  // more than one piece
  folder.write("file", bytes);
  EXPECT_EQ(sha256_of_file(folder / "file"), sha256_hex(bytes));
  EXPECT_THAT(test::message_of([&] { sha256_of_file(folder / "none"); }),
              ::testing::HasSubstr("none: cannot be read"));
}

}  // namespace
}  // namespace aitqe
