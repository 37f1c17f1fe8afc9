/** Tries out planned calls on a copy of the databases. */

import type { Databases, Side } from "../../../domain.ts";
import { ToolError } from "../../../errors.ts";
import { object } from "../../shared/call.ts";
import { syncTelecom } from "../sync.ts";
import { functions } from "../toolbox.ts";
import type { PlannedCall } from "./phone_faults.ts";

/** A fork of both databases in which calls can be tried out. The databases are synchronized after every call. */
export class Trial {
  readonly databases: Required<Databases>;

  constructor({ agent, user }: Required<Databases>) {
    this.databases = { agent: agent.fork(), user: user.fork() };
  }

  /** Returns an independent copy of the trial in the same state. */
  fork(): Trial {
    return new Trial(this.databases);
  }

  /**
   * Makes the calls in the given order.
   * @throws {ToolError} If a call is rejected.
   */
  run(calls: readonly PlannedCall[]): this {
    for (const call of calls) this.#call(call);
    return this;
  }

  /** Checks whether all given assertions hold in the current state. */
  holds(checks: readonly PlannedCall[]): boolean {
    return checks.every((check) => this.#call(check) === true);
  }

  #call({ actor, name, args }: PlannedCall): boolean | undefined {
    const side: Side = actor === "user" ? "user" : "agent";
    const run = functions[side][name];
    if (run === undefined) {
      throw new ToolError(`Unknown function or tool "${name}"`);
    }
    const result = run(this.databases[side], object(args));
    syncTelecom(this.databases);
    return result;
  }
}
