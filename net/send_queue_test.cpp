#include "net/send_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace raftlab::net {
namespace {

raft::Envelope vote(std::uint64_t term) {
  return {raft::NodeId(1), raft::NodeId(2), raft::Term(term), raft::RequestVote{}};
}
raft::Envelope chunk(std::size_t bytes, std::uint64_t offset = 0) {
  raft::InstallSnapshot snapshot;
  snapshot.offset = offset;
  snapshot.total = offset + bytes;
  snapshot.chunk.resize(bytes);
  return {raft::NodeId(1), raft::NodeId(2), raft::Term(1), snapshot};
}

/// What goes out with one write: the terms of votes, and "chunk".
std::string taken(SendQueue& queue) {
  FrameBatch batch;
  queue.take(batch);
  FrameParser parser(raft::wire::frame_bytes_max, 8U << 20U);
  const auto room = parser.room();
  std::copy(batch.bytes().begin(), batch.bytes().end(), room.begin());
  parser.filled(batch.bytes().size());
  std::string text;
  for (auto next = parser.next(); std::holds_alternative<Frame>(next); next = parser.next()) {
    const auto envelope = std::get<raft::Envelope>(raft::wire::decode(std::get<Frame>(next).body));
    if (!text.empty()) text += ' ';
    text += envelope.kind() == raft::MessageKind::install_snapshot ? "chunk"
                                                                   : std::to_string(envelope.term.value());
  }
  return text;
}

TEST(SendQueue, TakesManyMessagesForOneWriteInTheirOrder) {
  SendQueue queue({});
  for (const std::uint64_t term : {1U, 2U, 3U}) EXPECT_TRUE(queue.push(vote(term)));
  EXPECT_EQ(taken(queue), "1 2 3");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(taken(queue), "");
}

TEST(SendQueue, AChunkWaitsForEverythingElse) {
  SendQueue queue({});
  EXPECT_TRUE(queue.push(chunk(100)));
  EXPECT_TRUE(queue.push(chunk(100, 100)));
  EXPECT_TRUE(queue.push(vote(1)));
  EXPECT_EQ(taken(queue), "1");
  EXPECT_EQ(taken(queue), "chunk");
  EXPECT_TRUE(queue.push(vote(2)));
  EXPECT_EQ(taken(queue), "2");
  EXPECT_EQ(taken(queue), "chunk");
}

TEST(SendQueue, AChunkDoesNotWaitForEver) {
  SendQueueLimits limits;
  limits.batches_per_chunk = 3;
  SendQueue queue(limits);
  EXPECT_TRUE(queue.push(chunk(100)));
  std::string all;
  for (std::uint64_t term = 1; term <= 5; ++term) {
    EXPECT_TRUE(queue.push(vote(term)));
    all += taken(queue) + ';';
  }
  EXPECT_EQ(all, "1;2;3;chunk;4 5;");
}

TEST(SendQueue, ABatchHasAnEnd) {
  SendQueueLimits limits;
  limits.batch_bytes = 30;
  SendQueue queue(limits);
  for (std::uint64_t term = 1; term <= 5; ++term) EXPECT_TRUE(queue.push(vote(term)));
  EXPECT_EQ(taken(queue), "1 2 3");
  EXPECT_EQ(taken(queue), "4 5");
}

TEST(SendQueue, HasBoundsOfMessagesAndOfBytesInEachLane) {
  SendQueueLimits limits;
  limits.messages_max = 2;
  limits.chunks_max = 3;
  limits.chunk_bytes_max = 10'000;
  SendQueue queue(limits);
  EXPECT_TRUE(queue.push(vote(1)));
  EXPECT_TRUE(queue.push(vote(2)));
  EXPECT_FALSE(queue.push(vote(3)));
  EXPECT_TRUE(queue.push(chunk(20'000))) << "an empty lane takes anything";
  EXPECT_FALSE(queue.push(chunk(1)));
  EXPECT_EQ(taken(queue), "1 2");
  EXPECT_TRUE(queue.push(vote(4)));
  EXPECT_EQ(queue.messages(), 2U);
  EXPECT_EQ(queue.clear(), 2U);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(chunk(1)));
  EXPECT_FALSE(queue.push(chunk(1)));

  limits.bytes_max = 1'000;
  limits.messages_max = 1'000;
  SendQueue narrow(limits);
  int room = 0;
  while (narrow.push(vote(1))) ++room;
  EXPECT_GT(room, 1);
  EXPECT_LT(room, 100);
}

}  // namespace
}  // namespace raftlab::net
