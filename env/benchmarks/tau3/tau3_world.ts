/** The world of one conversation: two databases, the tools over them, and what tasks call to set them up. */

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

/** What a world needs to know of its domain. */
export type WorldSource = Pick<Tau3Bundle, "domain" | "part" | "databases">;

/** Hashes of both databases, as recordings name them. */
export interface StateHashes {
  readonly db: string;
  /** Left out where the user has none. */
  readonly user_db?: string;
}

/** A live world. */
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

  /** Answers a call, and carries over what each database owes the other. */
  respond(call: Tau3Call): ToolMessage {
    const { id, requestor } = call;
    const answer = callBundle(this.#source.domain, this.databases, {
      ...call,
      requestor: sideOf(requestor),
    }, { solo: this.#solo });
    return { role: "tool", id, requestor, ...answer };
  }

  /** Runs a call alone. @throws {ToolError} What went wrong: what was changed before stays. */
  act(call: Omit<Tau3Call, "id">): void {
    runBundleTool(this.#source.domain, this.databases, {
      ...call,
      requestor: sideOf(call.requestor),
    }, { solo: this.#solo });
  }

  /**
   * Calls a function of a side, or one of its tools, and carries over.
   * @throws {RaisedError} If there is none.
   * @throws {ToolError} What it throws.
   */
  run(call: EnvironmentCall): boolean | string | undefined {
    const result = this.#run(call);
    this.sync();
    return result;
  }

  /** Whether an assertion holds. @throws {RaisedError} If what it calls checks nothing. */
  holds(assertion: EnvironmentAssertion): boolean {
    const result = this.run(assertion);
    if (typeof result === "boolean") return result === assertion.expected;
    throw new RaisedError(
      "ValueError",
      `The function "${assertion.name}" returned no truth value`,
    );
  }

  /** Carries over what each database owes the other. @throws {ToolError} Where it cannot. */
  sync(): void {
    this.#source.part.sync?.(this.databases);
  }

  /** An independent world in the same state. */
  fork(): Tau3World {
    return new Tau3World(this.#source, forkBoth(this.databases), {
      solo: this.#solo,
    });
  }

  /** Hashes of both databases, each of the whole. */
  hashes(): StateHashes {
    const { part } = this.#source;
    const { agent, user } = this.databases;
    const db = part.hash(agent, "agent");
    return user === undefined
      ? { db }
      : { db, user_db: part.hash(user, "user") };
  }

  /** Whether both databases have the hashes of another world's. */
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
        `There is no function "${name}" of the ${side}`,
      );
    }
    return tool.call(database, args);
  }
}

/**
 * The world in which a task begins.
 * @throws {ToolError} What a call that sets it up throws.
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

/** Databases after set-up, by what they were set up from. */
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

/** A side by the role of who acts on it. */
export function sideOf(requestor: Requestor): Side {
  return requestor === "user" ? "user" : "agent";
}

/** What a tool of any side does; the requestor's own comes first. `undefined` where neither side has it. */
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
