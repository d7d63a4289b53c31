#compdef raftlab
# zsh completion for raftlab, written by: raftlab __complete zsh
local -a commands
commands=(
    'explore:Run seeds; alone\: half a minute of them'
    'run:Run scenarios (docs/scenarios.md)'
    'replay:Re-execute a recorded run and compare every step'
    'show:Print a trace, one line per step'
    'audit:Judge what real nodes have written down (docs/cli.md#audit)'
    'ladder:Every rung of the invariant ladder, and what it says'
    'bench:Measure profiles with checks off and on'
)
if (( CURRENT == 2 )); then
  _describe command commands
else
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    explore)
      _arguments \
        '--help[This text]' \
        '--seed[One seed, decimal or 0x...]:value:_files' \
        '--seeds[Seeds A to B, both included, or the seeds from 1 to N]:value:_files' \
        '--nodes[Size of the cluster (default\: drawn from 1 to 9)]:value:_files' \
        '--profile[Settings over the drawn profile (docs/profiles.md)]:value:_files' \
        '--checks[Check the ladder after every step, or not at all]:value:_files' \
        '--jobs[Seeds that run at the same time (default\: one per core)]:value:_files' \
        '--time-budget[Start no seed after this time\: 30s, 10m, 2h]:value:_files' \
        '--shard[Only the seeds whose remainder by n is i]:value:_files' \
        '--trace[Record the one seed of --seed]:value:_files' \
        '--json[One JSON object per seed, then a summary, on stdout]' \
        '--junit[Also write a JUnit report]:value:_files' \
        '--out[Where traces of violated seeds go (default\: raftlab-out/<time>, with a link raftlab-out/latest)]:value:_files' \
        '--keep-going[Go on after a violated seed]'
      ;;
    run)
      _arguments \
        '--help[This text]' \
        '--rewrite[Put the output of the commands in place of the expected output]' \
        '*:file:_files'
      ;;
    replay)
      _arguments \
        '--help[This text]' \
        '*:file:_files'
      ;;
    show)
      _arguments \
        '--help[This text]' \
        '--json[One JSON object per line\: a header, the steps, the end]' \
        '--around[Only the steps next to this one]:value:_files' \
        '--context[How many on either side of it (default\: 10)]:value:_files' \
        '--node[Only the steps of this node]:value:_files' \
        '--last[Only the last so many]:value:_files' \
        '--long[Wrap what does not fit on a line]' \
        '*:file:_files'
      ;;
    audit)
      _arguments \
        '--help[This text]' \
        '--history[What the clients were told, one JSON object a line]:value:_files' \
        '--json[One JSON object in place of text]' \
        '*:file:_files'
      ;;
    ladder)
      _arguments \
        '--help[This text]'
      ;;
    bench)
      _arguments \
        '--help[This text]' \
        '--profile[Profiles (default\: w1, w2, w3 of scenarios/profiles)]:value:_files' \
        '--nodes[Size of the cluster (default\: as the profile says)]:value:_files' \
        '--repetitions[Runs of each kind; the median counts (default\: 3)]:value:_files'
      ;;
  esac
fi
