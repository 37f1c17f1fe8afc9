/** The simulated user that a config names. */

import type { z } from "zod";
import type { Meter } from "../../env/models/meter.ts";
import type {
  CallOptions,
  ChatModel,
  Dataset,
  UserFactory,
} from "../../env/types.ts";
import { llmUser } from "../../env/users/llm.ts";
import { reactUser } from "../../env/users/react.ts";
import { reflectionUser } from "../../env/users/reflection.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { verifyUser } from "../../env/users/verify.ts";
import type { DeepReadonly } from "./config_schema.ts";
import type { userSchema } from "./config_sections.ts";
import { openChatModel } from "./open_model.ts";

/** The user, as configs have it. */
interface UserPart {
  readonly user: UserConfig;
  readonly compat: boolean;
}

type UserConfig = DeepReadonly<z.infer<typeof userSchema>>;

/**
 * Opens the user; its label is what records call it: `scripted`, `llm gpt-4o`. A model is asked for a word first.
 * @throws {ConfigError} As {@linkcode openChatModel}.
 * @throws {DataError} If the dataset has no prompts for it.
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
  const { strategy, endpoint } = config.user;
  if (strategy === "scripted") {
    return scriptedUser(dataset);
  }
  dataset.prompts();
  const model = await openChatModel(endpoint, {
    ...options,
    meter,
    source: "user",
    flag: "--user-model",
  });
  return modelUser(config, strategy, { dataset, model });
}

function modelUser(
  { compat, user: { attempts } }: UserPart,
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
