/** Maintains the registry of user strategies. Scripts may register additional strategies. */

import { Registry } from "../registry.ts";
import type { ChatModel, Dataset, UserFactory } from "../types.ts";
import { llmUser } from "./llm.ts";
import { reactUser } from "./react.ts";
import { reflectionUser } from "./reflection.ts";
import { scriptedUser } from "./scripted.ts";
import { verifyUser } from "./verify.ts";

/** A strategy for simulating users, with or without a model. */
export type UserStrategy =
  | {
    readonly callsPerMessage?: 0;
    open(world: UserStrategyOptions): UserFactory;
  }
  | {
    /** The minimum number of model calls per message. Cost and time estimates are based on this number. */
    readonly callsPerMessage: 1 | 2 | 3;
    open(world: ModelUserStrategyOptions): UserFactory;
  };

/** The options that a {@linkcode UserStrategy} without a model receives. */
export interface UserStrategyOptions {
  readonly dataset: Dataset;
  /** Whether to reproduce τ-bench's user exactly, including its errors. */
  readonly compat: boolean;
  /** The maximum number of attempts per message. Default: depends on the strategy. */
  readonly attempts?: number;
}

/** The options that a {@linkcode UserStrategy} with a model receives. */
export interface ModelUserStrategyOptions extends UserStrategyOptions {
  readonly model: ChatModel;
}

const users = new Registry<UserStrategy>("user", {
  scripted: { open: ({ dataset }) => scriptedUser(dataset) },
  llm: { callsPerMessage: 1, open: llmUser },
  react: { callsPerMessage: 1, open: reactUser },
  verify: { callsPerMessage: 2, open: verifyUser },
  reflection: { callsPerMessage: 2, open: reflectionUser },
});

/**
 * Registers a user strategy, so that configs can name it as `user.strategy`.
 * @throws {ConfigError} If the name is taken.
 * @example
 * ```ts
 * import { registerUser, STOP } from "../../mod.ts";
 * registerUser("wordless", {
 *   open: () => () => ({
 *     open: () => Promise.resolve("hi"),
 *     reply: () => Promise.resolve(STOP),
 *   }),
 * });
 * ```
 */
export function registerUser(name: string, strategy: UserStrategy): void {
  users.register(name, strategy);
}

/**
 * Returns the strategy with this name.
 * @throws {ConfigError} If no strategy has this name.
 */
export function userStrategy(name: string): UserStrategy {
  return users.get(name);
}

/** Returns the minimum number of model calls that a strategy makes per message; 0 if it uses no model. */
export function callsPerMessage(name: string): number {
  return users.get(name).callsPerMessage ?? 0;
}

/** Checks whether a model plays the users of this strategy. */
export function asksModel(name: string): boolean {
  return callsPerMessage(name) > 0;
}

/** The schema of a user strategy's name. */
export const userName = users.schema();
