/**
 * Runs an episode that reproduces τ-bench's `Env` with its bugs: scoring replaces the episode's state with the gold
 * state and appends the gold actions to its log. The episode may continue from that state.
 *
 * @see sierra-research/tau-bench at 59a200c, tau_bench/envs/base.py.
 */

import type { Database } from "../../../database.ts";
import { createEnvironment } from "../../../environment.ts";
import { goldOf } from "../../../gold.ts";
import { isOutputTold } from "../../../reward.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type {
  Action,
  Dataset,
  Environment,
  Observation,
  Reward,
  Task,
} from "../../../types.ts";

/** The result of a step. */
export interface TauBenchStep {
  readonly observation: Observation;
  /** The score; present only if the conversation is over and was scored. */
  readonly score?: { readonly reward: Reward; readonly stateHash: string };
  /** Whether scoring threw an exception. This can happen if the agent sent a message that is not text. */
  readonly raised: boolean;
}

/** An episode with a user that repeats recorded answers. */
export class TauBenchEpisode {
  readonly #dataset: Dataset;
  readonly #task: Task;
  #environment: Environment;
  #reply = "";
  /** The agent's messages; `null` for a message that is not text. */
  readonly #said: (string | null)[] = [];
  readonly #log: string[] = [];

  constructor(dataset: Dataset, task: Task) {
    this.#dataset = dataset;
    this.#task = task;
    this.#environment = this.#make();
  }

  /** The names of all actions, including the gold actions that scoring appends. */
  get log(): readonly string[] {
    return this.#log;
  }

  get database(): Database {
    return this.#environment.database;
  }

  async open(message: string): Promise<string> {
    this.#reply = message;
    return await this.#environment.open();
  }

  /**
   * Takes one step of the episode. If the step ends the conversation, the episode is scored and continues from the gold
   * state.
   * @param reply The user's answer if the agent sends a message.
   */
  async step(
    { name, kwargs }: { name: string; kwargs: JsonObject },
    reply: string,
  ): Promise<TauBenchStep> {
    this.#log.push(name);
    this.#reply = reply;
    const observation = await this.#environment.step(
      this.#action(name, kwargs),
    );
    if (!observation.done) return { observation, raised: false };
    const { turns, database } = this.#environment;
    const score = {
      reward: this.#environment.reward(),
      stateHash: database.hash(),
    };
    this.#goOnFromGold(turns);
    return this.#readsNoText()
      ? { observation, raised: true }
      : { observation, score, raised: false };
  }

  #action(name: string, kwargs: JsonObject): Action {
    if (name !== "respond") {
      return { type: "tool", call: { id: "", name, arguments: kwargs } };
    }
    const content = kwargs.get("content");
    const text = typeof content === "string" ? content : null;
    this.#said.push(text);
    return { type: "respond", content: text ?? "" };
  }

  #make(from?: Pick<Environment, "database" | "turns">): Environment {
    const user = {
      open: () => Promise.resolve(this.#reply),
      reply: () => Promise.resolve(this.#reply),
    };
    const base = { dataset: this.#dataset, task: this.#task, user };
    return createEnvironment(from === undefined ? base : { ...base, from });
  }

  #goOnFromGold(turns: Environment["turns"]): void {
    const database = goldOf(this.#dataset, this.#task);
    this.#environment = this.#make({ database, turns });
    for (const { name } of this.#task.actions) {
      if (!this.#dataset.terminatingTools.includes(name)) this.#log.push(name);
    }
  }

  /** Checks whether τ-bench's search for an output reaches a message that is not text before it finds the output. */
  #readsNoText(): boolean {
    const first = this.#said.indexOf(null);
    if (first < 0) return false;
    const before = this.#said.slice(0, first).filter((text) => text !== null);
    return this.#task.outputs.some((output) => !isOutputTold(output, before));
  }
}
