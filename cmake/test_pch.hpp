// The headers that every test includes and that cost most of its compile time. A test still includes what it
// uses: the precompiled header is an option (RAFTLAB_TEST_PCH) and not part of the language.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
