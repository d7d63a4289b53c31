#include "scenarios/script_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

/// What is wrong with the words of each command, and where the caret stands.
namespace raftlab::scenarios {
namespace {

const std::string roles = "follower, pre-candidate, candidate, leader";
const std::string kinds_of_messages =
    "pre-vote, pre-vote-reply, vote, vote-reply, append, append-reply, append-reject, heartbeat, "
    "heartbeat-reply, snapshot, snapshot-reply, timeout-now, read-index, read-index-reply";

void expect_malformed_cluster(std::string_view marked, const std::string& message) {
  expect_diagnostic(marked, message, Outcome::malformed);
}

TEST(Malformed, cluster) {
  expect_malformed_cluster("cluster^", "missing the number of nodes");
  expect_malformed_cluster("cluster ^x", "expected the number of nodes, found `x`");
  expect_malformed_cluster("cluster ^0", "the number of nodes is 0; it must be from 1 to 9");
  expect_malformed_cluster("cluster ^10", "the number of nodes is 10; it must be from 1 to 9");
  expect_malformed_cluster("cluster 3 ^nodes",
                           "expected one of pre-vote, check-quorum, window, append-bytes, election, "
                           "heartbeat, snapshots, tail, parts, chunks, spares, leases, found `nodes`");
  expect_malformed_cluster("cluster 3 pre-vote^", "missing one of on, off");
  expect_malformed_cluster("cluster 3 pre-vote ^yes", "expected one of on, off, found `yes`");
  expect_malformed_cluster("cluster 3 check-quorum ^1", "expected one of on, off, found `1`");
  expect_malformed_cluster("cluster 3 window ^0", "the window in messages is 0; it must be from 1 to 1024");
  expect_malformed_cluster("cluster 3 window ^1025",
                           "the window in messages is 1025; it must be from 1 to 1024");
  expect_malformed_cluster("cluster 3 append-bytes ^1048577",
                           "the bytes of an append is 1048577; it must be from 1 to 1048576");
  expect_malformed_cluster("cluster 3 election ^1",
                           "the election timeout in ticks is 1; it must be from 2 to 1000");
  expect_malformed_cluster("cluster 3 heartbeat ^1000",
                           "the heartbeat in ticks is 1000; it must be from 1 to 999");
  expect_malformed_cluster("cluster 3 heartbeat^", "missing the heartbeat in ticks");
  expect_malformed_cluster("cluster 3 snapshots^", "missing the entries between two snapshots");
  expect_malformed_cluster("cluster 3 snapshots ^1048577",
                           "the entries between two snapshots is 1048577; it must be from 0 to 1048576");
  expect_malformed_cluster("cluster 3 tail ^x", "expected the entries kept behind a snapshot, found `x`");
  expect_malformed_cluster("cluster 3 parts ^0",
                           "the bytes written in a step is 0; it must be from 1 to 1048576");
  expect_malformed_cluster("cluster 3 chunks ^0", "the bytes of a chunk is 0; it must be from 1 to 1048576");
  expect_malformed_cluster("cluster 3 spares^", "missing the number of spares");
  expect_malformed_cluster("cluster 3 spares ^3", "the number of spares is 3; it must be from 0 to 2");
  expect_malformed_cluster("cluster 3 spares ^n3", "expected the number of spares, found `n3`");
}

TEST(Malformed, cluster_whose_heartbeat_is_too_long_at_the_number_that_was_given_last) {
  const char* message = "the heartbeat must be shorter than the election timeout";
  expect_malformed_cluster("cluster 3 election 5 heartbeat ^5", message);
  expect_malformed_cluster("cluster 3 heartbeat 5 election ^4", message);
  expect_malformed_cluster("cluster 3 election 5 heartbeat ^5 window 4 pre-vote off", message);
}

TEST(Malformed, cluster_that_is_the_second_one) {
  expect_malformed(
      {{"^cluster 3", "a script has one cluster"}, {"  ^cluster 5", "a script has one cluster"}});
}

TEST(Malformed, cluster_that_is_missing_or_wrong_ends_the_search_for_more) {
  const ScriptResult result = run_script("t.scn", "cluster 0\ntick x\nfoo\n");
  EXPECT_EQ(result.diagnostics.size(), 1U);
}

/// Commands whose next word is a node, or a list of nodes.
const std::vector<std::string> before_a_node{"campaign",
                                             "elect",
                                             "elect n1 votes",
                                             "isolate",
                                             "cut",
                                             "cut n1 ->",
                                             "cut n1 <->",
                                             "heal",
                                             "propose",
                                             "delete",
                                             "cas",
                                             "batch",
                                             "session",
                                             "retry",
                                             "get",
                                             "mget",
                                             "full",
                                             "tear",
                                             "rot",
                                             "wipe",
                                             "backup",
                                             "restore",
                                             "peers",
                                             "tick",
                                             "kill",
                                             "crash",
                                             "restart",
                                             "pause",
                                             "resume",
                                             "disk",
                                             "sync",
                                             "fail sync",
                                             "status",
                                             "log",
                                             "settle",
                                             "stabilize",
                                             "partition",
                                             "partition n1 |",
                                             "expect refused",
                                             "expect same log",
                                             "expect n1 peer",
                                             "expect n1 voters",
                                             "expect n1 outgoing",
                                             "expect n1 learners",
                                             "snapshot",
                                             "reconfigure",
                                             "reconfigure n1",
                                             "reconfigure n1 n1 learners",
                                             "transfer",
                                             "transfer n1 ->",
                                             "expect n1 vote",
                                             "expect n1 leader"};

TEST(Malformed, node_that_the_cluster_does_not_have) {
  for (const std::string& command : before_a_node) {
    for (const std::string node : {"n4", "n0", "n10", "n18446744073709551615"}) {
      expect_diagnostic("cluster 3\n" + command + " ^" + node,
                        "there is no node `" + node + "`: the cluster has n1 to n3", Outcome::malformed);
    }
  }
}

TEST(Malformed, node_that_is_none) {
  for (const std::string& command : before_a_node) {
    for (const std::string word : {"x", "1", "n", "n1x", "N1", "n-1", "n18446744073709551616", "|"}) {
      expect_diagnostic("cluster 3\n" + command + " ^" + word,
                        "expected a node, such as n1, found `" + word + "`", Outcome::malformed);
    }
  }
}

TEST(Malformed, node_that_is_missing) {
  for (const std::string& command : before_a_node) {
    if (command == "status" || command == "log" || command == "settle" || command == "stabilize" ||
        command == "heal")
      continue;  // all nodes, or all cuts
    expect_diagnostic("cluster 3\n" + command + "^   # a comment", "missing a node, such as n1",
                      Outcome::malformed);
  }
}

TEST(Malformed, node_that_is_named_twice) {
  for (const std::string command :
       {"tick", "kill", "crash", "restart", "pause", "resume", "sync", "status", "log", "settle", "stabilize",
        "partition", "expect same log", "elect n2 votes", "reconfigure n1", "reconfigure n1 n2 learners",
        "expect n1 voters", "expect n1 outgoing", "expect n1 learners"}) {
    expect_diagnostic("cluster 3\n" + command + " n1 n3 ^n1", "n1 is named twice", Outcome::malformed);
  }
}

TEST(Malformed, word_behind_the_end_of_a_command) {
  for (const std::string command : {"tick n1 5",
                                    "tick all 5",
                                    "tick n1 until leader",
                                    "campaign n1",
                                    "elect n1",
                                    "elect n1 votes n2",
                                    "elect n1 votes all",
                                    "snapshot n1",
                                    "reconfigure n1 n1 n2",
                                    "reconfigure n1 all learners n2 force as c",
                                    "transfer n1 -> n2",
                                    "transfer n1 -> n2 as c",
                                    "settle n1",
                                    "stabilize all",
                                    "partition n1 | n2",
                                    "isolate n1",
                                    "cut n1 -> n2",
                                    "heal n1 <-> n2",
                                    "kill n1",
                                    "crash n1",
                                    "crash n1 keep",
                                    "crash n1 sectors",
                                    "restart n1",
                                    "restart n1 manual",
                                    "pause n1",
                                    "resume n1",
                                    "disk n1 manual",
                                    "disk all auto",
                                    "sync n1 5",
                                    "fail sync n1 durable",
                                    "full n1 on",
                                    "tear n1 5",
                                    "tear n1 5 zeros",
                                    "rot n1 3",
                                    "wipe n1",
                                    "backup n1",
                                    "restore n1",
                                    "log n1",
                                    "messages",
                                    "peers n1",
                                    "propose n1 a 1",
                                    "propose n1 a 1 as w",
                                    "propose n1 a deadline 5",
                                    "delete n1 a",
                                    "cas n1 a 1 2",
                                    "session n1 s",
                                    "get n1 a",
                                    "get n1 a stale",
                                    "mget n1 a linearizable",
                                    "expect no findings",
                                    "expect n1 up",
                                    "expect n1 role leader",
                                    "expect n1 term 2",
                                    "expect n1 peer n2 probe",
                                    "expect n1 vote none",
                                    "expect n1 voters n1 n2",
                                    "expect n1 outgoing none",
                                    "expect n1 learners none",
                                    "expect n1 has a 1",
                                    "expect rung G1 holds",
                                    "expect refused n1 corrupt",
                                    "expect same log n1"}) {
    expect_diagnostic("cluster 3\n" + command + " ^moreover",
                      "unexpected `moreover` at the end of the command", Outcome::malformed);
  }
}

TEST(Malformed, tick) {
  expect_malformed(
      {{"tick n1 ^0", "a number of ticks is 0; it must be from 1 to 100000"},
       {"tick n1 ^100001", "a number of ticks is 100001; it must be from 1 to 100000"},
       {"tick n1 ^-1", "expected a number of ticks, found `-1`"},
       {"tick n1 ^+1", "expected a number of ticks, found `+1`"},
       {"tick n1 ^1.5", "expected a number of ticks, found `1.5`"},
       {"tick n1 ^18446744073709551616", "expected a number of ticks, found `18446744073709551616`"},
       {"tick all ^n1", "expected a number of ticks, found `n1`"}});
  expect_diagnostic("cluster 3\ntick n1 until^", "missing one of " + roles, Outcome::malformed);
  expect_diagnostic("cluster 3\ntick n1 until ^king", "expected one of " + roles + ", found `king`",
                    Outcome::malformed);
}

TEST(Malformed, partition) {
  expect_malformed({{"partition n1^", "missing `|`"},
                    {"partition all^", "missing `|`"},
                    {"partition n1 ^/ n2", "expected `|`, found `/`"},
                    {"partition n1 n2 | ^n3 n2", "n2 is in two groups"},
                    {"partition n1 | ^all", "n1 is in two groups"}});
}

TEST(Malformed, cut_and_heal) {
  expect_malformed({{"cut n1^", "missing one of ->, <->"},
                    {"cut n1 ^n2", "expected one of ->, <->, found `n2`"},
                    {"cut n1 ^<- n2", "expected one of ->, <->, found `<-`"},
                    {"heal n1^", "missing one of ->, <->"}});
}

TEST(Malformed, processes) {
  expect_malformed({{"crash n1 ^loudly", "unexpected `loudly` at the end of the command"},
                    {"crash n1 keep ^sectors", "unexpected `sectors` at the end of the command"},
                    {"restart n1 ^auto", "unexpected `auto` at the end of the command"}});
}

TEST(Malformed, disks) {
  expect_malformed({{"disk n1^", "missing one of manual, auto"},
                    {"disk n1 ^slow", "expected one of manual, auto, found `slow`"},
                    {"sync n1 ^0", "a number of syncs is 0; it must be from 1 to 1000"},
                    {"sync n1 ^1001", "a number of syncs is 1001; it must be from 1 to 1000"},
                    {"sync n1 ^x", "expected a number of syncs, found `x`"},
                    {"fail^", "missing `sync`"},
                    {"fail ^n1", "expected `sync`, found `n1`"},
                    {"fail sync n1 ^lost", "expected one of durable, cached, dropped, found `lost`"},
                    {"full n1^", "missing one of on, off"},
                    {"full n1 ^yes", "expected one of on, off, found `yes`"},
                    {"tear n1^", "missing a number of bytes"},
                    {"tear n1 ^0", "a number of bytes is 0; it must be from 1 to 1048576"},
                    {"tear n1 ^1048577", "a number of bytes is 1048577; it must be from 1 to 1048576"},
                    {"tear n1 5 ^ones", "unexpected `ones` at the end of the command"},
                    {"rot n1 ^x", "expected a bit, found `x`"},
                    {"rot n1 ^4294967296", "a bit is 4294967296; it must be from 0 to 4294967295"}});
}

TEST(Malformed, clients) {
  expect_malformed({{"propose n1^", "missing a key"},
                    {"propose n1 a 1 ^2", "unexpected `2` at the end of the command"},
                    {"delete n1^", "missing a key"},
                    {"cas n1^", "missing a key"},
                    {"cas n1 a^", "missing the expected value, or none"},
                    {"cas n1 a 1^", "missing the new value"},
                    {"batch n1^", "missing key=value"},
                    {"batch n1 ^a", "expected key=value, found `a`"},
                    {"batch n1 ^=1", "expected key=value, found `=1`"},
                    {"batch n1 a=1 ^b", "expected key=value, found `b`"},
                    {"session n1^", "missing the name of the session"},
                    {"retry n1^", "missing the name of a request"},
                    {"retry n1 ^w", "there is no request w"},
                    {"get n1^", "missing a key"},
                    {"get n1 a ^now", "unexpected `now` at the end of the command"},
                    {"get n1 a stale ^linearizable", "unexpected `linearizable` at the end of the command"},
                    {"get n1 a ^in s", "unexpected `in` at the end of the command"},
                    {"mget n1^", "missing a key"}});
}

TEST(Malformed, changes_of_the_members_and_transfers) {
  expect_malformed(
      {{"reconfigure n1 n1 ^learner n2", "unexpected `learner` at the end of the command"},
       {"reconfigure n1 n1 force ^learners n2", "unexpected `learners` at the end of the command"},
       {"reconfigure n1 n1 as^", "missing the name of the request"},
       {"transfer n1^", "missing `->`"},
       {"transfer n1 ^n2", "expected `->`, found `n2`"},
       {"transfer n1 -> n2 ^force", "unexpected `force` at the end of the command"},
       {"transfer n1 -> n2 as c\nreconfigure n1 n1 ^as c", "there is a request c already"},
       {"propose n1 a as c\ntransfer n1 -> n2 ^as c", "there is a request c already"},
       {"transfer n1 -> n2 as c\npropose n1 a ^as c", "there is a request c already"},
       {"transfer n1 -> n2 as c\nretry n1 ^c", "c is no request of a client"}});
}

TEST(Malformed, expectation_of_the_answer_to_a_change) {
  const std::string outcomes = "accepted, rejected, transferred, pending, lost";
  const std::string reasons =
      "not-leader, not-ready, overloaded, too-large, transferring, change-in-flight, bad-configuration, "
      "not-caught-up, bad-target, timed-out";
  const auto expect = [](const std::string& marked, const std::string& message) {
    expect_diagnostic("cluster 3\ntransfer n1 -> n2 as c\n" + marked, message, Outcome::malformed);
  };
  expect("expect answer c^", "missing one of " + outcomes);
  expect("expect answer c ^ok", "expected one of " + outcomes + ", found `ok`");
  expect("expect answer c rejected^", "missing one of " + reasons);
  expect("expect answer c rejected ^late", "expected one of " + reasons + ", found `late`");
  expect("expect answer c accepted ^at 3", "unexpected `at` at the end of the command");
}

TEST(Malformed, end_of_a_clients_command) {
  expect_malformed(
      {{"propose n1 a as^", "missing the name of the request"},
       {"propose n1 a deadline^", "missing a deadline in ticks"},
       {"propose n1 a deadline ^0", "a deadline in ticks is 0; it must be from 1 to 100000"},
       {"propose n1 a deadline ^100001", "a deadline in ticks is 100001; it must be from 1 to 100000"},
       {"propose n1 a as w ^deadline 5", "unexpected `deadline` at the end of the command"},
       {"propose n1 a in^", "missing a session"},
       {"propose n1 a in ^s", "there is no session s"},
       {"session n1 s\npropose n1 a in s number^", "missing the number of an operation"},
       {"session n1 s\npropose n1 a in s number ^0",
        "the number of an operation is 0; it must be from 1 to 4294967295"},
       {"session n1 s\npropose n1 a in s ^5", "unexpected `5` at the end of the command"}});
}

TEST(Malformed, name_that_is_taken) {
  expect_malformed({{"propose n1 a as w\nget n1 a ^as w", "there is a request w already"},
                    {"session n1 s\nsession n2 ^s", "there is a session or request s already"},
                    {"propose n1 a as s\nsession n2 ^s", "there is a session or request s already"},
                    {"session n1 s\npropose n1 a ^as s", "there is a request s already"}});
}

TEST(Malformed, selection) {
  expect_malformed({{"deliver n1^", "missing `->`"},
                    {"deliver n1 ^n2", "expected `->`, found `n2`"},
                    {"deliver ->^", "a direction needs a node before or behind the arrow"},
                    {"deliver -> ^append", "a direction needs a node before or behind the arrow"},
                    {"deliver -> ^n4", "there is no node `n4`: the cluster has n1 to n3"},
                    {"deliver ^0", "a number of messages is 0; it must be from 1 to 100000"},
                    {"drop ^100001", "a number of messages is 100001; it must be from 1 to 100000"},
                    {"hold nth^", "missing the position of a message"},
                    {"hold nth ^0", "the position of a message is 0; it must be from 1 to 100000"},
                    {"hold nth ^last", "expected the position of a message, found `last`"},
                    {"release term^", "missing a term"},
                    {"release term ^0", "a term is 0; it must be from 1 to 18446744073709551615"},
                    {"duplicate term ^two", "expected a term, found `two`"}});
}

TEST(Malformed, selection_with_a_word_that_selects_nothing) {
  const std::string words = kinds_of_messages + ", all, last, nth, term, reversed";
  for (const std::string command :
       {"drop", "duplicate", "hold", "release", "expect no message", "expect messages 2"}) {
    for (const std::string word : {"snapshots", "together", "everything"}) {
      expect_diagnostic("cluster 3\n" + command + " ^" + word,
                        "expected one of " + words + ", found `" + word + "`", Outcome::malformed);
    }
  }
  for (const std::string selection : {"n1 -> n2 ^n3", "append ^n1 -> n2", "append ^->"}) {
    const std::string found = selection.substr(selection.find('^') + 1);
    expect_diagnostic(
        "cluster 3\ndeliver " + selection,
        "expected one of " + words + ", together, found `" + found.substr(0, found.find(' ')) + "`",
        Outcome::malformed);
  }
}

TEST(Malformed, expectation) {
  const std::string words = "committed, not, answer, rung, no, messages, refused, same";
  const std::string fields =
      "role, vote, leader, peer, log, has, up, down, faulty, voters, outgoing, learners, term, commit, "
      "applied, durable, last, last-term, snapshot, base, dropped, reads";
  const auto expect = [](const std::string& marked, const std::string& message) {
    expect_diagnostic("cluster 3\n" + marked, message, Outcome::malformed);
  };
  expect("expect^", "missing one of " + words);
  expect("expect ^leader", "expected one of " + words + ", found `leader`");
  expect("expect n1^", "missing one of " + fields);
  expect("expect n1 ^state", "expected one of " + fields + ", found `state`");
  expect("expect n1 role^", "missing one of " + roles);
  expect("expect n1 role ^boss", "expected one of " + roles + ", found `boss`");
  expect("expect n1 peer n2^", "missing one of match, next, window, offset, probe, replicate, snapshot");
  expect("expect n1 peer n2 ^matches",
         "expected one of match, next, window, offset, probe, replicate, snapshot, found `matches`");
}

TEST(Malformed, expectation_of_a_number) {
  for (const std::string field :
       {"n1 term", "n2 commit", "n3 applied", "n1 durable", "n1 last", "n1 last-term", "n1 dropped",
        "n1 reads", "n1 snapshot", "n1 base", "n1 peer n2 offset", "n1 peer n2 match", "n1 peer n2 next",
        "n1 peer n2 window"}) {
    const std::string begin = "cluster 3\nexpect " + field;
    expect_diagnostic(begin + "^", "missing a number", Outcome::malformed);
    expect_diagnostic(begin + " <=^", "missing a number", Outcome::malformed);
    expect_diagnostic(begin + " ^x", "expected a number, found `x`", Outcome::malformed);
    expect_diagnostic(begin + " ^== 2", "expected a number, found `==`", Outcome::malformed);
    expect_diagnostic(begin + " >= ^-1", "expected a number, found `-1`", Outcome::malformed);
    expect_diagnostic(begin + " index^", "missing `of`", Outcome::malformed);
    expect_diagnostic(begin + " index ^a", "expected `of`, found `a`", Outcome::malformed);
    expect_diagnostic(begin + " index of^", "missing a key", Outcome::malformed);
  }
}

TEST(Malformed, expectation_of_something_else) {
  expect_malformed(
      {{"expect n1 log^", "missing entries, such as 1:config 2:noop 2:a=1"},
       {"expect n1 has^", "missing a key"},
       {"expect n1 has a^", "missing a value, or none"},
       {"expect committed^", "missing a key, or key=value"},
       {"expect not^", "missing `committed`"},
       {"expect not ^a", "expected `committed`, found `a`"},
       {"expect not committed^", "missing a key, or key=value"},
       {"expect answer^", "missing the name of a request"},
       {"expect answer ^w ok", "there is no request w"},
       {"expect rung^", "missing a rung, such as G3"},
       {"expect rung ^g3 holds", "there is no rung `g3`; `raftlab ladder` lists them"},
       {"expect rung G3^", "missing one of holds, broken"},
       {"expect rung G3 ^ok", "expected one of holds, broken, found `ok`"},
       {"expect no^", "missing one of findings, message"},
       {"expect no ^messages", "expected one of findings, message, found `messages`"},
       {"expect messages^", "missing a number of messages"},
       {"expect messages ^append", "expected a number of messages, found `append`"},
       {"expect messages ^100001", "a number of messages is 100001; it must be from 0 to 100000"},
       {"expect same^", "missing `log`"},
       {"expect same ^n1", "expected `log`, found `n1`"}});
  const std::string statuses = "pending, lost, ok, ";
  const std::string missing =
      first_diagnostic(run_script("t.scn", "cluster 3\nget n1 a as w\nexpect answer w\n"));
  EXPECT_THAT(missing, ::testing::StartsWith("t.scn:3:16: missing one of " + statuses));
  const std::string wrong =
      first_diagnostic(run_script("t.scn", "cluster 3\nget n1 a as w\nexpect answer w fine\n"));
  EXPECT_THAT(wrong, ::testing::HasSubstr("timed-out, found `fine`"));
}

TEST(Malformed, diagnostics_are_at_most_twenty_and_in_the_order_of_the_lines) {
  std::string text = "cluster 3\n";
  for (int i = 0; i < 30; ++i) text += "foo\n";
  const ScriptResult result = run_script("t.scn", text);
  ASSERT_EQ(result.diagnostics.size(), 20U);
  for (std::size_t i = 0; i < result.diagnostics.size(); ++i) EXPECT_EQ(result.diagnostics[i].line, i + 2);
}

TEST(Malformed, diagnostic_ends_with_how_the_command_is_written) {
  for (const std::string& usage : command_usages()) {
    const std::string name = usage.substr(0, usage.find(' '));
    if (name == "cluster") continue;
    const std::string shown = first_diagnostic(run_script("t.scn", "cluster 3\n" + name + " n99\n"));
    EXPECT_THAT(shown, ::testing::HasSubstr("\n    written: " + usage)) << name;
  }
}

}  // namespace
}  // namespace raftlab::scenarios
