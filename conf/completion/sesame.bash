# Completion of sesame(1) for bash.

_sesame_codes() {
  echo '
    deed-replica dkim-broken-after dkim-cname-missing dkim-cname-proxied dkim-cname-target dkim-disabled
    dkim-failed dkim-key-bad dkim-key-weak dkim-lost dkim-name-doubled dkim-no-key dkim-ok dkim-past-fault
    dkim-pending dkim-records-flap dkim-revoked dkim-rotating dkim-strict-parent dkim-switching
    dkim-temperror-partial dkim-txt-servfail dmarc-absent dmarc-invalid dmarc-none-aligned dmarc-temperror
    dns-delegation-mismatch dns-dnssec-bogus dup-header from-ambiguous from-foreign from-unverified
    identity-address-override mailfrom-default mailfrom-fallback mailfrom-mx mailfrom-reject mailfrom-spf
    null-sender only-amazonses-signature orgdomain-split owner-settings-unknown prediction-contradicted
    region-not-set-up sending-blocked ses-lint spf-apex-irrelevant spf-strict-never too-many-recipients
    upstream-sig-will-break
  '
}

# The options of a subcommand.
_sesame_options() {
  local history='--config --store --domain --host --direction'
  case $1 in
    '') echo --version ;;
    spf) echo --ip --helo --mail-from --json ;;
    verify) echo --ip --helo --mail-from --now --dmarc-mode --psl --lax-keys --json ;;
    dmarc) echo --json ;;
    preflight) echo --config --mail-from --rcpt --relay --json ;;
    doctor) echo --all --config --region --account --token --mail-from --json ;;
    sync)
      echo --config --region --account --profile --endpoint --interval --timeout --max-age --snapshot --json ;;
    watch)
      echo --config --once --status --timeline --evidence --since --output --acknowledge --silence --for --unsilence \
        --confirm --region --account --json ;;
    report | top) echo --since --until "$history" --most --json --csv ;;
    explain) echo --config --store --json ;;
    tail) echo --follow --lines --verdict --action --code --search "$history" --json --csv ;;
    'policy simulate')
      echo --since --until "$history" --fail --refused --on-policy-reject --on-policy-quarantine --on-bad-author \
        --json --csv ;;
    import) echo --output ;;
    setup) echo --config --directory --apply --revert ;;
    config) echo --config ;;
    'config test') echo --config ;;
    'config print') echo --config --defaults ;;
  esac
  echo --dns --help
}

# The values of an option; a status other than 0: it takes none. Nothing: any text.
_sesame_values() {
  case $1 in
    --config | --psl | --snapshot | --output | --store) compgen -f -- "$2" ;;
    --directory) compgen -d -- "$2" ;;
    --direction) compgen -W 'outbound inbound' -- "$2" ;;
    --dmarc-mode) compgen -W 'rfc9989 rfc7489' -- "$2" ;;
    --verdict) compgen -W 'pass fail none refused unknown' -- "$2" ;;
    --action) compgen -W 'accept observe tag hold reject tempfail' -- "$2" ;;
    --code) compgen -W "$(_sesame_codes)" -- "$2" ;;
    --fail | --refused) compgen -W 'observe tag hold reject' -- "$2" ;;
    --on-policy-reject | --on-policy-quarantine | --on-bad-author)
      compgen -W 'observe quarantine reject' -- "$2" ;;
    --ip | --helo | --mail-from | --now | --rcpt | --relay | --region | --account | --token | --profile | --endpoint | \
      --interval | --timeout | --max-age | --timeline | --evidence | --since | --until | --acknowledge | --silence | \
      --for | --unsilence | --confirm | --domain | --host | --most | --lines | -n | --dns) ;;
    *) return 1 ;;
  esac
}

# What may stand there that is no option.
_sesame_words() {
  case $1 in
    '')
      compgen -W 'spf verify dmarc preflight doctor sync watch report explain top tail policy import setup config' \
        -- "$2" ;;
    policy) compgen -W simulate -- "$2" ;;
    config) compgen -W 'test print' -- "$2" ;;
    setup) compgen -W 'postfix sendmail' -- "$2" ;;
    top) compgen -W 'from_domain code client mail_from host action verdict' -- "$2" ;;
    explain) compgen -W "$(_sesame_codes)" -- "$2" ;;
    verify | preflight | import) compgen -f -- "$2" ;;
  esac
}

_sesame() {
  local command='' i word=${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -*) _sesame_values "${COMP_WORDS[i]}" '' > /dev/null 2>&1 && i=$((i + 1)) ;;
      simulate | test | print) [[ $command == policy || $command == config ]] && command+=" ${COMP_WORDS[i]}" ;;
      *) [[ $command ]] || command=${COMP_WORDS[i]} ;;
    esac
  done
  local previous=${COMP_WORDS[COMP_CWORD - 1]} found
  # --option=value comes in three words.
  [[ $word == = ]] && word=''
  [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  case "$previous $command" in
    --config\ * | --psl\ * | --snapshot\ * | --output\ * | --store\ * | --directory\ * | *\ verify | *\ preflight | *\ import)
      compopt -o filenames 2> /dev/null ;;
  esac
  if found=$(_sesame_values "$previous" "$word"); then
    :
  elif [[ $word == -* ]]; then
    found=$(compgen -W "$(_sesame_options "$command")" -- "$word")
  else
    found=$(_sesame_words "$command" "$word")
  fi
  mapfile -t COMPREPLY < <([[ $found ]] && printf '%s\n' "$found")
}

complete -F _sesame sesame
