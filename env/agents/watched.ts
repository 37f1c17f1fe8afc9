/** Wraps an agent so that each of its turns is reported to an observer. */

import type {
  Action,
  Agent,
  AgentSession,
  AgentStep,
  CallOptions,
  Message,
  Observation,
  Turn,
  Usage,
} from "../types.ts";
import type { Trajectory } from "../tokens/trajectory.ts";
import { NO_USAGE } from "../models/usage.ts";

/** Callbacks for an episode in progress. */
export interface Watcher {
  /** Called with every turn, including the last turn, as soon as its observation is available. */
  readonly onTurn?: (turn: Turn) => void;
  /** Called when the model's answer cannot be parsed. */
  readonly onParseError?: (message: string) => void;
}

/** Wraps an agent so that `watcher` is called during its episodes. */
export function watchedAgent(agent: Agent, watcher: Watcher): Agent {
  const { name, model } = agent;
  return {
    name,
    ...(model === undefined ? {} : { model }),
    start: (start) => new WatchedSession(agent.start(start), watcher),
  };
}

class WatchedSession implements AgentSession {
  readonly #session: AgentSession;
  readonly #watcher: Watcher;
  #action: Action | undefined;

  constructor(session: AgentSession, watcher: Watcher) {
    this.#session = session;
    this.#watcher = watcher;
  }

  get messages(): readonly Message[] {
    return this.#session.messages;
  }

  get trajectory(): Trajectory | undefined {
    return this.#session.trajectory;
  }

  get usage(): Usage {
    return this.#session.usage ?? NO_USAGE;
  }

  async act(options?: CallOptions): Promise<AgentStep> {
    const step = await this.#session.act(options);
    if (step.type === "action") this.#action = step.action;
    if (step.type === "parse_error") {
      this.#watcher.onParseError?.(step.message);
    }
    return step;
  }

  observe(observation: Observation): void {
    this.#session.observe(observation);
    const action = this.#action;
    if (action !== undefined) this.#watcher.onTurn?.({ action, observation });
  }

  close(): void {
    this.#session.close();
  }
}
