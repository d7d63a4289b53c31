#include "tools/raftlab/app.hpp"

int main(int count, char** arguments) { return raftlab::tool::run(count, arguments); }
