/**
 * Whether the further flags of a recipe can be meant: slime ignores a flag that it does not know, and takes the
 * last of two.
 */

import { nearest } from "../../../env/schema_issue.ts";
import type { Fault } from "../fault.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { type FlagArity, KNOWN_FLAGS } from "./flag_names.ts";
import { groupWords, keyedFlags } from "./flags.ts";
import { MODEL_SHAPES, modelArguments } from "../model_shapes.ts";

/** The flags that are no key's own, each with what sets it. */
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
  "--seed": "seed",
  "--disable-wandb-random-suffix": "tracking.wandb",
};

const CUTS_OFF =
  "it cuts tokens off, so that what trains is not what was sampled, and episode servers refuse it";

/** What would undo the plan, with the reason. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  "--sglang-router-ip":
    "with it slime takes the router for one that runs already and starts none; engine.routerPort is enough",
  "--wandb-key":
    "others can read a job's command line; set WANDB_API_KEY in the environment",
  "--num-epoch": "slime ignores it beside rollout.steps, which is always given",
  "--rollout-top-p": CUTS_OFF,
  "--rollout-top-k": CUTS_OFF,
  "--apply-chat-template": "rows hold the number of a task and no messages",
  "--rollout-max-prompt-len": "rows hold the number of a task and no prompt",
  "--eval-config": "evaluations are of eval.splits, each on rows of its own",
  "--partial-rollout":
    "an episode that is cut off cannot go on in another rollout: its user is gone",
};

/** Flags by the key that sets them. */
const OWN_KEYS: ReadonlyMap<string, string> = new Map([
  ...Object.values(MODEL_SHAPES).flatMap((shape) =>
    groupWords(modelArguments(shape)).map(({ flag }) =>
      [flag, "model.name"] as const
    )
  ),
  ...keyedFlags().map(({ flag, key }) => [flag, key] as const),
]);

/** What is wrong with a recipe's further flags. */
export function flagFaults(flags: SlimeConfig["flags"]): Fault[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const fault = nameFault(name) ?? arityFault(name, value);
    if (fault === undefined) return [];
    const [found, fix] = fault;
    return [{ found: `flags.${name}: ${found}`, fix }];
  });
}

type FoundAndFix = readonly [found: string, fix: string];

function nameFault(name: string): FoundAndFix | undefined {
  const flag = `--${name}`;
  const reason = FORBIDDEN[flag];
  if (reason !== undefined) return [reason, "leave it out"];
  const key = OWN_KEYS.get(flag);
  if (key !== undefined) {
    return [`${flag} is the recipe's key ${key}`, "set that instead"];
  }
  if (flag in DERIVED) {
    return [`${flag} follows from ${DERIVED[flag]}`, "leave it out"];
  }
  if (KNOWN_FLAGS.has(flag)) return undefined;
  const known = [...KNOWN_FLAGS.keys()];
  const bare = name.replace(/^-+/, "").replaceAll("_", "-");
  const meant = known.includes(`--${bare}`)
    ? `--${bare}`
    : nearest(`--${bare}`, known);
  return [
    `train.py has no flag ${flag}, and would ignore it without a word`,
    `the nearest is "${meant?.slice(2)}"`,
  ];
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
    bare: [`--${name} takes no value`, "set it to true, or leave it out"],
    value: [`--${name} takes one value`, "give it"],
    values: [`--${name} takes values`, "give them as a list"],
  };
  return faults[arity];
}
