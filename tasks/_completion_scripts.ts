/**
 * Generates shell scripts that complete `deno task NAME --flag value` from the flags of the tasks. Outside taulab's
 * directory, and for other commands of Deno, the scripts delegate to Deno's own completion if it is loaded.
 */

import type { FlagView } from "./_cli.ts";

/** The shells for which there are completion scripts. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell for which there is a completion script. */
export type Shell = typeof SHELLS[number];

/**
 * The possible completions of a flag's value or an operand: all names of a kind, such as `runs`, or a list of choices.
 * `any` stands for values that cannot be listed.
 */
type Values = "files" | "runs" | "recipes" | "any" | readonly string[];

/** A task whose command line can be completed. */
export interface CompletableTask {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly FlagView[];
  /** The operands, which follow the flags; `null` if the task accepts no operands. */
  readonly operands:
    | Pick<FlagView, "choices" | "isPath"> & { readonly value: string }
    | null;
}

/** Options for {@linkcode completionScript}. */
export interface CompletionOptions {
  readonly tasks: readonly CompletableTask[];
  /** The names of the recipes, offered as completions of `--recipe`. */
  readonly recipes: readonly string[];
}

/** Returns the completion script for a shell. */
export function completionScript(
  shell: Shell,
  options: CompletionOptions,
): string {
  const { head, body } = SCRIPTS[shell];
  return `# Completion of taulab's tasks in ${shell}; load it with: ${head}\n${
    body(options)
  }\n`;
}

const SCRIPTS: Readonly<
  Record<Shell, { head: string; body: (options: CompletionOptions) => string }>
> = {
  bash: { head: "source <(deno task -q completions bash)", body: bashScript },
  zsh: { head: "source <(deno task -q completions zsh)", body: zshScript },
  fish: { head: "deno task -q completions fish | source", body: fishScript },
};

/** Returns the possible values of a flag, derived from its choices, placeholder and kind of path. */
function valuesOf(
  { name = "", value, choices, isPath }:
    & Pick<FlagView, "value" | "choices" | "isPath">
    & { readonly name?: string },
): Values {
  if (choices.length > 0) return choices;
  if (/^RUN/.test(value ?? "")) return "runs";
  if (name === "--recipe" && !isPath("default")) return "recipes";
  return isPath("./a") ? "files" : "any";
}

/** Returns the branches of a `case` over task names. */
function cases(
  tasks: readonly CompletableTask[],
  of: (task: CompletableTask) => string,
): string {
  return tasks.map((task) => `    ${task.name}) ${of(task)} ;;`).join("\n");
}

/**
 * The source of a shell function that checks whether the shell is in or below taulab's directory, and sets
 * `_taulab_root` to that directory.
 */
const HERE = `_taulab_here() {
  _taulab_root=$PWD
  while [ -n "$_taulab_root" ] && [ ! -f "$_taulab_root/deno.json" ]; do
    _taulab_root=\${_taulab_root%/*}
  done
  [ -f "$_taulab_root/tasks/completions.ts" ]
}`;

function bashScript({ tasks, recipes }: CompletionOptions): string {
  const valued = tasks.flatMap((task) =>
    task.flags.filter(({ value }) => value !== null).map((flag) =>
      `    ${quoted(`${task.name} ${flag.name}`)}) echo ${
        bashValues(valuesOf(flag))
      } ;;`
    )
  );
  const operands = tasks.filter((task) => task.operands !== null);
  return `${HERE}
_taulab_flags() {
  case $1 in
${cases(tasks, ({ flags }) => `echo ${quoted(namesOf(flags))}`)}
  esac
}
_taulab_values() {
  case "$1 $2" in
${valued.join("\n")}
    *) return 1 ;;
  esac
}
_taulab_operands() {
  case $1 in
${
    cases(
      operands,
      ({ operands }) => `echo ${bashValues(valuesOf(operands!))}`,
    )
  }
  esac
}
_taulab_offer() {
  local values=$1 word=$2
  case $values in
    "") ;;
    @any) ;;
    @files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    @runs) mapfile -t COMPREPLY < <(
      compgen -W "$(ls "$_taulab_root/runs" 2>/dev/null)" -- "$word"
      compgen -f -- "$word"
    ) ;;
    @recipes) mapfile -t COMPREPLY < <(
      compgen -W ${quoted(recipes.join(" "))} -- "$word"
      compgen -f -X '!*.y*ml' -- "$word"
    ) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word") ;;
  esac
}
_taulab() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} task=\${COMP_WORDS[2]} values
  COMPREPLY=()
  if [ "$COMP_CWORD" -lt 2 ] || [ "\${COMP_WORDS[1]}" != task ] || ! _taulab_here; then
    if declare -F _deno >/dev/null; then _deno "$@"; fi
    return
  fi
  if [ "$COMP_CWORD" -eq 2 ]; then
    _taulab_offer ${quoted(tasks.map(({ name }) => name).join(" "))} "$word"
  elif values=$(_taulab_values "$task" "$before"); then
    _taulab_offer "$values" "$word"
  elif [[ $word == -* ]]; then
    _taulab_offer "$(_taulab_flags "$task")" "$word"
  else
    _taulab_offer "$(_taulab_operands "$task")" "$word"
  fi
}
complete -o default -F _taulab deno`;
}

function bashValues(values: Values): string {
  return quoted(typeof values === "string" ? `@${values}` : values.join(" "));
}

function zshScript({ tasks, recipes }: CompletionOptions): string {
  const specs = (task: CompletableTask) =>
    [
      ...task.flags.map(zshSpec),
      ...(task.operands === null ? [] : [
        quoted(
          `*:${zshText(task.operands.value)}:${
            zshAction(valuesOf(task.operands))
          }`,
        ),
      ]),
    ].map((spec) => `\\\n      ${spec}`).join(" ");
  return `${HERE}
_taulab_runs() {
  local -a runs=("$_taulab_root"/runs/*(N/:t))
  compadd -a runs
  _files
}
_taulab_recipes() {
  compadd -- ${recipes.map((one) => quoted(one)).join(" ")}
  _files -g '*.y(a|)ml'
}
_taulab() {
  if (( CURRENT < 3 )) || [[ $words[2] != task ]] || ! _taulab_here; then
    (( $+functions[_deno] )) && _deno "$@"
    return
  fi
  if (( CURRENT == 3 )); then
    local -a tasks=(
${
    tasks.map(({ name, summary }) =>
      `      ${quoted(`${name.replaceAll(":", "\\:")}:${summary}`)}`
    ).join("\n")
  }
    )
    _describe -t tasks task tasks
    return
  fi
  local task=$words[3]
  shift 2 words
  (( CURRENT -= 2 ))
  case $task in
${cases(tasks, (task) => `_arguments -S ${specs(task)}`)}
  esac
}
compdef _taulab deno`;
}

function zshSpec(flag: FlagView): string {
  const { name, description, value, isValueOptional, isRepeatable } = flag;
  const head = `${isRepeatable ? "*" : ""}${name}[${zshText(description)}]`;
  if (value === null) return quoted(head);
  const colons = isValueOptional ? "::" : ":";
  const action = zshAction(valuesOf(flag));
  return quoted(`${head}${colons}${zshText(value)}:${action}`);
}

function zshAction(values: Values): string {
  if (typeof values !== "string") return `(${values.join(" ")})`;
  const actions = {
    files: "_files",
    runs: "_taulab_runs",
    recipes: "_taulab_recipes",
    any: " ",
  };
  return actions[values];
}

function zshText(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function fishScript({ tasks, recipes }: CompletionOptions): string {
  const lines = tasks.flatMap((task) => {
    const { name, summary, flags, operands } = task;
    const within = `complete -c deno -n ${quoted(`__taulab_in ${name}`, true)}`;
    return [
      `complete -c deno -n __taulab_at_task -f -a ${quoted(name, true)} -d ${
        quoted(summary, true)
      }`,
      operands === null
        ? `${within} -f`
        : `${within} ${fishValues(valuesOf(operands))}`,
      ...flags.map((flag) =>
        `${within} -l ${flag.name.replace(/^--/, "")}${
          flag.value === null
            ? ""
            : ` ${flag.isValueOptional ? "" : "-r "}${
              fishValues(valuesOf(flag))
            }`
        } -d ${quoted(flag.description, true)}`
      ),
    ];
  });
  return `# Loads Deno's own completion first, since loading it removes all others for deno.
complete -C "deno " >/dev/null 2>&1
function __taulab_here
    set -g __taulab_root $PWD
    while test -n "$__taulab_root"; and not test -f "$__taulab_root/deno.json"
        set -g __taulab_root (string replace -r '/[^/]*$' '' -- "$__taulab_root")
    end
    test -f "$__taulab_root/tasks/completions.ts"
end
function __taulab_at_task
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test "$words[2]" = task; and __taulab_here
end
function __taulab_in
    set -l words (commandline -opc)
    test (count $words) -ge 3; and test "$words[2]" = task; and test "$words[3]" = $argv[1]; and __taulab_here
end
function __taulab_runs
    command ls "$__taulab_root/runs" 2>/dev/null
end
set -g __taulab_recipes ${recipes.map((one) => quoted(one, true)).join(" ")}
${lines.join("\n")}`;
}

function fishValues(values: Values): string {
  if (typeof values !== "string") {
    return `-f -a ${quoted(values.join(" "), true)}`;
  }
  const actions = {
    files: "-F",
    runs: "-F -a '(__taulab_runs)'",
    recipes: "-F -a '$__taulab_recipes'",
    any: "-f",
  };
  return actions[values];
}

function namesOf(flags: readonly FlagView[]): string {
  return flags.map(({ name }) => name).join(" ");
}

/** Encloses a word in single quotes and escapes the quotes in it. Only fish supports escapes inside single quotes. */
function quoted(text: string, isFish = false): string {
  return isFish
    ? `'${text.replaceAll(/[\\']/g, "\\$&")}'`
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
