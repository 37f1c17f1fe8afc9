/**
 * A domain: all that is known of one kind of world, behind one seam. Its rows, texts and tasks are a dataset's affair.
 *
 *     env/domains/NAME/ ─▶ defineDomain({…}) ─▶ registry ─▶ environment, users, agents, generator, audit, diagnosis
 *
 * Schema and tools are enough to roll episodes out. Each further part is optional, and is asked for by
 * {@linkcode partOf}, which says what is missing.
 */

import type { z } from "zod";
import type { Desk, Script } from "./agents/desk.ts";
import type { Database } from "./database.ts";
import type { Goal, Request } from "./domains/shared/goal/goal.ts";
import { ConfigError } from "./errors.ts";
import type { RowTasksPart } from "./generated/row_tasks.ts";
import type { CommonOptions, WorldPart } from "./generated/world.ts";
import type { Clause } from "./policy/clause.ts";
import type { JsonObject, JsonValue } from "./python/python_value.ts";
import type { Tool } from "./tool.ts";
import type { Task, ToolAction, User } from "./types.ts";

/** Whose domains are meant where nobody says: τ-bench's. */
export const DEFAULT_BENCHMARK = "tau";

/** A kind of world. */
export interface Domain {
  /** Whose it is: a benchmark may have a domain of the same name as another, with tools of its own. */
  readonly benchmark: string;
  readonly name: string;
  /** The schema of a row by table. Rows are checked when they are loaded, as plain data. */
  readonly rowSchemas: ReadonlyMap<string, z.ZodType>;
  readonly tools: readonly Tool[];
  /** Which rows belong to whom. Default: those of `users`, and no others. */
  readonly rows?: RowsPart;
  readonly policy?: PolicyPart;
  readonly goals?: GoalsPart;
  /** Makes the user of one episode who needs no model. */
  scriptedUser?(start: UserStart): User;
  /** How an agent serves the user of a task who listens for the words of its goal. */
  expert?(shift: Shift): Script;
  readonly world?: WorldPart<CommonOptions>;
  /** Draws tasks over rows that exist already. */
  readonly rowTasks?: RowTasksPart;
  readonly bundle?: BundlePart;
}

/** The databases of a live task: the agent's, and the user's where the user has tools too. */
export interface Databases {
  readonly agent: Database;
  readonly user?: Database;
}

/** Whose tools, and whose database. */
export type Side = "agent" | "user";

/**
 * What a benchmark needs of a domain whose tasks set the world up by calls, check it by assertions, and hash it as
 * JSON: τ³'s. Its tools are given to {@linkcode defineDomain} as everyone's are.
 */
export interface BundlePart {
  /**
   * The databases of the parsed files, each field declared and each default filled in.
   * @throws {DataError} Where the data does not have the declared shape.
   */
  load(
    files: { readonly agent: JsonValue; readonly user?: JsonValue },
  ): Databases;
  /** Lowercase hex SHA-256 of the whole database as Python's JSON with sorted keys. */
  hash(database: Database, side: Side): string;
  /** Whether two databases have the same hash, without making it where they have the same base. */
  isSame(left: Database, right: Database, side: Side): boolean;
  /** The user's tools, over the user's database. Default: users only talk. */
  readonly userTools?: readonly Tool[];
  /**
   * Carries over what each database owes the other; runs after every call.
   * @throws {ToolError} Where it cannot: what was changed before stays.
   */
  sync?(databases: Databases): void;
  /** What tasks call to set the world up and to check it; no model can. By side, then name. */
  readonly functions?: Readonly<
    Record<Side, Readonly<Record<string, BundleFunction>>>
  >;
  /**
   * Plays the user of one task without a model, where users have tools: yields what the user says and calls, and is
   * resumed with what the agent said and the tools answered. Default: the domain has no such user.
   */
  scriptedUser?(start: ActingUserStart): Script;
  /** Makes new tasks, in the benchmark's layout. Default: there are only the benchmark's. */
  readonly composer?: ComposerPart;
}

/** How new tasks of a benchmark's kind are made. */
export interface ComposerPart {
  /** The knobs: types, defaults and help. */
  readonly options: z.ZodObject;
  /** The same files for the same seed, count and options. @throws {ConfigError} If nothing fits the options. */
  compose(start: ComposeStart): ComposedBundle;
}

/** What is composed. */
export interface ComposeStart {
  readonly seed: number;
  /** Tasks of all splits. */
  readonly count: number;
  readonly options: Readonly<Record<string, unknown>>;
}

/** New tasks, certified, as files. */
export interface ComposedBundle {
  /** Tasks by split. */
  readonly counts: Readonly<Record<string, number>>;
  /** Below the directory that is to be written. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** What a scripted user with tools begins with: no more than a person who plays the user is told. */
export interface ActingUserStart {
  /** `instruction` is the scenario as users are told of it. */
  readonly task: Pick<Task, "id" | "instruction">;
  readonly seed: number;
}

/**
 * A function that sets a database up, or checks it.
 * @returns What an assertion checks; nothing where there is nothing to check.
 * @throws {ToolError} What Python would raise.
 */
export type BundleFunction = (
  database: Database,
  args: JsonObject,
) => boolean | undefined;

/** What can be missing. */
export type PartName =
  | "policy"
  | "goals"
  | "scriptedUser"
  | "expert"
  | "world"
  | "rowTasks"
  | "bundle";

const WHAT: Readonly<Record<PartName, string>> = {
  policy: "clauses of policy",
  goals: "goals",
  scriptedUser: "scripted user",
  expert: "expert",
  world: "generator",
  rowTasks: "drawing of tasks over existing rows",
  bundle: "databases and calls of a two-sided benchmark",
};

/** Something was asked of a domain that it does not have. */
export class MissingPartError extends ConfigError {
  readonly domain: string;
  readonly part: PartName;

  constructor(domain: Domain, part: PartName) {
    super(`The domain "${keyOf(domain)}" has no ${WHAT[part]}`, {
      hint: `give defineDomain() the part \`${part}\`, or do without it`,
    });
    this.domain = keyOf(domain);
    this.part = part;
  }
}

/** A part of a domain. @throws {MissingPartError} If it does not have it. */
export function partOf<P extends PartName>(
  domain: Domain,
  part: P,
): NonNullable<Domain[P]> {
  const found = domain[part];
  if (found === undefined) throw new MissingPartError(domain, part);
  return found;
}

/**
 * Makes a domain of its parts, each with its own type.
 * @throws {ConfigError} If its name is none, or two tools have the same one.
 */
export function defineDomain<const D extends Domain>(domain: D): D {
  for (const word of [domain.benchmark, domain.name]) {
    if (/^[a-z][a-z0-9_-]*$/.test(word)) continue;
    throw new ConfigError(`"${word}" is no name of a domain or benchmark`, {
      hint: "begin with a letter, and use lower case letters, digits, _ and -",
    });
  }
  const names = domain.tools.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return domain;
  throw new ConfigError(
    `Two tools of the domain "${keyOf(domain)}" are called "${twice}"`,
  );
}

/** A domain's name where all benchmarks are: `retail` of τ-bench, `tau3.retail` of another. */
export function keyOf(
  { benchmark = DEFAULT_BENCHMARK, name }: {
    readonly benchmark?: string | undefined;
    readonly name: string;
  },
): string {
  return benchmark === DEFAULT_BENCHMARK ? name : `${benchmark}.${name}`;
}

/** How datasets and tasks name a domain: τ-bench is left out, so that records from before other benchmarks fit. */
export function identityOf(
  { benchmark, name: domain }: Pick<Domain, "benchmark" | "name">,
): Pick<Task, "benchmark" | "domain"> {
  return benchmark === DEFAULT_BENCHMARK ? { domain } : { benchmark, domain };
}

/** Which rows belong to whom, for audits and for what users may know. Every user has a row in `users`. */
export interface RowsPart {
  /** Tables whose rows belong to one user each. */
  readonly owned: readonly {
    /** Also the field of the user's profile that lists the ids. */
    readonly table: string;
    /** The argument of tools that names one: `order_id`. */
    readonly argument: string;
    /** What people call one: `order`. */
    readonly noun: string;
    /** How its ids look in a text. */
    readonly id: RegExp;
  }[];
  /** Tables whose rows the tools show to every user. */
  readonly open: readonly string[];
  /** What looks like an id, so that a user who has made it up is found out; e-mails and numbers are looked for anyway. */
  readonly ids?: readonly RegExp[];
  /** By table: calls that could make a row what it is in `row` again. Default: no write overwrites. */
  readonly restores?: Readonly<
    Record<string, (row: JsonObject, id: string) => readonly ToolAction[]>
  >;
}

/** The oracle of policy. */
export interface PolicyPart {
  readonly clauses: readonly Clause[];
  /** Clauses that no generated request can break, and why. Default: every clause refuses something. */
  readonly untested?: Readonly<Record<string, string>>;
}

/** A user's request and the world in which it is made. */
export interface Meant<R extends Request = Request> {
  readonly request: R;
  /** The state in which the request is made. */
  readonly database: Database;
  readonly userId: string;
}

/**
 * What goals mean in calls: the ways to meet a request as it is worded, what a call should do to the rows, and which
 * calls would be wrong. Written apart from the tools and from the generator, so that each checks the others.
 */
export interface GoalsPart<
  R extends Request = Request,
  G extends Goal<R> = Goal<R>,
> {
  /** The tool that meets a request, by intent. */
  readonly tools: Readonly<Record<string, string>>;
  /**
   * Every call that would meet a request, read off its words alone: each order that fits the description, each item,
   * variant and payment method that the words allow, each order of a list where the order is free. Whether policy and
   * tools allow the call is not asked. None for a question.
   */
  meanings(meant: Meant<R>): readonly ToolAction[];
  /** What is wrong with what a call changed; `null` where it changed what it should and nothing else. */
  effectBreaks(
    action: ToolAction,
    states: { readonly before: Database; readonly after: Database },
  ): string | null;
  /** Reads that policy demands whatever their answers are needed for: who the user is, the rows at hand. */
  duties(task: Task<G>, database: Database): readonly ToolAction[];
  /**
   * Writes that an agent may make by mistake and that would be wrong: the gold writes with another target or another
   * detail, and further ones. At least one in all that the tools accept.
   */
  strays(task: Task<G>, database: Database): readonly Stray[];
  /** What a user tells of a request when asked, in their words, beside which row it is about. */
  details(request: R): readonly string[];
  /** The id of the row that a request is about, where the user says it. Default: they never do. */
  subject?(request: R): string | undefined;
}

/** A write that would be wrong. */
export interface Stray {
  readonly action: ToolAction;
  /** The index of the gold action in whose place it would be made; left out where it would be one too many. */
  readonly insteadOf?: number;
}

/** What a scripted user begins with. A task without a goal is a benchmark's: it has only its prose. */
export interface UserStart {
  readonly task: Task;
  /** The untouched database: users know their own rows. */
  readonly database: Database;
  readonly seed: number;
}

/** What an expert works with. */
export interface Shift {
  readonly desk: Desk;
  readonly task: Task;
  readonly database: Database;
}
