/** The simulated users by the names of their strategies, and what a script adds to them. */

import { Registry } from "../registry.ts";
import type { ChatModel, Dataset, UserFactory } from "../types.ts";
import { llmUser } from "./llm.ts";
import { reactUser } from "./react.ts";
import { reflectionUser } from "./reflection.ts";
import { scriptedUser } from "./scripted.ts";
import { verifyUser } from "./verify.ts";

/** How a user is simulated: without a model, or by one. */
export type UserStrategy =
  | { readonly callsPerMessage?: 0; open(world: UserWorld): UserFactory }
  | {
    /** Calls of its model for a message, at least; forecasts of cost and time assume as many. */
    readonly callsPerMessage: 1 | 2 | 3;
    open(world: ModelUserWorld): UserFactory;
  };

/** What a simulated user is made of. */
export interface UserWorld {
  readonly dataset: Dataset;
  /** Behave as τ-bench's user where that changes results. */
  readonly compat: boolean;
  /** Most tries at one message, where a config bounds them. */
  readonly attempts?: number;
}

/** What a user that a model plays is made of. */
export interface ModelUserWorld extends UserWorld {
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
 * Adds a simulated user that configs name by `user.strategy`.
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

/** The strategy of a name. @throws {ConfigError} If it is not registered. */
export function userStrategy(name: string): UserStrategy {
  return users.get(name);
}

/** Calls of a model that a user of this strategy makes for a message, at least; 0 asks no model. */
export function callsPerMessage(name: string): number {
  return users.get(name).callsPerMessage ?? 0;
}

/** Whether a user of this strategy is played by a model. */
export function asksModel(name: string): boolean {
  return callsPerMessage(name) > 0;
}

/** The schema of a strategy's name. */
export const userName = users.schema();
