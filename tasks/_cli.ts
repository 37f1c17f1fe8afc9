/**
 * What all tasks share: flags from a schema, help with examples, errors in a paragraph, exit codes and
 * a Ctrl-C that finishes cleanly.
 *
 * A task describes its flags by one zod object; a key `dryRun` is the flag `--dry-run`, its type says
 * whether the flag takes a value, its description is its line of `--help`. See {@linkcode FlagMeta} for
 * what else a field can say by `.meta({…})`.
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

/** Exit codes: done, failed, misused, interrupted. */
export const EXIT = {
  done: 0,
  failed: 1,
  misused: 2,
  interrupted: 130,
} as const;

/** What a flag's field can say in `.meta({…})`, beside its `description`. */
export interface FlagMeta {
  /** How the help calls the value: `DIR`. Default `VALUE`, for numbers `N`. */
  readonly value?: string;
  /** The flag may stand alone and then is `true`: `--resume [RUN]`. */
  readonly valueOptional?: boolean;
  /** The values there are, where the schema is not an enum that lists them. */
  readonly choices?: () => readonly string[];
  /** The environment variable that stands in where the flag is missing. */
  readonly env?: string;
  /** Which values are paths: those are relative to the caller's directory, a default to taulab's. Default: none. */
  readonly isPath?: IsPath;
}

/** A task of the command line. */
export interface TaskDefinition<S extends z.ZodObject> {
  /** As in `deno task NAME`. */
  readonly name: string;
  /** One sentence, without a full stop. */
  readonly summary: string;
  /** The flags. */
  readonly flags: S;
  /** The words after the flags, as help calls them: `FILE...`; none are allowed where this is missing. */
  readonly operands?: {
    readonly name: string;
    readonly description: string;
    /** Which are paths, as a flag's values. */
    readonly isPath?: IsPath;
  };
  /** Whole command lines, each with what it does. At least one. */
  readonly examples: readonly {
    readonly command: string;
    readonly does: string;
  }[];
  /** What `--help` says after the examples; of a function, once help is asked for. */
  readonly notes?: string | ((argv: readonly string[]) => Promise<string>);
  /** Keys that `--set` takes: an unknown flag of such a name is answered by it. Of a function, those of a command line. */
  readonly recipeKeys?:
    | readonly string[]
    | ((argv: readonly string[]) => Promise<readonly string[]>);
  /** What the first Ctrl-C says. Default: that work is being finished and saved. */
  readonly interruptNote?: string;
  /**
   * What this command line may do. Where it is given, the task runs on a thread of its own that may do no more; else
   * it may do all that its process may. Runs on the main thread, before the task.
   */
  confine?(given: CommandLine<S>): Confinement | Promise<Confinement>;
  run(flags: z.infer<S>, context: TaskContext): Promise<TaskResult>;
}

/** A command line as parsed. */
export interface CommandLine<S extends z.ZodObject> {
  readonly flags: z.infer<S>;
  readonly operands: readonly string[];
}

/** What a running task is given. */
export interface TaskContext {
  readonly operands: readonly string[];
  readonly terminal: Terminal;
  /** Aborted by the first Ctrl-C: finish what is in flight, save, return. */
  readonly signal: AbortSignal;
}

/** How a task ended. */
export interface TaskResult {
  /** What `--json` prints. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The command that people run after this one, where it ended well. */
  readonly next?: string | undefined;
  /** Default {@linkcode EXIT}`.done`, or `.interrupted` after a Ctrl-C. */
  readonly exitCode?: number;
}

/**
 * Runs a task as the whole program, where its module is that: parses, runs, prints, exits.
 * @returns The task, where the module was imported, so that a test reads its flags.
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

/** Parses, then runs the task here or confined. @returns The exit status. */
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
  // What a script has registered by --preload is not there on another thread.
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

/** The task with the help and the keys that a command line asks for. */
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

/** What {@linkcode parseFlags} came to: the help that was asked for, or flags and operands. */
export type ParsedFlags<S extends z.ZodObject> =
  | { readonly help: string }
  | CommandLine<S> & { readonly help?: undefined };

/**
 * Reads a command line by a task's schema. Every task also has `--json` and `--help`.
 * @throws {ConfigError} If a flag is unknown (names the nearest), lacks its value or has a wrong one.
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
    `--${kebab(key)}: ${explainIssue(issue, values[key])}`,
    { hint: `see "deno task ${task.name} --help"` },
  );
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

/** A flag as data, for programs that offer it. */
export interface FlagView {
  /** `--dry-run`. */
  readonly name: string;
  readonly description: string;
  /** What help calls its value: `DIR`; `null` where it takes none. */
  readonly value: string | null;
  readonly isValueOptional: boolean;
  readonly isRepeatable: boolean;
  readonly choices: readonly string[];
  /** Which values are paths. */
  readonly isPath: IsPath;
}

/** The flags of a task, in the order of its help. */
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

const JSON_HELP = "Print one JSON object on stdout and no prose";
const HELP_HELP = "Print this help";

/** A field of the schema as a flag. */
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
      ...(env === undefined ? [] : [`or ${env}`]),
      ...(isShown(this.#default) ? [`default ${this.#default}`] : []),
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

  /** Commander takes `--no-open` for an `open` that is false. */
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

  /** A default that is a path, where it has to be told apart from the caller's. */
  get defaultPath(): string | undefined {
    const path = this.#default;
    return typeof path === "string" && this.#meta.isPath?.(path)
      ? fromHome(path)
      : undefined;
  }

  /**
   * Paths are the caller's. Numbers arrive as text; what is no number stays text, so that the schema refuses it by its
   * words.
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

/** A command line that commander refused. */
interface Misused {
  readonly task: Pick<TaskDefinition<z.ZodObject>, "name" | "recipeKeys">;
  readonly fields: readonly Flag[];
  readonly argv: readonly string[];
  /** Those that are no flags. */
  readonly words: readonly string[];
}

function quotedIn({ message }: CommanderError): string {
  return /'([^']*)'/.exec(message)?.[1] ?? "";
}

/** Other names of recipe keys. */
const KEY_ALIASES: Readonly<Record<string, string>> = { lr: "learningRate" };

/** How to set a key of the recipe that was given as a flag; `undefined` where no key has that name. */
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
  // The later a phase, the likelier it is meant.
  const keys = recipeKeys.filter((key) => key.split(".").at(-1) === last)
    .toReversed();
  if (keys.length === 0) return undefined;
  const value = given ?? argv[argv.indexOf(flag) + 1] ?? "VALUE";
  return `it is a key of the recipe: ${
    keys.map((key) => `--set ${key}=${value}`).join(", or ")
  }`;
}

/** How to name a run to a task that takes it by a flag. */
function runHint(
  { code }: CommanderError,
  { words, fields }: Misused,
): string | undefined {
  const flag = fields.find(({ key }) => key === "policy");
  if (code !== "commander.excessArguments" || flag === undefined) return;
  return `name a run by ${flag.name} ${words[0]}`;
}

/** What commander found wrong, in our words. */
function misuse(
  error: CommanderError,
  { words, fields, task: { name } }: Misused,
): string {
  const quoted = quotedIn(error);
  if (error.code === "commander.unknownOption") {
    const flag = quoted.split("=")[0] ?? "";
    const known = [...fields.map((field) => field.name), "--json", "--help"];
    return `Unknown flag "${flag}", the nearest is "${nearest(flag, known)}"`;
  }
  if (error.code === "commander.optionMissingArgument") {
    return `The flag "${quoted}" needs its value`;
  }
  if (error.code === "commander.excessArguments") {
    return `Unexpected word "${words[0]}": deno task ${name} takes flags only`;
  }
  return error.message.replace(/^error: /, "");
}

const NOTE =
  "Finishing what is in flight and saving; Ctrl-C again stops at once";

/**
 * Aborts on the first Ctrl-C (or SIGTERM), exits on the second; what is on disk is whole at any moment. The thread of
 * a confined task is told by the main thread, which listens for both.
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

/** 2 for what a person gave, 1 for what broke. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConfigError ? EXIT.misused : EXIT.failed;
}

/**
 * `error: …`, and where there is one `hint: …` on a line of its own; the stack for bugs.
 * @param name The task that failed.
 */
export function errorText(error: unknown, name = "NAME"): string {
  const [message, hint] = explained(error, name);
  return `error: ${message}${hint === undefined ? "" : `\nhint: ${hint}`}`;
}

/** The command that gives a task a permission that it lacked. */
function rerun({ message }: Error, name: string): string {
  const flag = /--allow-\w+/.exec(message)?.[0] ?? "--allow-all";
  const flags = new Set(["--allow-read", "--allow-env", flag]);
  return `deno run ${[...flags].join(" ")} tasks/${name}.ts`;
}

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
    return [
      `${refused}: this task may not do that`,
      `choose a place it may use, or run the script with that permission: ${
        rerun(error, name)
      }`,
    ];
  }
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    return [
      `${refusal.why[0]?.toUpperCase()}${
        refusal.why.slice(1)
      } (${error.message})`,
      `${refusal.hint}, then run the same command again`,
    ];
  }
  return [
    error.stack ?? error.message,
    "this is a bug in taulab: report it with the command line",
  ];
}

/** What went wrong first, where something went wrong in cleaning up after it: the same full disk, mostly. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
