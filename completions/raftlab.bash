# bash completion for raftlab, written by: raftlab __complete bash
_raftlab() {
  local current=${COMP_WORDS[COMP_CWORD]} words
  case ${COMP_WORDS[1]:-} in
    explore) words='--help --seed --seeds --nodes --profile --checks --jobs --time-budget --shard --trace --json --junit --out --keep-going' ;;
    run) words='--help --rewrite' ;;
    replay) words='--help' ;;
    show) words='--help --json --around --context --node --last --long' ;;
    audit) words='--help --history --json' ;;
    ladder) words='--help' ;;
    bench) words='--help --profile --nodes --repetitions' ;;
    *) words='explore run replay show audit ladder bench --help --version' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='explore run replay show audit ladder bench --help --version'; fi
  if [ "$COMP_CWORD" -gt 1 ] && [ "${current#-}" = "$current" ]; then words=''; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _raftlab raftlab
