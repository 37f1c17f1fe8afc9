/** Defines the flags of `deno task serve --env`, and opens the environment server that they configure. */

import { stringify } from "yaml";
import { z } from "zod";
import denoConfig from "../deno.json" with { type: "json" };
import { domainKey } from "../env/domains/registry.ts";
import { ConfigError } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import { environmentApp } from "../env/serve/environment/environment_app.ts";
import { LiveSessions } from "../env/serve/environment/live_sessions.ts";
import {
  type CallOptions,
  type Dataset,
  SPLITS,
  STAND_IN,
} from "../env/types.ts";
import { parseSet, type Recipe, resolveBy } from "../train/config/config.ts";
import { flagOverrides, flagsOf } from "../train/config/config_flags.ts";
import {
  budgetSchema,
  compatSchema,
  dataSchema,
  endpointSchema,
  pricesSchema,
  userSchema,
} from "../train/config/config_sections.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { openJudge } from "../train/config/open_judge.ts";
import { openUser } from "../train/config/open_user.ts";
import { benchmarkOverrides, tau3SourceOverride } from "./_shared_flags.ts";

const positive = z.int().min(1);

/** The settings of an environment server. */
const environmentSchema = z.strictObject({
  seed: z.int().min(0).default(1).meta({
    description: "With --env: seed for episodes whose client sends none",
    cli: {},
  }),
  data: dataSchema.prefault({}),
  split: z.enum(SPLITS).default("train").meta({
    description:
      "With --env: split that tasks are taken from, unless a client names one",
    cli: {},
  }),
  user: userSchema.prefault({}),
  judge: z.strictObject({
    endpoint: endpointSchema.prefault({}).meta({
      cli: { prefix: "judge", of: "the model that judges τ³-bench's criteria" },
    }),
  }).prefault({}),
  compat: compatSchema,
  rollout: z.strictObject({
    maxTurns: positive.default(30).meta({
      description: "With --env: maximum actions per episode",
      cli: {},
    }),
  }).prefault({}),
  sessions: z.strictObject({
    max: positive.default(4096).meta({
      description: "With --env: maximum concurrent sessions",
      cli: { flag: "maxSessions" },
    }),
    idleS: z.number().gt(0).default(1800).meta({
      description:
        "With --env: seconds without a request after which a session ends",
      cli: { flag: "idleS" },
    }),
  }).prefault({}),
  prices: pricesSchema,
  budget: z.strictObject({
    maxCost: budgetSchema.shape.maxCost.meta({
      description:
        "With --env: budget in US dollars, after which resets and steps fail; no limit if unset",
    }),
    maxTokens: budgetSchema.shape.maxTokens.meta({
      description:
        "With --env: budget in tokens, after which resets and steps fail; no limit if unset",
    }),
  }).prefault({}),
});

/** The flags of `deno task serve --env`. */
export const environmentFlags = flagsOf(environmentSchema);

/** The parsed flags of `deno task serve --env`. */
type EnvironmentFlags = Readonly<Record<string, unknown>> & {
  readonly tauBench?: string | undefined;
  readonly tau3Bench?: string | undefined;
  readonly set: readonly string[];
};

/** Returns whether the flags request an environment server, which they do by naming a domain or a source of tasks. */
export function servesEnvironment({ env, data }: EnvironmentFlags): boolean {
  return env !== undefined || data !== undefined;
}

/** An environment server that is ready to listen. Disposing of it closes its sessions. */
export interface ServedEnvironment extends AsyncDisposable {
  readonly app: ReturnType<typeof environmentApp>;
  readonly dataset: Dataset;
  readonly userName: string;
  /** Closes all sessions. */
  close(): void;
}

/**
 * Opens an environment server. To detect errors early, it first sends a request to each model that acts as a user or a
 * judge.
 * @throws {ConfigError} If the flags cannot be used together, a model does not respond, or the dataset is missing.
 */
export async function openServedEnvironment(
  flags: EnvironmentFlags,
  { token, signal }: CallOptions & { readonly token: string | undefined },
): Promise<ServedEnvironment> {
  const other = ["policy", "recipe", "record"].find((flag) =>
    flags[flag] !== undefined
  );
  if (other !== undefined) {
    const own = ["env", "data"].filter((flag) => flags[flag] !== undefined)
      .map((flag) => `--${flag}`);
    const [names, isOne] = [own.join(" and "), own.length === 1];
    throw new ConfigError(
      `${names} ${
        isOne ? "serves environments, so it" : "serve environments, so they"
      } cannot be used with --${other}`,
      { hint: `omit ${names}${isOne ? "" : ","} or --${other}` },
    );
  }
  const config = configOf(flags);
  const dataset = await openDataset(config.data, { signal });
  dataset.tasks(config.split);
  const meter = createMeter({ ...config.budget, prices: config.prices });
  const user = await openUser(config, { dataset, meter, signal });
  const judge = await openJudge(config.judge, { meter, signal }) ??
    (config.user.strategy === "scripted" ? STAND_IN : undefined);
  const sessions = new LiveSessions({
    ...{ dataset, user, judge, split: config.split, seed: config.seed },
    maxTurns: config.rollout.maxTurns,
    halt: meter.signal,
  }, {
    maxSessions: config.sessions.max,
    idleMs: config.sessions.idleS * 1000,
  });
  const { version } = denoConfig;
  return {
    app: environmentApp({ sessions, version, token }),
    dataset,
    userName: user.label ?? "custom",
    close: () => sessions[Symbol.dispose](),
    [Symbol.asyncDispose]: () => {
      sessions[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

function configOf(flags: EnvironmentFlags) {
  const overrides = [
    ...flags.set.map(parseSet),
    ...flagOverrides(environmentSchema, flags),
    ...tau3SourceOverride(flags),
  ];
  const { source } = resolveBy(environmentSchema, DEFAULTS, overrides).data;
  const recipe = source === "tau3-bench" ? TAU3_DEFAULTS : DEFAULTS;
  return resolveBy(environmentSchema, recipe, [
    ...overrides,
    ...benchmarkOverrides(flags, source),
  ]);
}

/** Describes what a server offers: `retail of the generated world (400 train, 100 dev, 100 test tasks)`. */
export function describeServed(dataset: Dataset): string {
  const sizes = dataset.splits.map((split) =>
    `${dataset.tasks(split).length} ${split}`
  );
  const source = dataset.name === "generated"
    ? "the generated world"
    : dataset.name;
  return `${domainKey(dataset)} of ${source} (${sizes.join(", ")} tasks)`;
}

const DEFAULTS: Recipe = { name: "the defaults", text: "{}" };

/** Default settings for τ³-bench, whose own rules limit the number of turns. */
const TAU3_DEFAULTS: Recipe = {
  name: "the defaults of tau3-bench",
  text: stringify({ rollout: { maxTurns: 200 } }),
};
