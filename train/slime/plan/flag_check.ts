/**
 * Checks a recipe's `flags`, because slime silently ignores unknown flags and uses the last value of a repeated flag.
 * The doctor asks the installed slime which flags it has. If slime cannot be queried, the list of known flags is used.
 */

import { nearest } from "../../../env/schema_issue.ts";
import type { Fault } from "../fault.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { type FlagArity, KNOWN_FLAGS } from "./flag_names.ts";
import { groupWords } from "../shapes/argument_words.ts";
import { keyedFlags } from "./flags.ts";
import { MODEL_SHAPES, modelArguments } from "../model_shapes.ts";

/** The flags that a recipe's `flags` cannot contain, each with the key from which the flag is derived. */
const DERIVED: Readonly<Record<string, string>> = {
  "--load": "checkpoint.directory",
  "--prompt-data": "data",
  "--input-key": "data",
  "--eval-prompt-data": "eval.splits",
  "--custom-generate-function-path": "bridge",
  "--custom-reward-post-process-path": "bridge",
  "--custom-rollout-log-function-path": "bridge",
  "--custom-eval-rollout-log-function-path": "bridge",
  "--custom-config-path": "bridge",
  "--rollout-function-path": "algorithm.async",
  "--seed": "seed",
  "--disable-wandb-random-suffix": "tracking.wandb",
};

const CUTS_OFF =
  "this flag truncates the distribution, so training would not match sampling; episode servers reject it";

/** The flags that a recipe's `flags` cannot contain because they would break the plan, each with the reason. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  "--sglang-router-ip":
    "with this flag, slime expects a running router and starts none; use engine.routerPort instead",
  "--wandb-key":
    "the key would be in the job's public command line; use the environment variable WANDB_API_KEY instead",
  "--num-epoch": "slime ignores this flag, because rollout.steps is always set",
  "--rollout-top-p": CUTS_OFF,
  "--rollout-top-k": CUTS_OFF,
  "--apply-chat-template": "rows contain a task's number, not messages",
  "--rollout-max-prompt-len": "rows contain a task's number, not a prompt",
  "--eval-config": "eval.splits sets the evaluations, each with its own rows",
  "--partial-rollout":
    "an interrupted episode cannot continue in the next rollout, because its simulated user no longer exists",
};

/** The flags that a recipe sets through keys other than `flags`, each mapped to its key. */
const OWN_KEYS: ReadonlyMap<string, string> = new Map([
  ...Object.values(MODEL_SHAPES).flatMap((shape) =>
    groupWords(modelArguments(shape)).map(({ flag }) =>
      [flag, "model.name or model.shape"] as const
    )
  ),
  ...keyedFlags().map(({ flag, key }) => [flag, key] as const),
]);

/** Finds entries of a recipe's `flags` that are wrong for every version of slime. */
export function flagFaults(flags: SlimeConfig["flags"]): Fault[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const fault = nameFault(name) ?? arityFault(name, value);
    if (fault === undefined) return [];
    const [found, fix] = fault;
    return [{ found: `flags.${name}: ${found}`, fix }];
  });
}

/**
 * Finds entries of a recipe's `flags` that the known version of slime does not have. Another commit may have them, so
 * the result only matters if the parsers of the installed slime cannot be queried.
 */
export function unknownFlags(flags: SlimeConfig["flags"]): Fault[] {
  return Object.keys(flags).filter((name) => !KNOWN_FLAGS.has(`--${name}`))
    .map(unknownFault);
}

type FoundAndFix = readonly [found: string, fix: string];

function nameFault(name: string): FoundAndFix | undefined {
  const flag = `--${name}`;
  const reason = FORBIDDEN[flag];
  if (reason !== undefined) return [reason, "remove the flag"];
  const key = OWN_KEYS.get(flag);
  if (key !== undefined) {
    return [
      `${flag} is set by the recipe's key ${key}`,
      `set ${key} instead`,
    ];
  }
  if (flag in DERIVED) {
    return [`${flag} is derived from ${DERIVED[flag]}`, "remove the flag"];
  }
  const bare = name.replace(/^-+/, "").replaceAll("_", "-");
  return bare === name ? undefined : [
    "a flag's name must have dashes between its words and no leading dashes",
    `write "${bare}"`,
  ];
}

function unknownFault(name: string): Fault {
  return {
    found:
      `flags.${name}: train.py has no flag --${name}, and would silently ignore it`,
    fix: `did you mean "${
      nearest(`--${name}`, [...KNOWN_FLAGS.keys()])?.slice(2)
    }"?`,
  };
}

function arityFault(
  name: string,
  value: SlimeConfig["flags"][string],
): FoundAndFix | undefined {
  const arity = KNOWN_FLAGS.get(`--${name}`)?.arity;
  if (arity === undefined || value === false) return undefined;
  const given: FlagArity = value === true
    ? "bare"
    : Array.isArray(value)
    ? "values"
    : "value";
  if (arity === given || (arity === "values" && given === "value")) {
    return undefined;
  }
  const faults: Readonly<Record<FlagArity, FoundAndFix>> = {
    bare: [`--${name} takes no value`, "set the flag to true, or remove it"],
    value: [`--${name} takes one value`, "set the flag to a single value"],
    values: [`--${name} takes a list of values`, "set the flag to a list"],
  };
  return faults[arity];
}
