/**
 * Implements the command line that all tasks share: flags from a schema, help with examples, error messages, exit
 * statuses and a clean shutdown on Ctrl-C.
 *
 * A task declares its flags in one zod object. For example, the key `dryRun` becomes the flag `--dry-run`. The type of
 * the field determines whether the flag takes a value, and its description is the flag's line in `--help`. {@linkcode
 * FlagMeta} lists what else a field can set with `.meta({…})`.
 */

import { Command, CommanderError } from "commander";
import { z } from "zod";
import {
  BoundaryError,
  ConfigError,
  InfrastructureError,
} from "../env/errors.ts";
import { hasExtensions } from "../env/registry.ts";
import { explainIssue, nearest } from "../env/schema_issue.ts";
import { refusalOf } from "../env/system_error.ts";
import {
  type Confinement,
  endConfined,
  isConfined,
  onConfinedInterrupt,
  runConfined,
} from "./_confine.ts";
import { fromCaller, fromHome, type IsPath } from "./_caller_paths.ts";
import { Terminal } from "./_terminal.ts";

/** The exit statuses of tasks. */
export const EXIT = {
  done: 0,
  failed: 1,
  misused: 2,
  interrupted: 130,
} as const;

/** Metadata that a flag's field can set with `.meta({…})`, in addition to its `description`. */
export interface FlagMeta {
  /** The placeholder for the value in the help, such as `DIR`. Default: `VALUE`, or `N` for numbers. */
  readonly value?: string;
  /** Whether the flag may be passed without a value, as in `--resume [RUN]`. Its value is then `true`. */
  readonly valueOptional?: boolean;
  /** Returns the allowed values. A field whose schema is an enum does not need this. */
  readonly choices?: () => readonly string[];
  /** The environment variable that is read if the flag is not passed. */
  readonly env?: string;
  /**
   * Decides which values are paths. A path from the command line is relative to the caller's directory, and a default
   * path is relative to taulab's directory. Default: no value is a path.
   */
  readonly isPath?: IsPath;
}

/** The definition of a task, which is a command of `deno task`. */
export interface TaskDefinition<S extends z.ZodObject> {
  /** The task's name, as in `deno task NAME`. */
  readonly name: string;
  /** A sentence, without a full stop, that says what the task does. */
  readonly summary: string;
  /** The schema of the flags, with one key per flag. */
  readonly flags: S;
  /**
   * The operands, which follow the flags; `name` is their placeholder in the help, such as `FILE...`. If this is
   * missing, the task accepts no operands.
   */
  readonly operands?: {
    readonly name: string;
    readonly description: string;
    /** Decides which operands are paths, as {@linkcode FlagMeta.isPath} does for the values of a flag. */
    readonly isPath?: IsPath;
  };
  /** At least one complete command line, with a description of what it does. */
  readonly examples: readonly {
    readonly command: string;
    readonly does: string;
  }[];
  /** The text of `--help` after the examples. A function is called only if help is requested. */
  readonly notes?: string | ((argv: readonly string[]) => Promise<string>);
  /**
   * The recipe keys that `--set` accepts, or a function that returns them for a command line. They are used for hints:
   * the error for an unknown flag `--lr` suggests `--set rl.learningRate=…`.
   */
  readonly recipeKeys?:
    | readonly string[]
    | ((argv: readonly string[]) => Promise<readonly string[]>);
  /**
   * The message to print on the first Ctrl-C. The default message says that the work in progress is being finished and
   * saved.
   */
  readonly interruptNote?: string;
  /**
   * Returns the permissions that a command line needs. The task then runs on a separate thread with only these
   * permissions. Without this method, or if a script has registered extensions, the task runs on the main thread with
   * all permissions of the process. The method is called on the main thread before the task runs.
   */
  confine?(given: CommandLine<S>): Confinement | Promise<Confinement>;
  run(flags: z.infer<S>, context: TaskContext): Promise<TaskResult>;
}

/** A parsed command line. */
export interface CommandLine<S extends z.ZodObject> {
  readonly flags: z.infer<S>;
  readonly operands: readonly string[];
}

/** The context of a running task. */
export interface TaskContext {
  readonly operands: readonly string[];
  readonly terminal: Terminal;
  /** Aborts on the first Ctrl-C. The task should then finish the work in progress, save it and return. */
  readonly signal: AbortSignal;
}

/** The result of a task. */
export interface TaskResult {
  /** The object that `--json` prints. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The command to suggest next if the task succeeded. */
  readonly next?: string | undefined;
  /** The exit status. Default: `EXIT.done`, or `EXIT.interrupted` after Ctrl-C. */
  readonly exitCode?: number;
}

/**
 * Runs a task if its module is the main module: parses the command line, runs the task, prints the result and exits.
 * @returns The task, so that a test that imports the module can read its flags.
 */
export async function main<S extends z.ZodObject>(
  meta: ImportMeta,
  task: TaskDefinition<S>,
): Promise<TaskDefinition<S>> {
  if (!meta.main) return task;
  const argv = Deno.args;
  const terminal = new Terminal({ json: argv.includes("--json") });
  let exitCode: number;
  try {
    exitCode = await runMain(task, { argv, terminal, module: meta.url });
  } catch (caught) {
    const error = firstOf(caught);
    terminal.endProgress();
    terminal.note(errorText(error, task.name));
    exitCode = exitCodeOf(error);
  }
  if (!isConfined()) Deno.exit(exitCode);
  endConfined(exitCode);
  return task;
}

/**
 * Parses the command line and runs the task, on this thread or on a confined thread.
 * @returns The exit status.
 */
async function runMain<S extends z.ZodObject>(
  task: TaskDefinition<S>,
  { argv, terminal, module }: {
    readonly argv: readonly string[];
    readonly terminal: Terminal;
    readonly module: string;
  },
): Promise<number> {
  const parsed = parseFlags(await explainedFor(task, argv), argv);
  if (parsed.help !== undefined) {
    new Terminal({ json: false }).print(parsed.help);
    return EXIT.done;
  }
  // Anything that a script registers with --preload does not exist on another thread.
  const isHere = isConfined() || hasExtensions();
  const confinement = isHere ? undefined : await task.confine?.(parsed);
  if (confinement !== undefined) {
    const onInterrupt = interrupted(() => {
      if (confinement.endsAtOnce) Deno.exit(EXIT.interrupted);
    });
    return await runConfined(module, {
      name: task.name,
      confinement,
      onInterrupt,
    });
  }
  const signal = interrupted(() => terminal.note(task.interruptNote ?? NOTE));
  try {
    return await runTask(task, parsed, { terminal, signal });
  } catch (caught) {
    const error = firstOf(caught);
    if (signal.aborted && isAbort(error)) return EXIT.interrupted;
    throw error;
  }
}

async function runTask<S extends z.ZodObject>(
  task: TaskDefinition<S>,
  { flags, operands }: CommandLine<S>,
  { terminal, signal }: Omit<TaskContext, "operands">,
): Promise<number> {
  const result = await task.run(flags, { operands, terminal, signal });
  terminal.endProgress();
  if (Deno.args.includes("--json")) terminal.printJson(result.json);
  const exitCode = result.exitCode ??
    (signal.aborted ? EXIT.interrupted : EXIT.done);
  if (exitCode === EXIT.done && result.next !== undefined) {
    terminal.print(`next: ${result.next}`);
  }
  return exitCode;
}

/** Returns the task with the help notes and the recipe keys that apply to a command line. */
async function explainedFor<S extends z.ZodObject>(
  task: TaskDefinition<S>,
  argv: readonly string[],
): Promise<TaskDefinition<S>> {
  const isAsked = argv.includes("--help") || argv.includes("-h");
  const { notes = "", recipeKeys = [] } = task;
  return {
    ...task,
    notes: isAsked && typeof notes === "function" ? await notes(argv) : notes,
    recipeKeys: typeof recipeKeys === "function"
      ? await recipeKeys(argv)
      : recipeKeys,
  };
}

/** The result of {@linkcode parseFlags}: the help if it was requested, otherwise the flags and the operands. */
export type ParsedFlags<S extends z.ZodObject> =
  | { readonly help: string }
  | CommandLine<S> & { readonly help?: undefined };

/**
 * Parses a command line against a task's schema. Every task also has `--json` and `--help`.
 * @throws {ConfigError} If a flag is unknown, lacks its value or has an invalid value, a required flag is missing, or
 * there are too many operands. For an unknown flag, the error suggests the most similar one.
 */
export function parseFlags<S extends z.ZodObject>(
  task: TaskDefinition<S>,
  argv: readonly string[],
): ParsedFlags<S> {
  const fields = Object.entries(task.flags.shape).map(([key, schema]) =>
    new Flag(key, schema as z.ZodType)
  );
  const command = buildCommand(task, fields);
  let help = "";
  command.configureOutput({
    writeOut: (text) => help += text,
    writeErr: () => {},
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") {
      return { help: help.trimEnd() };
    }
    const hint = `see "deno task ${task.name} --help"`;
    const found = { words: command.args, argv, fields, task };
    throw new ConfigError(misuse(error, found), {
      hint: keyHint(error, found) ?? runHint(error, found) ?? hint,
    });
  }
  const given = command.opts<Record<string, unknown>>();
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const value = field.givenIn(given) ?? field.fromEnvironment();
    if (value !== undefined) values[field.key] = field.convert(value);
    else if (field.defaultPath !== undefined) {
      values[field.key] = field.defaultPath;
    }
  }
  const result = task.flags.safeParse(values);
  if (result.success) {
    const isPath = task.operands?.isPath ?? (() => false);
    const operands = command.args
      .map((word) => isPath(word) ? fromCaller(word) : word);
    return { flags: result.data, operands };
  }
  const issue = result.error.issues[0]!;
  const key = String(issue.path[0] ?? "");
  throw new ConfigError(
    values[key] === undefined && issue.code !== "custom"
      ? `The flag --${kebab(key)} is required`
      : `--${kebab(key)}: ${explainIssue(issue, valueAt(values, issue))}`,
    { hint: `see "deno task ${task.name} --help"` },
  );
}

/** Returns the flag value to which a schema issue refers. For a flag that was repeated, this is one of its values. */
function valueAt(
  values: Readonly<Record<string, unknown>>,
  { path: [key = "", index] }: z.core.$ZodIssue,
): unknown {
  const value = values[String(key)];
  return Array.isArray(value) && typeof index === "number"
    ? value[index]
    : value;
}

function buildCommand<S extends z.ZodObject>(
  task: TaskDefinition<S>,
  fields: readonly Flag[],
): Command {
  const command = new Command(`deno task ${task.name}`)
    .description(task.summary)
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption("-h, --help", HELP_HELP);
  if (task.operands) {
    command.argument(`[${task.operands.name}]`, task.operands.description);
  }
  for (const field of fields) field.addTo(command);
  command.option("--json", JSON_HELP);
  const examples = task.examples.map(({ command, does }) =>
    `  ${command}\n      ${does}`
  );
  const notes = typeof task.notes === "string" ? `\n\n${task.notes}` : "";
  return command.addHelpText(
    "after",
    `\nExamples:\n${examples.join("\n")}${notes}`,
  );
}

interface DescribedFlagMeta extends FlagMeta {
  readonly description?: string | undefined;
}

/** The description of a flag for shell completion. */
export interface FlagView {
  /** The flag's name with its dashes, such as `--dry-run`. */
  readonly name: string;
  readonly description: string;
  /** The placeholder for the flag's value in the help, such as `DIR`; `null` if the flag takes no value. */
  readonly value: string | null;
  readonly isValueOptional: boolean;
  readonly isRepeatable: boolean;
  readonly choices: readonly string[];
  /** Decides which values are paths. */
  readonly isPath: IsPath;
}

/** Returns the descriptions of a task's flags, including `--json` and `--help`, in the order of its help. */
export function flagViews(flags: z.ZodObject): FlagView[] {
  const own = Object.entries(flags.shape)
    .map(([key, schema]) => new Flag(key, schema as z.ZodType).view());
  const none = { value: null, isValueOptional: false, isRepeatable: false };
  const shared = [["--json", JSON_HELP], ["--help", HELP_HELP]] as const;
  return [
    ...own,
    ...shared.map(([name, description]) => ({
      ...{ name, description, ...none, choices: [], isPath: () => false },
    })),
  ];
}

const JSON_HELP = "Print the result to stdout as JSON instead of text";
const HELP_HELP = "Print this help";

/** A flag that is defined by a field of the schema. */
class Flag {
  readonly key: string;
  readonly #base: z.ZodType;
  readonly #meta: DescribedFlagMeta;
  readonly #default: unknown;

  constructor(key: string, schema: z.ZodType) {
    this.key = key;
    let base = schema;
    let meta: DescribedFlagMeta = schema.meta() ?? {};
    while (base instanceof z.ZodOptional || base instanceof z.ZodDefault) {
      if (base instanceof z.ZodDefault) this.#default = base.def.defaultValue;
      base = base.unwrap() as z.ZodType;
      meta = { ...base.meta(), ...meta };
    }
    this.#base = base;
    this.#meta = meta;
  }

  get name(): string {
    return `--${kebab(this.key)}`;
  }

  addTo(command: Command): void {
    const { description = "", env } = this.#meta;
    const choices = this.#choices();
    const notes = [
      ...(choices.length > 0 ? [choices.join(" | ")] : []),
      ...(env === undefined ? [] : [`env: ${env}`]),
      ...(isShown(this.#default) ? [`default: ${this.#default}`] : []),
    ];
    const text = description +
      (notes.length > 0 ? ` (${notes.join("; ")})` : "");
    if (this.#base instanceof z.ZodArray) {
      command.option(
        this.#synopsis(),
        text,
        (value: string, list?: string[]) => [...list ?? [], value],
      );
    } else {
      command.option(this.#synopsis(), text);
    }
  }

  /** Returns the flag's value from commander's options, which represent `--no-open` as `open: false`. */
  givenIn(given: Readonly<Record<string, unknown>>): unknown {
    const negated = /^no([A-Z])(.*)$/.exec(this.key);
    if (negated === null) return given[this.key];
    const [, first = "", rest = ""] = negated;
    return given[`${first.toLowerCase()}${rest}`] === false ? true : undefined;
  }

  fromEnvironment(): string | undefined {
    const name = this.#meta.env;
    if (name === undefined) return undefined;
    const { state } = Deno.permissions.querySync({
      name: "env",
      variable: name,
    });
    return state === "granted" && Deno.env.get(name) || undefined;
  }

  /** Returns the default path, resolved against taulab's directory; `undefined` if the default is not a path. */
  get defaultPath(): string | undefined {
    const path = this.#default;
    return typeof path === "string" && this.#meta.isPath?.(path)
      ? fromHome(path)
      : undefined;
  }

  /**
   * Resolves paths against the caller's directory and parses numbers. Text that is not a number is returned unchanged,
   * so that the schema rejects it with its own message.
   */
  convert(value: unknown): unknown {
    const { isPath = () => false } = this.#meta;
    if (Array.isArray(value)) return value.map((one) => this.convert(one));
    if (typeof value === "string" && isPath(value)) return fromCaller(value);
    if (!(this.#base instanceof z.ZodNumber)) return value;
    const number = Number(value);
    return String(value).trim() === "" || Number.isNaN(number) ? value : number;
  }

  view(): FlagView {
    return {
      name: this.name,
      description: this.#meta.description ?? "",
      value: this.#value(),
      isValueOptional: this.#meta.valueOptional ?? false,
      isRepeatable: this.#base instanceof z.ZodArray,
      choices: this.#choices().map(String),
      isPath: this.#meta.isPath ?? (() => false),
    };
  }

  #choices(): readonly (string | number)[] {
    return this.#base instanceof z.ZodEnum
      ? this.#base.options
      : this.#meta.choices?.() ?? [];
  }

  #value(): string | null {
    if (this.#base instanceof z.ZodBoolean) return null;
    return this.#meta.value ??
      (this.#base instanceof z.ZodNumber ? "N" : "VALUE");
  }

  #synopsis(): string {
    const value = this.#value();
    if (value === null) return this.name;
    return this.#meta.valueOptional
      ? `${this.name} [${value}]`
      : `${this.name} <${value}>`;
  }
}

function isShown(value: unknown): boolean {
  return value !== undefined && value !== false &&
    !(Array.isArray(value) && value.length === 0);
}

/** A command line that commander rejected. */
interface Misused {
  readonly task: Pick<
    TaskDefinition<z.ZodObject>,
    "name" | "recipeKeys" | "operands"
  >;
  readonly fields: readonly Flag[];
  readonly argv: readonly string[];
  /** The arguments that are not flags. */
  readonly words: readonly string[];
}

function quotedIn({ message }: CommanderError): string {
  return /'([^']*)'/.exec(message)?.[1] ?? "";
}

/** Maps alternative names for recipe keys to the actual names. */
const KEY_ALIASES: Readonly<Record<string, string>> = { lr: "learningRate" };

/** Returns a hint that suggests `--set` if an unknown flag has the name of a recipe key; otherwise `undefined`. */
function keyHint(
  error: CommanderError,
  { task: { recipeKeys }, argv }: Misused,
): string | undefined {
  if (
    error.code !== "commander.unknownOption" || !Array.isArray(recipeKeys)
  ) return undefined;
  const [flag = "", given] = quotedIn(error).split("=");
  const name = flag.replace(/^--/, "")
    .replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const last = KEY_ALIASES[name] ?? name;
  // List the keys of later phases first, because users mean them more often.
  const keys = recipeKeys.filter((key) => key.split(".").at(-1) === last)
    .toReversed();
  if (keys.length === 0) return undefined;
  const next = argv[argv.indexOf(flag) + 1] ?? "--";
  const value = given ?? (next.startsWith("--") ? "VALUE" : next);
  return `set the recipe's key instead: ${
    keys.map((key) => `--set ${key}=${value}`).join(", or ")
  }`;
}

/**
 * Returns a hint to use `--policy` for an unexpected operand, which is probably a run. Returns `undefined` for other
 * errors, and if the task has no such flag or accepts an operand. If the task has `--out`, the operand may be that
 * directory, so the result is `undefined` too.
 */
function runHint(
  { code }: CommanderError,
  { words, fields, task: { operands } }: Misused,
): string | undefined {
  const flag = fields.find(({ key }) => key === "policy");
  const isOther = operands !== undefined ||
    fields.some(({ key }) => key === "out");
  if (code !== "commander.excessArguments" || flag === undefined || isOther) {
    return undefined;
  }
  return `pass ${flag.name} ${words[0]}`;
}

/** Returns the error message for a command line that commander rejected. */
function misuse(
  error: CommanderError,
  found: Misused,
): string {
  const { words, fields, task: { name, operands } } = found;
  const quoted = quotedIn(error);
  if (error.code === "commander.unknownOption") {
    const flag = quoted.split("=")[0] ?? "";
    const known = [...fields.map((field) => field.name), "--json", "--help"];
    const isKey = keyHint(error, found) !== undefined;
    return `Unknown flag "${flag}"${
      isKey ? "" : `; did you mean "${nearest(flag, known)}"?`
    }`;
  }
  if (error.code === "commander.optionMissingArgument") {
    return `The flag "${quoted}" needs a value`;
  }
  if (error.code === "commander.excessArguments" && operands !== undefined) {
    return `Unexpected argument "${
      words[1]
    }": deno task ${name} takes only one ${operands.name}`;
  }
  if (error.code === "commander.excessArguments") {
    return `Unexpected argument "${
      words[0]
    }": deno task ${name} takes only flags`;
  }
  return error.message.replace(/^error: /, "");
}

const NOTE =
  "Finishing work in progress and saving; press Ctrl-C again to stop immediately";

/**
 * Returns a signal that aborts on the first Ctrl-C (or SIGTERM); `onFirst` is called then. The second Ctrl-C ends the
 * process at once, which is safe because files on disk are complete at all times. The main thread listens for these
 * signals and notifies the thread of a confined task.
 */
function interrupted(onFirst: () => void): AbortSignal {
  const controller = new AbortController();
  function onSignal() {
    if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
    controller.abort();
    onFirst();
  }
  if (isConfined()) onConfinedInterrupt(onSignal);
  else {
    Deno.addSignalListener("SIGINT", onSignal);
    if (Deno.build.os !== "windows") {
      Deno.addSignalListener("SIGTERM", onSignal);
    }
  }
  return controller.signal;
}

/** Returns the exit status for an error: 2 for invalid input, 1 for any other failure. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConfigError ? EXIT.misused : EXIT.failed;
}

/**
 * Returns the text of an error: `error: …`, followed by a line `hint: …` if the error has a hint. For a bug, the stack
 * replaces the message.
 * @param name The task that failed.
 */
export function errorText(error: unknown, name = "NAME"): string {
  const [message, hint] = explained(error, name);
  return `error: ${message}${hint === undefined ? "" : `\nhint: ${hint}`}`;
}

/** Returns the command that runs a task again with the permission that it lacked. */
function rerun({ message }: Error, name: string): string {
  const flag = /--allow-\w+/.exec(message)?.[0] ?? "--allow-all";
  const flags = new Set(["--allow-read", "--allow-env", flag]);
  return `deno run ${[...flags].join(" ")} tasks/${name}.ts`;
}

/** The first half of the hint for a missing permission, keyed by what the permission gives access to. */
const OTHER_CHOICE: Readonly<Record<string, string>> = {
  read: "choose another path, or ",
  write: "choose another path, or ",
  net: "choose another address, or ",
};

function explained(
  error: unknown,
  name: string,
): [message: string, hint?: string | undefined] {
  if (!(error instanceof Error)) return [String(error)];
  const isBug = error instanceof InfrastructureError && error.kind === "bug";
  if (error instanceof BoundaryError && !isBug) {
    return [error.message, error.hint];
  }
  if (error instanceof Deno.errors.NotCapable) {
    const refused = error.message.replace(/, run again.*$/, "");
    const [, kind = ""] = /^Requires (\w+) access/.exec(refused) ?? [];
    return [
      `${refused}: deno task ${name} does not have that permission`,
      `${OTHER_CHOICE[kind] ?? ""}run the script with the permission: ${
        rerun(error, name)
      }`,
    ];
  }
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return [
      `Cannot access a file: ${refusal.why} (${error.message})`,
      `${refusal.hint}, then run the command again`,
    ];
  }
  return [
    error.stack ?? error.message,
    "report this bug in taulab, with the command line",
  ];
}

/**
 * Returns the original error if the cleanup failed too, because both errors usually have the same cause, such as a full
 * disk.
 */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
