/** The simulated customers that a config names. */

import type { z } from "zod";
import type { Meter } from "../env/models/meter.ts";
import type {
  CallOptions,
  ChatModel,
  Dataset,
  UserFactory,
} from "../env/types.ts";
import { llmUser } from "../env/users/llm.ts";
import { reactUser } from "../env/users/react.ts";
import { reflectionUser } from "../env/users/reflection.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import { verifyUser } from "../env/users/verify.ts";
import type { DeepReadonly } from "./config_schema.ts";
import type { userSchema } from "./config_sections.ts";
import { openChatModel } from "./models.ts";

/** The customer, as configs have it. */
export interface CustomerConfig {
  readonly user: UserConfig;
  readonly compat: boolean;
}

type UserConfig = DeepReadonly<z.infer<typeof userSchema>>;

/** Customers, and what records call them. */
export interface Customers {
  readonly factory: UserFactory;
  /** `scripted`, `llm gpt-4o`. */
  readonly name: string;
}

/**
 * Opens the customers; a model is asked for a word first.
 * @throws {ConfigError} As {@linkcode openChatModel}.
 * @throws {DataError} If the dataset has no prompts for them.
 */
export async function openCustomers(
  config: CustomerConfig,
  { dataset, meter, ...options }: CallOptions & {
    readonly dataset: Dataset;
    readonly meter: Meter;
    readonly env?: (name: string) => string | undefined;
    readonly onResponse?: (response: Response) => void;
  },
): Promise<Customers> {
  const { strategy, endpoint } = config.user;
  if (strategy === "scripted") {
    return customers(scriptedUser(dataset));
  }
  dataset.prompts();
  const model = await openChatModel(endpoint, {
    ...options,
    meter,
    source: "user",
    flag: "--user-model",
  });
  return customers(customersOf(config, strategy, { dataset, model }));
}

function customers(factory: UserFactory): Customers {
  return { factory, name: factory.label ?? "custom" };
}

function customersOf(
  { compat, user: { attempts } }: CustomerConfig,
  strategy: Exclude<UserConfig["strategy"], "scripted">,
  world: { readonly dataset: Dataset; readonly model: ChatModel },
): UserFactory {
  const options = { ...world, compat };
  const bound = attempts === null ? options : { ...options, attempts };
  switch (strategy) {
    case "llm":
      return llmUser(options);
    case "react":
      return reactUser(options);
    case "verify":
      return verifyUser(bound);
    case "reflection":
      return reflectionUser(bound);
  }
}
