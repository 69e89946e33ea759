import type { Command, Option } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** What can be typed after a command: options with their choices, and the choices of its arguments. */
type Known = { name: string; about: string; options: readonly Option[]; words: readonly string[] }

/** The script for a shell, made of the commands themselves, so that it knows what this version knows. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.map(knownOf)
  if (shell === 'fish') return fishScript(program.name(), commands)
  return shell === 'bash' ? bashScript(program.name(), commands) : zshScript(program.name(), commands)
}

function knownOf(command: Command): Known {
  return {
    name: command.name(),
    about: command.summary() || command.description(),
    options: command.options,
    words: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  }
}

function flagsOf({ options }: Known): string[] {
  return [
    ...options.flatMap(({ short, long }) => [long, short]).filter((flag) => flag !== undefined),
    '--help',
  ]
}

/** Options whose value is to be one of some words, of any command; a value that may be a file is left to the shell. */
function valued(commands: readonly Known[]): { flags: string; words: string }[] {
  const found = new Map<string, Set<string>>()
  for (const { long, short, argChoices } of commands.flatMap(({ options }) => options)) {
    const flags = [long, short].filter(Boolean).join('|')
    if (argChoices) found.set(flags, new Set([...(found.get(flags) ?? []), ...argChoices]))
  }
  return Array.from(found, ([flags, words]) => ({ flags, words: [...words].join(' ') }))
}

function bashScript(name: string, commands: readonly Known[]): string {
  const values = valued(commands).map(
    ({ flags, words }) => `    ${flags}) COMPREPLY=($(compgen -W '${words}' -- "$word")); return ;;`,
  )
  const cases = commands.map(
    (command) => `    ${command.name}) words='${[...command.words, ...flagsOf(command)].join(' ')}' ;;`,
  )
  return `# bash completion of ${name}: source <(${name} completion bash)
_${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words
  COMPREPLY=()
  case $before in
${values.join('\n')}
    --file) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${[...commands.map((command) => command.name), '--help', '--version'].join(' ')}'
  else case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _${name} ${name}`
}

function zshScript(name: string, commands: readonly Known[]): string {
  const values = valued(commands).map(({ flags, words }) => `    ${flags}) compadd -- ${words}; return ;;`)
  const cases = commands.map(
    (command) => `    ${command.name}) compadd -- ${[...command.words, ...flagsOf(command)].join(' ')} ;;`,
  )
  const described = commands.map((command) => `      '${command.name}:${zshText(command.about)}'`)
  return `#compdef ${name}
# zsh completion of ${name}: source <(${name} completion zsh), after compinit
_${name}() {
  case \${words[CURRENT-1]} in
${values.join('\n')}
    --file) _files; return ;;
  esac
  if (( CURRENT == 2 )); then
    local -a known=(
${described.join('\n')}
    )
    _describe command known
    return
  fi
  case \${words[2]} in
${cases.join('\n')}
  esac
}
compdef _${name} ${name}`
}

function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(':', '\\:')
}

function fishScript(name: string, commands: readonly Known[]): string {
  const first = commands.map(
    (command) =>
      `complete -c ${name} -n __fish_use_subcommand -f -a ${command.name} -d '${fishText(command.about)}'`,
  )
  const rest = commands.flatMap((command) => {
    const when = `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}'`
    const words = command.words.length > 0 ? [`${when} -f -a '${command.words.join(' ')}'`] : []
    return [...words, ...command.options.map((option) => `${when} ${fishOption(option)}`)]
  })
  return [`# fish completion of ${name}: ${name} completion fish | source`, ...first, ...rest].join('\n')
}

function fishOption({ long, short, argChoices, description, required }: Option): string {
  const flags = [long && `-l ${long.slice(2)}`, short && `-s ${short.slice(1)}`].filter(Boolean).join(' ')
  const value = argChoices ? ` -x -a '${argChoices.join(' ')}'` : required ? ' -r' : ''
  return `${flags}${value} -d '${fishText(description)}'`
}

function fishText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
}
