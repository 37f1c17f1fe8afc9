/** Opens the simulated user that a config names. */

import type { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import type { Meter } from "../../env/models/meter.ts";
import type { CallOptions, Dataset, UserFactory } from "../../env/types.ts";
import { absentUser } from "../../env/users/absent.ts";
import { userStrategy } from "../../env/users/registry.ts";
import type { DeepReadonly } from "./config_schema.ts";
import type { userSchema } from "./config_sections.ts";
import { openChatModel } from "./open_model.ts";

/** The parts of a config that a user needs. */
interface UserPart {
  readonly user: UserConfig;
  readonly compat: boolean;
}

type UserConfig = DeepReadonly<z.infer<typeof userSchema>>;

/**
 * Opens the simulated user. Its name in records is the strategy and the model, such as `scripted` or `llm gpt-4o`. If a
 * model plays the user, checks that the model answers. In solo mode, returns a user who is never asked.
 * @throws {ConfigError} If a required model is not named, its API key is missing, a budget cannot be enforced, the
 * model does not answer, or a solo agent is given a user.
 * @throws {DataError} If the dataset has no prompts for the strategy.
 */
export async function openUser(
  config: UserPart,
  { dataset, meter, ...options }: CallOptions & {
    readonly dataset: Dataset;
    readonly meter: Meter;
    readonly env?: (name: string) => string | undefined;
    readonly onResponse?: (response: Response) => void;
  },
): Promise<UserFactory> {
  const { strategy: name, endpoint, attempts } = config.user;
  const strategy = userStrategy(name);
  if (dataset.rules?.solo !== undefined) {
    if (name === "scripted") return absentUser();
    throw new ConfigError(`A solo agent has no user, but --user is ${name}`, {
      hint: "omit --user and --user-model, or omit --solo",
    });
  }
  const { compat } = config;
  const world = attempts === null
    ? { dataset, compat }
    : { dataset, compat, attempts };
  if (!strategy.callsPerMessage) return named(strategy.open(world), name);
  dataset.prompts();
  const model = await openChatModel(endpoint, {
    ...options,
    meter,
    source: "user",
    flag: "--user-model",
  });
  return named(strategy.open({ ...world, model }), `${name} ${model.name}`);
}

/** Returns the user factory with a name for records. A factory that already has a name is returned unchanged. */
function named(factory: UserFactory, name: string): UserFactory {
  return factory.label === undefined
    ? Object.assign(factory.bind(null), { label: name })
    : factory;
}
