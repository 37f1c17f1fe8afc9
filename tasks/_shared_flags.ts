/** Flags that training and evaluating share, and which keys of a recipe they are short for. */

import { join } from "node:path";
import { z } from "zod";
import type { Override } from "../train/config/config.ts";
import { endpointSchema, userSchema } from "../train/config/config_sections.ts";

const provider = endpointSchema.shape.provider.unwrap();
const strategy = userSchema.shape.strategy.unwrap();

/** The customer. */
export const userFlags = {
  user: strategy.optional().meta({
    description: "How the customer is simulated; all but scripted ask a model",
  }),
  userModel: z.string().min(1).optional().meta({
    description: "The model that plays the customer",
    value: "NAME",
  }),
  userProvider: provider.optional().meta({
    description: "Whose API the customer's model has",
  }),
  userBaseUrl: z.string().min(1).optional().meta({
    description:
      "The customer's endpoint; default: OPENAI_BASE_URL or OPENAI_API_BASE, else the provider's",
    value: "URL",
  }),
  compat: z.boolean().optional().meta({
    description: "Do as tau-bench does where that changes results",
  }),
};

/** What models over the network may use. */
export const budgetFlags = {
  maxCost: z.number().gt(0).optional().meta({
    description: "US dollars after which the run stops; --resume goes on",
    value: "USD",
  }),
  maxTokens: z.int().min(1).optional().meta({
    description: "Tokens after which the run stops; --resume goes on",
  }),
};

/** Tasks to leave out. */
export const excludeFlag = z.string().min(1).optional().meta({
  description: "Leave out the tasks of this file, as audit suggests one",
  value: "FILE",
});

/** Where runs are. */
export const runsFlag = z.string().default("runs").meta({
  description: "Directory of the runs",
  value: "DIR",
});

/** Where hosts are described. */
export const hostsFlag = z.string().min(1).default("hosts.yaml").meta({
  description: "The file that says how hosts are reached",
  value: "FILE",
});

/** A run that is named, or given by its path, which has a slash. */
export function runPath(given: string, runs: string): string {
  return given.includes("/") ? given : join(runs, given);
}

/** Where a run is, and what is set over its recipe. */
export const runFlags = {
  set: z.array(z.string()).default([]).meta({
    description: "Set a key of the recipe; may be repeated",
    value: "KEY=VALUE",
  }),
  name: z.string().regex(
    // ".." would be another directory.
    /^\w[\w.-]*$/,
    "letters, digits, dots, dashes and underscores only, a letter or digit first",
  ).optional().meta({
    description: "Name of the run; default: what it is of, and the time",
  }),
  runs: runsFlag,
  resume: z.union([z.literal(true), z.string()]).optional().meta({
    description: "Continue a run, by default the last that is not completed",
    value: "RUN",
    valueOptional: true,
  }),
};

/** Which key of the recipe a flag sets. */
export type FlagPaths = Readonly<Record<string, readonly string[]>>;

/** The keys of the flags here, and of the seed. */
export const SHARED_PATHS: FlagPaths = {
  seed: ["seed"],
  user: ["user", "strategy"],
  userModel: ["user", "endpoint", "model"],
  userProvider: ["user", "endpoint", "provider"],
  userBaseUrl: ["user", "endpoint", "baseUrl"],
  compat: ["compat"],
  exclude: ["data", "exclude"],
  maxCost: ["budget", "maxCost"],
  maxTokens: ["budget", "maxTokens"],
};

/** What the given flags set over a recipe. */
export function flagOverrides(
  flags: Readonly<Record<string, unknown>>,
  paths: FlagPaths,
): Override[] {
  return Object.entries(paths).flatMap(([flag, path]) => {
    const value = flags[flag];
    if (value === undefined) return [];
    const name = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const shown = value === true ? "" : ` ${value}`;
    return [{ path, value, origin: `--${name}${shown}` }];
  });
}
