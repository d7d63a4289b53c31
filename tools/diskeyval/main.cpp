#include "tools/diskeyval/app.hpp"

int main(int count, char** arguments) { return raftlab::diskeyval::run(count, arguments); }
