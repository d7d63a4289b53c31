// Linked into every test executable: the properties that rapidcheck tries are the same in every run, on every machine.
//
// RC_PARAMS in the environment wins: RC_PARAMS="seed=$RANDOM" looks elsewhere, RC_PARAMS="seed=20260 max_success=1000"
// looks longer. Without a seed in it the seed is ours: a person who asks for more cases asks for nothing random.
#include <cstdlib>
#include <string>

namespace {

[[maybe_unused]] const bool seeded = [] {
  const char* given = std::getenv("RC_PARAMS");
  const std::string parameters = given == nullptr ? "" : given;
  if (parameters.find("seed=") != std::string::npos) return false;
  // rapidcheck reads the variable at its first property, long after this.
  return ::setenv("RC_PARAMS", ("seed=20260 " + parameters).c_str(), 1) == 0;
}();

}  // namespace
