# bash completion of faymora; made by `faymora completion bash`
# Behind `--` stands a command: its words are completed as files.
_faymora()
{
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  local verb='' flags='' words='' files='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
    --) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --log-format|--color|--grid|--timeout|--tls-dir|--ca|--cert|--key) i=$((i + 1)) ;;
    -*) ;;
    *) [ -n "$verb" ] || verb="${COMP_WORDS[i]}" ;;
    esac
  done
  case "$before" in
    --log-format) words="text json" ;;
    --color) words="auto always never" ;;
    --mode) words="exec lines batch json frames" ;;
    --format) words="lines jsonl nul netstring u32be msgpack" ;;
    --progress) words="auto bar plain none" ;;
    --role) words="agent node client observer" ;;
    --algorithm) words="p256 ed25519" ;;
  esac
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"); return
  fi
  flags=" --json -q --quiet -v --verbose --log-format --color --grid --timeout --tls-dir --ca --cert --key -h --help --version"
  case "$verb" in
    '') words="help run lint plan init dead agent node nodes events event weight doctor cert bench completion version" ;;
    run) flags="$flags -j --jobs --mode -a --input -o --output -0 --null --format --keep-order --retries --timeout --delay --tag --dead-letter --max-failures --state --resume --retry-dead --joblog --results --events --explain --progress --dry-run --deadline --set" files=1 ;;
    lint) files=1 ;;
    plan) flags="$flags -j --jobs --mode -a --input -o --output -0 --null --format --keep-order --retries --timeout --delay --tag --dead-letter --max-failures --state --resume --retry-dead --joblog --results --events --explain --progress --dry-run --deadline --set" files=1 ;;
    init) words="exec lines json c" ;;
    dead) files=1 words="ls show retry purge" ;;
    agent) flags="$flags --name --listen --advertise --peer --join --weight --strategy --cpus --mem --disk --tag --trust --crl --state-dir --wan" ;;
    node) flags="$flags --name --listen --advertise --peer --join --weight --strategy --cpus --mem --disk --tag --trust --crl --state-dir --wan" ;;
    nodes) flags="$flags -w --watch --name --state-dir" ;;
    events) flags="$flags -f --follow --since --name --state-dir" ;;
    event) flags="$flags --name --state-dir" ;;
    weight) flags="$flags --name --state-dir" ;;
    doctor) flags="$flags --name --state-dir" ;;
    cert) flags="$flags --name --san --role --algorithm --ttl --uses --peer" files=1 words="init host token show renew revoke" ;;
    bench) words="spawn exec lines frames" ;;
    completion) words="bash" ;;
    version) ;;
  esac
  case "$current" in
    -*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current") ;;
    *)
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"
        [ -z "$files" ] || compgen -f -- "$current") ;;
  esac
}
complete -o filenames -F _faymora faymora
