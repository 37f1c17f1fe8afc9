/** Implements the world of one conversation: one or two databases, their tools, and the functions that set up tasks. */

import type { Databases, Side } from "../../domain.ts";
import {
  callBundle,
  runBundleTool,
} from "../../domains/shared/toolkit/bundle_call.ts";
import type { Tool } from "../../tool.ts";
import type { Tau3Bundle } from "./load_bundle.ts";
import { RaisedError } from "./raised.ts";
import type { Requestor, Tau3Call, ToolMessage } from "./tau3_message.ts";
import type {
  EnvironmentAssertion,
  EnvironmentCall,
  Tau3Task,
} from "./tau3_task.ts";

/** The parts of a bundle that a world needs. */
export type WorldSource = Pick<Tau3Bundle, "domain" | "part" | "databases">;

/** The hashes of both databases, with the keys used in recordings. */
export interface StateHashes {
  readonly db: string;
  /** The hash of the user's database; absent if there is none. */
  readonly user_db?: string;
}

/** The databases of a conversation, with methods that run calls on them. */
export class Tau3World {
  readonly databases: Databases;
  readonly #source: WorldSource;
  readonly #solo: boolean;

  constructor(
    source: WorldSource,
    databases: Databases,
    { solo = false }: { readonly solo?: boolean } = {},
  ) {
    this.#source = source;
    this.databases = databases;
    this.#solo = solo;
  }

  /** Runs a call, synchronizes the databases, and returns the result as a message. */
  respond(call: Tau3Call): ToolMessage {
    const { id, requestor } = call;
    const answer = callBundle(this.#source.domain, this.databases, {
      ...call,
      requestor: sideOf(requestor),
    }, { solo: this.#solo });
    return { role: "tool", id, requestor, ...answer };
  }

  /**
   * Runs a call without synchronizing the databases.
   * @throws {ToolError} If the call fails. Changes made before the failure are kept.
   */
  act(call: Omit<Tau3Call, "id">): void {
    runBundleTool(this.#source.domain, this.databases, {
      ...call,
      requestor: sideOf(call.requestor),
    }, { solo: this.#solo });
  }

  /**
   * Calls an environment function or a tool on one side, and synchronizes the databases.
   * @throws {RaisedError} If there is no such function or tool.
   * @throws {ToolError} If the function throws a `ToolError`.
   */
  run(call: EnvironmentCall): boolean | string | undefined {
    const result = this.#run(call);
    this.sync();
    return result;
  }

  /**
   * Checks whether an assertion holds, and synchronizes the databases.
   * @throws {RaisedError} If the assertion's function does not exist or does not return a boolean.
   * @throws {ToolError} If the function throws a `ToolError`.
   */
  holds(assertion: EnvironmentAssertion): boolean {
    const result = this.run(assertion);
    if (typeof result === "boolean") return result === assertion.expected;
    throw new RaisedError(
      "ValueError",
      `The function "${assertion.name}" did not return a boolean`,
    );
  }

  /**
   * Propagates changes between the two databases.
   * @throws {ToolError} If the domain's `sync` function throws a `ToolError`.
   */
  sync(): void {
    this.#source.part.sync?.(this.databases);
  }

  /** Creates an independent world in the same state. */
  fork(): Tau3World {
    return new Tau3World(this.#source, forkBoth(this.databases), {
      solo: this.#solo,
    });
  }

  /** Computes the hashes of both databases. */
  hashes(): StateHashes {
    const { part } = this.#source;
    const { agent, user } = this.databases;
    const db = part.hash(agent, "agent");
    return user === undefined
      ? { db }
      : { db, user_db: part.hash(user, "user") };
  }

  /** Checks whether both databases are equal to those of another world. */
  sameAs(other: Tau3World): boolean {
    const { agent, user } = this.databases;
    const { agent: otherAgent, user: otherUser } = other.databases;
    const { part } = this.#source;
    if (!part.isSame(agent, otherAgent, "agent")) return false;
    if (user === undefined || otherUser === undefined) {
      return user === otherUser;
    }
    return part.isSame(user, otherUser, "user");
  }

  #run({ side, name, arguments: args }: EnvironmentCall) {
    const owner = sideOf(side);
    const database = this.databases[owner];
    const found = this.#source.part.functions?.[owner]?.[name];
    if (database !== undefined && found !== undefined) {
      return found(database, args);
    }
    const tool = toolsOf(this.#source, owner).get(name);
    if (database === undefined || tool === undefined) {
      throw new RaisedError(
        "AttributeError",
        `The ${side} side has no function "${name}"`,
      );
    }
    return tool.call(database, args);
  }
}

/**
 * Creates the initial world of a task. The databases after set-up are cached, and each world works on a fork.
 * @throws {RaisedError} If a set-up call names an unknown function.
 * @throws {ToolError} If a set-up call throws a `ToolError`.
 */
export function startWorld(
  source: WorldSource,
  { setUp }: Pick<Tau3Task, "setUp">,
  options: { readonly solo?: boolean } = {},
): Tau3World {
  const kept = starts.get(source.databases)?.get(setUp);
  const databases = kept ?? setUpDatabases(source, setUp);
  if (kept === undefined) {
    const all = starts.get(source.databases) ?? new WeakMap();
    starts.set(source.databases, all.set(setUp, databases));
  }
  return new Tau3World(source, forkBoth(databases), options);
}

/** The cached databases after set-up, keyed by the initial databases, then by the set-up calls. */
const starts = new WeakMap<
  Databases,
  WeakMap<Tau3Task["setUp"], Databases>
>();

function setUpDatabases(
  source: WorldSource,
  setUp: Tau3Task["setUp"],
): Databases {
  const world = new Tau3World(source, forkBoth(source.databases));
  world.sync();
  for (const call of setUp) world.run(call);
  return world.databases;
}

function forkBoth({ agent, user }: Databases): Databases {
  return user === undefined
    ? { agent: agent.fork() }
    : { agent: agent.fork(), user: user.fork() };
}

/** Returns the side that a requestor acts on. */
export function sideOf(requestor: Requestor): Side {
  return requestor === "user" ? "user" : "agent";
}

/**
 * Finds a tool by name, first on the requestor's side, then on the other side. Returns `undefined` if neither side has
 * the tool.
 */
export function toolNamed(
  source: Pick<WorldSource, "domain" | "part">,
  { name, requestor }: Pick<Tau3Call, "name" | "requestor">,
): Tool | undefined {
  const own = sideOf(requestor);
  return toolsOf(source, own).get(name) ??
    toolsOf(source, own === "user" ? "agent" : "user").get(name);
}

function toolsOf(
  { domain, part }: Pick<WorldSource, "domain" | "part">,
  side: Side,
): ReadonlyMap<string, Tool> {
  const tools = side === "agent" ? domain.tools : part.userTools ?? NO_TOOLS;
  const known = toolMaps.get(tools);
  if (known !== undefined) return known;
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  toolMaps.set(tools, byName);
  return byName;
}

const NO_TOOLS: readonly Tool[] = [];

const toolMaps = new WeakMap<readonly Tool[], ReadonlyMap<string, Tool>>();
