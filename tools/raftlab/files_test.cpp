#include "tools/raftlab/files.hpp"

#include "tools/raftlab/cli_fixture.hpp"

#include <sys/stat.h>

#include <variant>

namespace raftlab::tool {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

raft::Bytes bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The code and the message of a failure; the code 0 when there is none.
template <class Value>
std::pair<int, std::string> failed(const Result<Value>& result) {
  const Failure* found = failure(result);
  return found == nullptr ? std::pair(0, std::string())
                          : std::pair(static_cast<int>(found->code), found->message);
}

std::pair<int, std::string> failed(const std::optional<Failure>& found) {
  return found ? std::pair(static_cast<int>(found->code), found->message) : std::pair(0, std::string());
}

// ---- input ------------------------------------------------------------------------------------------------

class InputFile : public CliTest {};

TEST_F(InputFile, IsReadWholeWithEveryByteInIt) {
  std::string content;
  for (int i = 0; i < 200'000; ++i) content += static_cast<char>(i * 31);
  write("file", content);
  EXPECT_EQ(std::get<std::string>(read_file("file", text_bytes_max)), content);
}

TEST_F(InputFile, MayBeAsLongAsTheLimitAndNoLonger) {
  write("file", "12345");
  EXPECT_EQ(std::get<std::string>(read_file("file", 5)), "12345");
  const auto [code, message] = failed(read_file("file", 4));
  EXPECT_EQ(code, 65);
  EXPECT_EQ(message, "file: the file is longer than 4 bytes");
}

TEST_F(InputFile, ThatNeverEndsIsLeftAtTheLimit) {
  if (!fs::exists("/dev/zero")) GTEST_SKIP() << "there is no /dev/zero";
  EXPECT_EQ(failed(read_file("/dev/zero", 1'000'000)).first, 65);
}

TEST_F(InputFile, IsNotEmpty) {
  write("file", "");
  EXPECT_EQ(failed(read_file("file", 5)), std::pair(65, std::string("file: the file is empty")));
}

TEST_F(InputFile, ThatIsMissingOrADirectoryCannotBeRead) {
  const auto [code, message] = failed(read_file("missing", 5));
  EXPECT_EQ(code, 74);
  EXPECT_EQ(message, "missing: cannot be read: No such file or directory");
  EXPECT_EQ(failed(read_file(".", 5)), std::pair(74, std::string(".: cannot be read: Is a directory")));
}

// ---- output -----------------------------------------------------------------------------------------------

class OutputFileTest : public CliTest {
 protected:
  static OutputFile opened(const std::string& path) {
    auto file = OutputFile::open(path);
    EXPECT_EQ(failed(file).second, "");
    return std::move(std::get<OutputFile>(file));
  }
};

TEST_F(OutputFileTest, AppearsWithTheCommitAndIsComplete) {
  OutputFile file = opened("file");
  EXPECT_FALSE(fs::exists("file"));
  EXPECT_FALSE(file.commit(bytes("content")));
  EXPECT_EQ(read("file"), "content");
  EXPECT_EQ(files(), std::vector<std::string>{"file"});
}

TEST_F(OutputFileTest, WithoutACommitNothingIsLeftBehind) {
  { const OutputFile file = opened("file"); }
  EXPECT_TRUE(files().empty());
}

TEST_F(OutputFileTest, WithoutACommitTheOlderFileStays) {
  write("file", "old");
  { const OutputFile file = opened("file"); }
  EXPECT_EQ(read("file"), "old");
}

TEST_F(OutputFileTest, TheCommitReplacesTheOlderFile) {
  write("file", "a much longer content than the new one");
  EXPECT_FALSE(opened("file").commit(bytes("new")));
  EXPECT_EQ(read("file"), "new");
}

TEST_F(OutputFileTest, CanBeMovedAndIsCommittedOnce) {
  OutputFile first = opened("file");
  OutputFile second = std::move(first);
  EXPECT_EQ(second.path(), "file");
  EXPECT_FALSE(second.commit(bytes("content")));
  EXPECT_EQ(read("file"), "content");
}

TEST_F(OutputFileTest, ADeviceIsWrittenInPlace) {
  EXPECT_FALSE(opened("/dev/null").commit(bytes("content")));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, AFullDeviceIsToldAtTheCommit) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const auto [code, message] = failed(opened("/dev/full").commit(bytes("content")));
  EXPECT_EQ(code, 74);
  EXPECT_THAT(message, StartsWith("/dev/full: cannot be written: "));
}

TEST_F(OutputFileTest, IsNoDirectory) {
  fs::create_directory("directory");
  EXPECT_EQ(failed(OutputFile::open("directory")),
            std::pair(74, std::string("directory: cannot be written: Is a directory")));
}

TEST_F(OutputFileTest, LiesInADirectoryThatIsThere) {
  EXPECT_EQ(failed(OutputFile::open("nowhere/file")),
            std::pair(74, std::string("nowhere/file: cannot be written: No such file or directory")));
  EXPECT_EQ(failed(OutputFile::open("")).first, 74);
}

TEST_F(OutputFileTest, ThroughALinkWritesTheFileBehindIt) {
  write("file", "old");
  fs::create_symlink("file", "link");
  EXPECT_FALSE(opened("link").commit(bytes("new")));
  EXPECT_TRUE(fs::is_symlink("link"));
  EXPECT_EQ(read("file"), "new");
}

TEST_F(OutputFileTest, KeepsThePermissionsOfTheOlderFile) {
  write("file", "old");
  fs::permissions("file", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(opened("file").commit(bytes("new")));
  EXPECT_EQ(fs::status("file").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(OutputFileTest, ADirectoryThatTakesNoFilesIsToldAtOnce) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directory("closed");
  fs::permissions("closed", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(failed(OutputFile::open("closed/file")).first, 74);
  EXPECT_EQ(failed(OutputDirectory("closed/deep").check()).first, 74);
}

// ---- directories for traces -------------------------------------------------------------------------------

class OutputDirectoryTest : public CliTest {
 protected:
  static OutputDirectory::Saved saved(OutputDirectory& directory, const std::string& name,
                                      std::string_view content) {
    auto result = directory.save(name, ".trace", bytes(content));
    EXPECT_EQ(failed(result).second, "");
    return std::get<OutputDirectory::Saved>(result);
  }
};

TEST_F(OutputDirectoryTest, IsNotMadeBeforeSomethingIsSaved) {
  const OutputDirectory given("deep/er");
  const OutputDirectory standard("");
  EXPECT_FALSE(given.check());
  EXPECT_FALSE(standard.check());
  EXPECT_TRUE(files().empty());
}

TEST_F(OutputDirectoryTest, ThatIsGivenIsMadeWithItsParents) {
  OutputDirectory directory("deep/er");
  const auto place = saved(directory, "7", "content");
  EXPECT_EQ(place.path, "deep/er/7.trace");
  EXPECT_EQ(place.short_path, "deep/er/7.trace");
  EXPECT_EQ(read("deep/er/7.trace"), "content");
}

TEST_F(OutputDirectoryTest, NumbersWhatHasTheSameName) {
  OutputDirectory directory("out");
  EXPECT_EQ(saved(directory, "7", "first").path, "out/7.trace");
  EXPECT_EQ(saved(directory, "7", "second").path, "out/7-2.trace");
  EXPECT_EQ(saved(directory, "7", "third").path, "out/7-3.trace");
  EXPECT_EQ(read("out/7.trace"), "first");
}

TEST_F(OutputDirectoryTest, OfTheRunIsReachedThroughLatest) {
  OutputDirectory directory("");
  const auto first = saved(directory, "1", "first");
  const auto second = saved(directory, "2", "second");
  EXPECT_EQ(first.short_path, "raftlab-out/latest/1.trace");
  EXPECT_EQ(fs::path(first.path).parent_path(), fs::path(second.path).parent_path());
  EXPECT_EQ(read(second.short_path), "second");
  EXPECT_FALSE(fs::path(fs::read_symlink("raftlab-out/latest")).is_absolute());
}

TEST_F(OutputDirectoryTest, ALinkThatLeadsNowhereIsReplaced) {
  fs::create_directory("raftlab-out");
  fs::create_directory_symlink("gone", "raftlab-out/latest");
  OutputDirectory directory("");
  EXPECT_EQ(read(saved(directory, "1", "first").short_path), "first");
}

TEST_F(OutputDirectoryTest, AFileInItsPlaceIsRefused) {
  write("file", "content");
  EXPECT_THAT(failed(OutputDirectory("file").check()).second, HasSubstr("file: cannot be written into"));
  EXPECT_THAT(failed(OutputDirectory("file/below").check()).second,
              HasSubstr("file: cannot be written into"));
  OutputDirectory directory("file/below");
  EXPECT_EQ(failed(directory.save("1", ".trace", bytes("x"))).first, 74);
  write("raftlab-out", "content");
  EXPECT_EQ(failed(OutputDirectory("").check()).first, 74);
}

TEST_F(OutputDirectoryTest, MayEndWithASlash) {
  OutputDirectory directory("out/");
  EXPECT_FALSE(directory.check());
  EXPECT_EQ(saved(directory, "1", "x").path, "out/1.trace");
}

}  // namespace
}  // namespace raftlab::tool
