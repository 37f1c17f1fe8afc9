/**
 * Defines the interface of a domain, which bundles everything specific to one kind of world, such as its tools and row
 * schemas. The rows, texts and tasks themselves belong to a dataset.
 *
 *     env/domains/NAME/ ─▶ defineDomain({…}) ─▶ registry ─▶ environment, users, agents, generator, audit, diagnosis
 *
 * Schemas and tools are enough to roll out episodes. All other parts are optional; {@linkcode partOf} returns a part,
 * or throws if it is missing.
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

/** The default benchmark of a domain: τ-bench. */
export const DEFAULT_BENCHMARK = "tau";

/** A kind of simulated world: its tools, its row schemas, and optional parts such as a scripted user. */
export interface Domain {
  /**
   * The benchmark that the domain belongs to. Two benchmarks may each have a domain of the same name, with different
   * tools.
   */
  readonly benchmark: string;
  readonly name: string;
  /** The schema of each table's rows. Rows are checked as plain data when they are loaded. */
  readonly rowSchemas: ReadonlyMap<string, z.ZodType>;
  readonly tools: readonly Tool[];
  /** Which rows belong to which user. Default: only the rows of `users` have an owner. */
  readonly rows?: RowsPart;
  readonly policy?: PolicyPart;
  readonly goals?: GoalsPart;
  /** Creates the scripted user of one episode, which uses no model. */
  scriptedUser?(start: UserStart): User;
  /** Returns the script of an expert agent for a task. The script learns the goal from what the user says. */
  expert?(start: ExpertStart): Script;
  readonly world?: WorldPart<CommonOptions>;
  /** The part that generates random tasks about existing rows. */
  readonly rowTasks?: RowTasksPart;
  readonly bundle?: BundlePart;
}

/** The databases of a live task: the agent's, and the user's if the user has tools. */
export interface Databases {
  readonly agent: Database;
  readonly user?: Database;
}

/** The side to which a tool or database belongs. */
export type Side = "agent" | "user";

/**
 * The part of a domain that supports tasks in the style of τ³-bench: calls set up the world, assertions check it, and
 * its state is hashed as JSON. The agent's tools are in {@linkcode Domain.tools}, as in every domain.
 */
export interface BundlePart {
  /**
   * Creates the databases from the parsed files. Rows have exactly the declared fields, with defaults filled in.
   * @throws {DataError} If the data does not have the declared shape.
   */
  load(
    files: { readonly agent: JsonValue; readonly user?: JsonValue },
  ): Databases;
  /** Computes the lowercase hex SHA-256 of the whole database as Python JSON with sorted keys. */
  hash(database: Database, side: Side): string;
  /** Checks whether two databases have the same hash, without computing it if they share a base. */
  isSame(left: Database, right: Database, side: Side): boolean;
  /** The user's tools, which operate on the user's database. Default: users have no tools. */
  readonly userTools?: readonly Tool[];
  /**
   * Synchronizes the two databases; runs after every call. Default: changes on one side do not affect the other.
   * @throws {ToolError} If the synchronization fails. Changes made before the failure are kept.
   */
  sync?(databases: Databases): void;
  /** Functions that tasks call to set up and check the world, keyed by side, then by name. Models cannot call them. */
  readonly functions?: Readonly<
    Record<Side, Readonly<Record<string, BundleFunction>>>
  >;
  /**
   * Returns the script of a user with tools, which uses no model. The script yields the user's messages and calls, and
   * is resumed with the agent's messages and the tools' answers. Default: the domain has no scripted user.
   */
  scriptedUser?(start: ActingUserStart): Script;
  /** Composes new tasks in the benchmark's layout. Default: the domain has only the benchmark's tasks. */
  readonly composer?: ComposerPart;
}

/** A composer of new tasks in a benchmark's layout. */
export interface ComposerPart {
  /** The schema of the composer's options, with their defaults and help texts. */
  readonly options: z.ZodObject;
  /**
   * Composes tasks. The same seed, count and options produce the same files.
   * @throws {ConfigError} If no task fits the options.
   */
  compose(start: ComposeStart): ComposedBundle;
}

/** Arguments of {@linkcode ComposerPart.compose}. */
export interface ComposeStart {
  readonly seed: number;
  /** The total number of tasks across all splits. */
  readonly count: number;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The files of newly composed tasks, which have been certified to be solvable. */
export interface ComposedBundle {
  /** The number of tasks per split. */
  readonly counts: Readonly<Record<string, number>>;
  /** The files to write; paths are relative to the output directory. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/**
 * The information that a scripted user with tools has at the start: only what a person who plays the user would also
 * know.
 */
export interface ActingUserStart {
  /** The task; its `instruction` is the scenario as users read it. */
  readonly task: Pick<Task, "id" | "instruction">;
  readonly seed: number;
}

/**
 * A function that sets up or checks a database.
 * @returns Whether an assertion holds; `undefined` for a function that asserts nothing.
 * @throws {ToolError} If Python would raise an exception.
 */
export type BundleFunction = (
  database: Database,
  args: JsonObject,
) => boolean | undefined;

/** The name of an optional part of a domain. */
export type PartName =
  | "policy"
  | "goals"
  | "scriptedUser"
  | "expert"
  | "world"
  | "rowTasks"
  | "bundle";

const WHAT: Readonly<Record<PartName, string>> = {
  policy: "policy clauses",
  goals: "goals",
  scriptedUser: "scripted user",
  expert: "expert",
  world: "generator",
  rowTasks: "generator of tasks over existing rows",
  bundle: "support for tasks in the style of τ³-bench",
};

/** Thrown if an optional part of a domain is required, but missing. */
export class MissingPartError extends ConfigError {
  readonly domain: string;
  readonly part: PartName;

  constructor(domain: Domain, part: PartName, key: string = part) {
    super(`The domain "${keyOf(domain)}" has no ${WHAT[part]}`, {
      hint:
        `choose another domain or another source of data, or pass \`${key}\` to defineDomain()`,
    });
    this.domain = keyOf(domain);
    this.part = part;
  }
}

/**
 * Returns an optional part of a domain.
 * @throws {MissingPartError} If the domain does not have it.
 */
export function partOf<P extends PartName>(
  domain: Domain,
  part: P,
): NonNullable<Domain[P]> {
  const found = domain[part];
  if (found === undefined) throw new MissingPartError(domain, part);
  return found;
}

/**
 * Defines a domain and keeps the exact types of its parts.
 * @throws {ConfigError} If the name of the domain or its benchmark is invalid, or if two tools have the same name.
 */
export function defineDomain<const D extends Domain>(domain: D): D {
  for (const word of [domain.benchmark, domain.name]) {
    if (/^[a-z][a-z0-9_-]*$/.test(word)) continue;
    throw new ConfigError(
      `"${word}" is not a valid name for a domain or benchmark`,
      {
        hint:
          "start with a lowercase letter, and use only lowercase letters, digits, _ and -",
      },
    );
  }
  const names = domain.tools.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return domain;
  throw new ConfigError(
    `Two tools of the domain "${keyOf(domain)}" have the name "${twice}"`,
  );
}

/**
 * Returns a domain's key, which is unique across benchmarks: for τ-bench, the name alone (`retail`); otherwise, the
 * name with the benchmark as a prefix (`tau3.retail`).
 */
export function keyOf(
  { benchmark = DEFAULT_BENCHMARK, name }: {
    readonly benchmark?: string | undefined;
    readonly name: string;
  },
): string {
  return benchmark === DEFAULT_BENCHMARK ? name : `${benchmark}.${name}`;
}

/**
 * Returns the fields that name a domain in datasets and tasks. `benchmark` is omitted for τ-bench, as in older records.
 */
export function identityOf(
  { benchmark, name: domain }: Pick<Domain, "benchmark" | "name">,
): Pick<Task, "benchmark" | "domain"> {
  return benchmark === DEFAULT_BENCHMARK ? { domain } : { benchmark, domain };
}

/**
 * A description of which rows belong to which user, for audits and for checks of what a user can know. Every user has a
 * row in `users`.
 */
export interface RowsPart {
  /** The tables whose rows each belong to one user. */
  readonly owned: readonly {
    /** The table's name, which is also the name of the field in the user's profile that lists the ids of its rows. */
    readonly table: string;
    /** The name of the tool argument that takes the id of a row in this table: `order_id`. */
    readonly argument: string;
    /** The everyday word for a row in this table: `order`. */
    readonly noun: string;
    /** Matches the id of a row in this table within a text. */
    readonly id: RegExp;
  }[];
  /** The tables whose rows the tools show to every user. */
  readonly open: readonly string[];
  /** Additional patterns of ids, to detect ids that a user invents. E-mail addresses and numbers are always checked. */
  readonly ids?: readonly RegExp[];
  /**
   * Functions that return the calls that could restore a row to the given content, keyed by table. Default: none, which
   * suits domains whose writes overwrite nothing.
   */
  readonly restores?: Readonly<
    Record<string, (row: JsonObject, id: string) => readonly ToolAction[]>
  >;
}

/** The policy as clauses that a program can check. */
export interface PolicyPart {
  readonly clauses: readonly Clause[];
  /** The reasons why no generated request can break a clause, keyed by clause id. Default: none. */
  readonly untested?: Readonly<Record<string, string>>;
}

/** A user's request and the state in which it is made. */
export interface RequestContext<R extends Request = Request> {
  readonly request: R;
  /** The state in which the request is made. */
  readonly database: Database;
  readonly userId: string;
}

/**
 * The meaning of goals in terms of calls: which calls fulfill a request as worded, what a call should change, and which
 * calls would be wrong. It is independent of the tools and the generator, so that each can be checked against the
 * others.
 */
export interface GoalsPart<
  R extends Request = Request,
  G extends Goal<R> = Goal<R>,
> {
  /** The names of the tools that fulfill requests, keyed by intent. */
  readonly tools: Readonly<Record<string, string>>;
  /**
   * Returns every call that would fulfill a request, based on its wording alone: each order that fits the description;
   * each item, variant and payment method that the words allow; and each permutation of a list whose order is free.
   * Does not check whether the policy and the tools allow the calls. The result is empty for a question.
   */
  fulfillingCalls(context: RequestContext<R>): readonly ToolAction[];
  /** Describes what is wrong with the changes made by a call; `null` if it changed exactly what it should. */
  effectError(
    action: ToolAction,
    states: { readonly before: Database; readonly after: Database },
  ): string | null;
  /** Returns the reads that the policy always requires: identifying the user, and looking up the relevant rows. */
  requiredReads(task: Task<G>, database: Database): readonly ToolAction[];
  /**
   * Returns wrong writes that an agent could make by mistake: the gold writes with a different target or detail, and
   * extra writes. The tools accept at least one of them.
   */
  wrongWrites(task: Task<G>, database: Database): readonly WrongWrite[];
  /**
   * Returns the details of a request in the user's words, as the user gives them when asked. The row that the request
   * is about is not included.
   */
  details(request: R): readonly string[];
  /** Returns the id of the row that a request is about, if the user mentions it. Default: users never mention it. */
  subject?(request: R): string | undefined;
}

/** A write that an agent could make by mistake. */
export interface WrongWrite {
  readonly action: ToolAction;
  /** The index of the gold action that this write would replace; omitted for an extra write. */
  readonly insteadOf?: number;
}

/** The input of a scripted user. A task from a benchmark has no goal, only an instruction in prose. */
export interface UserStart {
  readonly task: Task;
  /** The database in its initial state, in which the user's own rows are looked up. */
  readonly database: Database;
  readonly seed: number;
}

/** The input of an expert's script. */
export interface ExpertStart {
  readonly desk: Desk;
  readonly task: Task;
  readonly database: Database;
}
